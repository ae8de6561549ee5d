"""A plan as lines: its steps, with what they disturb."""

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
    """What would be done, step by step, each after what it disturbs; where all are live, that is
    said once."""
    if not preview:
        return [(Cell(" Nothing is to be done on the host.", "dim"),)]
    count = len(preview.steps)
    head = Cell(f" {count} step{'' if count == 1 else 's'}; ")
    if preview.disturbs is Disturbance.LIVE:
        quiet: list[Line] = [(head, Cell("nothing else is disturbed", "good"))]
        return [*quiet, *((Cell(f" · {step.text}"),) for step in preview.steps)]
    lines: list[Line] = [(head, disturbance(preview.disturbs))]
    width = max(len(str(step.disturbs)) for step in preview.steps)
    for step in preview.steps:
        mark = disturbance(step.disturbs)
        lines.append((Cell(" · "), Cell(mark.text.ljust(width), mark.role), Cell(f"  {step.text}")))
    return lines
