"""What on the host stands in a network's way, and what opens it, done only when agreed to."""

from __future__ import annotations

from pathlib import PurePath
from typing import ClassVar
from uuid import UUID

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.screen import Screen

from vnet_tui import actions
from vnet_tui.assets import style_sheet
from vnet_tui.client.connection import Connection
from vnet_tui.engine.doctor.findings import Finding
from vnet_tui.engine.errors import Severity, VnetError
from vnet_tui.engine.views import NetworkInfo
from vnet_tui.feed import connection_of, feed_of
from vnet_tui.widgets.columns import Column
from vnet_tui.widgets.explained import Paragraph
from vnet_tui.widgets.key_line import KeyLine
from vnet_tui.widgets.live_table import Cell, LiveTable
from vnet_tui.widgets.paragraphs import Paragraphs
from vnet_tui.widgets.picture import Picture

COLUMNS = (
    Column(key="severity", label="", width=10),
    Column(key="blocks", label="in the way of", width=20, grow=1, most=50),
    Column(key="message", label="what", width=40, grow=3),
)

SEVERITIES = {
    Severity.ERROR: Cell("✗ stops", "bad"),
    Severity.WARNING: Cell("! may stop", "warn"),
}


class DoctorScreen(Screen[None]):
    """The doctor's findings about one network. Esc goes back."""

    CSS_PATH: ClassVar[list[str | PurePath]] = [
        style_sheet(name) for name in ("app", "dialogs", "doctor")
    ]
    HELP = """\
# The doctor

He reads the host's other firewalls, routes and settings, and asks on the bridge for other DHCP
servers, which takes some seconds. **Enter** shows the commands that open the way, and asks before
it runs them. **F5** asks him again.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "back", tooltip="Back to where you were"),
        actions.MEND.binding(),
        actions.REFRESH.binding(),
    ]

    class Told(Message, bubble=False):
        """What he found, or why he can't tell."""

        def __init__(self, findings: tuple[Finding, ...], failure: VnetError | None) -> None:
            super().__init__()
            self.findings = findings
            self.failure = failure

    def __init__(self, info: NetworkInfo) -> None:
        super().__init__()
        self._info = info
        self._findings: tuple[Finding, ...] = ()
        self._failed = False

    def compose(self) -> ComposeResult:
        """How far he is, the findings, and the one under the cursor."""
        yield Picture(id="doctor-state")
        yield LiveTable[int](COLUMNS, id="doctor-findings")
        yield Paragraphs(id="doctor-finding")
        yield KeyLine()

    def on_mount(self) -> None:
        """Ask at once, and a new connection what the old one couldn't tell."""
        self._table.focus()
        self.action_refresh()
        self.watch(feed_of(self), "connection", self._follow, init=False)

    def _follow(self, connection: Connection | None) -> None:
        if connection is not None and self._failed:
            self.action_refresh()

    @property
    def network(self) -> UUID:
        """The network that is examined."""
        return self._info.uuid

    @property
    def _table(self) -> LiveTable[int]:
        return self.query_one("#doctor-findings", LiveTable)

    def _say(self, *cells: Cell) -> None:
        title = Cell(f"Doctor · {self._info.name}  ", "strong")
        self.query_one("#doctor-state", Picture).show([(title, *cells)])

    # -- asking ---------------------------------------------------------------------------------

    def action_refresh(self) -> None:
        """Ask again, and for a connection where there is none."""
        feed_of(self).ask_again()
        self._say(Cell("is looking; other DHCP servers have some seconds to answer …", "accent"))
        self.run_worker(self._ask(), group="doctor", exclusive=True)

    async def _ask(self) -> None:
        try:
            found = await connection_of(self).doctor(self._info.uuid)
            self.post_message(self.Told(found, None))
        except VnetError as error:
            self.post_message(self.Told((), error))

    async def on_doctor_screen_told(self, message: Told) -> None:
        """Show it."""
        self._findings = message.findings
        self._failed = message.failure is not None
        if message.failure is not None:
            self._say(Cell(f"✗ {message.failure}", "bad"))
        elif not message.findings:
            self._say(Cell("● Nothing stands in its way.", "good"))
        else:
            count = len(message.findings)
            self._say(Cell(f"{count} finding{'s' * (count > 1)}, worst first", "warn"))
        self._table.set_rows(
            (number, finding_row(finding)) for number, finding in enumerate(message.findings)
        )
        await self._show_chosen()
        self.refresh_bindings()

    # -- one finding ----------------------------------------------------------------------------

    @property
    def chosen(self) -> Finding | None:
        """The finding under the cursor."""
        key = self._table.cursor_key
        return self._findings[key] if key is not None and key < len(self._findings) else None

    @on(LiveTable.Highlighted, "#doctor-findings")
    async def _moved(self) -> None:
        await self._show_chosen()
        self.refresh_bindings()

    async def _show_chosen(self) -> None:
        chosen = self.chosen
        await self.query_one(Paragraphs).show(told(chosen) if chosen is not None else ())

    @on(LiveTable.Selected, "#doctor-findings")
    def _entered(self) -> None:
        self.action_mend()

    def check_action(
        self,
        action: str,
        parameters: tuple[object, ...],  # noqa: ARG002 - Textual's signature
    ) -> bool | None:
        """Mending is offered where a command does it."""
        return action != "mend" or (self.chosen is not None and bool(self.chosen.commands))

    def action_mend(self) -> None:
        """Run what opens the way, when that is agreed to."""
        chosen = self.chosen
        if chosen is None or not chosen.commands:
            return
        from vnet_tui.screens.confirm import ConfirmScreen

        def answered(sure: bool | None) -> None:
            if sure:
                self._say(Cell("running what was agreed to …", "accent"))
                self.run_worker(self._mend(chosen), group="doctor", exclusive=True)

        consequences = ["As root, on this host:", *chosen.command.splitlines()]
        self.app.push_screen(ConfirmScreen("Run this?", consequences, "Run"), answered)

    async def _mend(self, finding: Finding) -> None:
        try:
            left = await connection_of(self).mend(self._info.uuid, finding)
            self.post_message(self.Told(left, None))
        except VnetError as error:
            self.post_message(self.Told(self._findings, error))

    def action_back(self) -> None:
        """Leave."""
        self.dismiss()


def finding_row(finding: Finding) -> tuple[Cell, ...]:
    """The cells of :data:`COLUMNS` for a finding."""
    role = "bad" if finding.severity is Severity.ERROR else "warn"
    return (
        SEVERITIES[finding.severity],
        Cell(", ".join(finding.blocks) or "–"),
        Cell(finding.message, role),
    )


def told(finding: Finding) -> list[Paragraph]:
    """Everything about a finding."""
    paragraphs = [Paragraph("what", finding.message, "strong")]
    if finding.blocks:
        paragraphs.append(Paragraph("stops", ", ".join(finding.blocks)))
    if finding.where:
        paragraphs.append(Paragraph("where", finding.where))
    if finding.commands:
        paragraphs.append(Paragraph("opens it", finding.command, "accent"))
    else:
        paragraphs.append(Paragraph("opens it", "no command: do what it says by hand", "dim"))
    return paragraphs
