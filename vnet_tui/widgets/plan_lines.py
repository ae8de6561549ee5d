"""A plan as lines: every step, with what it disturbs."""

from __future__ import annotations

from vnet_tui.engine.views import Disturbance, Preview
from vnet_tui.widgets.live_table import Cell
from vnet_tui.widgets.picture import Line

_ROLES = {
    Disturbance.LIVE: "good",
    Disturbance.RESTARTS_SERVICES: "warn",
    Disturbance.DISCONNECTS_GUESTS: "bad",
}


def disturbance(disturbs: Disturbance) -> Cell:
    """What is disturbed, in words."""
    return Cell(str(disturbs), _ROLES[disturbs])


def plan_lines(preview: Preview) -> list[Line]:
    """What would be done, step by step."""
    if not preview:
        return [(Cell(" Nothing is to be done on the host.", "dim"),)]
    count = len(preview.steps)
    lines: list[Line] = [
        (Cell(f" {count} step{'' if count == 1 else 's'}: "), disturbance(preview.disturbs))
    ]
    for step in preview.steps:
        mark = disturbance(step.disturbs)
        lines.append((Cell(f" · {step.text}  "), mark))
    return lines
