"""The line on top: where this is, how many networks there are, what flows through all of them."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len

from vnet_tui.engine.text import printable
from vnet_tui.engine.views import HostInfo, NetworkInfo, Sample, State
from vnet_tui.units import bit_rate
from vnet_tui.widgets.fitted import fitted
from vnet_tui.widgets.live_table import Cell
from vnet_tui.widgets.picture import Line, Picture
from vnet_tui.widgets.states import EDITED

LEAST_FOR_RATES = 64
"""Below this width, in cells, the counts need the room of the rates."""


class StatusLine(Picture):
    """One line; what doesn't change isn't painted again."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._host: HostInfo | None = None
        self._networks: Sequence[NetworkInfo] | None = None
        self._sample: Sample | None = None
        self._read_only = False
        self._pending = 0

    def tell(
        self,
        host: HostInfo | None,
        networks: Sequence[NetworkInfo] | None,
        sample: Sample | None,
        *,
        read_only: bool = False,
        pending: int = 0,
    ) -> None:
        """What there is to tell; None: not known yet. ``pending`` networks have staged edits."""
        self._host, self._networks, self._sample = host, networks, sample
        self._read_only, self._pending = read_only, pending
        self.on_resize()

    def on_resize(self) -> None:
        """The rates stand at the right edge."""
        if self.size.width:
            known = (self._host, self._networks, self._sample)
            line = status(*known, self.size.width, read_only=self._read_only, pending=self._pending)
            self.show([line])


def status(
    host: HostInfo | None,
    networks: Sequence[NetworkInfo] | None,
    sample: Sample | None,
    width: int,
    *,
    read_only: bool = False,
    pending: int = 0,
) -> Line:
    """The line in exactly ``width`` cells. What is least needed goes first when it is narrow."""
    right = rates(sample) if width >= LEAST_FOR_RATES else []
    room = width - _length(right) - 1
    left: list[Cell] = []
    for details in (2, 1, 0):
        left = _place(host, details)
        if read_only:
            left.append(Cell(" read only", "warn"))
        left += counts(networks, brief=details == 0)
        if pending:
            left += [Cell(", " if networks else "   "), Cell(f"{EDITED} {pending} pending", "warn")]
        if _length(left) < room:
            break
    line: list[Cell] = []
    for cell in left:
        text = cell.text
        if cell_len(text) > room:
            text = fitted(text, room)
        room -= cell_len(text)
        line.append(Cell(text, cell.role))
    return (*line, Cell(" " * room), *right, Cell(" "))


def _length(cells: Sequence[Cell]) -> int:
    return sum(cell_len(cell.text) for cell in cells)


def _place(host: HostInfo | None, details: int) -> list[Cell]:
    """The host, and with more details what it works with."""
    cells = [Cell(" vnet", "strong"), Cell("  ")]
    if host is None:
        return [*cells, Cell("connecting …", "accent")]
    cells.append(Cell(printable(host.name), "accent"))
    if host.via == "sandbox":
        cells.append(Cell(" sandbox", "warn"))
    if details == 2:
        cells.append(Cell(f" · {host.firewall}", "dim"))
    return cells


def counts(networks: Sequence[NetworkInfo] | None, *, brief: bool = False) -> list[Cell]:
    """``5 networks, 3 active, 1 drifted``; what needs a look is told in brief, too."""
    if networks is None:
        return []
    total = len(networks)
    active = sum(info.active for info in networks)
    if brief:
        cells = [Cell(f"   {active} of {total} active")]
    else:
        cells = [Cell(f"   {total} network{'' if total == 1 else 's'}")]
        if total:
            cells.append(Cell(f", {active} active"))
    for state, role in ((State.DRIFTED, "warn"), (State.DAMAGED, "bad")):
        number = sum(info.state is state for info in networks)
        if number:
            cells += [Cell(", "), Cell(f"{number} {state}", role)]
    return cells


def rates(sample: Sample | None) -> list[Cell]:
    """What flows through all networks together, in and out."""
    if sample is None or not sample.networks:
        return []
    figures = [network.traffic.rates for network in sample.networks.values()]
    return [
        Cell("↓ ", "in"),
        Cell(bit_rate(sum(rate.in_bits for rate in figures)), "in"),
        Cell("  "),
        Cell("↑ ", "out"),
        Cell(bit_rate(sum(rate.out_bits for rate in figures)), "out"),
    ]
