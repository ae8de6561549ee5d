"""Can one machine reach another, and who decides that."""

from __future__ import annotations

from pathlib import PurePath
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.screen import Screen

from vnet_tui.assets import style_sheet
from vnet_tui.engine.doctor.explain import HOST, Answer, Explanation, Query
from vnet_tui.engine.entries import port as read_port
from vnet_tui.engine.errors import VnetError
from vnet_tui.engine.views import NetworkInfo
from vnet_tui.feed import connection_of
from vnet_tui.widgets.explained import Paragraph
from vnet_tui.widgets.fields import ChoiceField, Field, TextField
from vnet_tui.widgets.key_line import KeyLine
from vnet_tui.widgets.live_table import Cell
from vnet_tui.widgets.paragraphs import Paragraphs
from vnet_tui.widgets.picture import Picture

PROTOCOLS = (("tcp", "TCP"), ("udp", "UDP"), ("icmp", "ping"))
FORWARDED = Paragraph("", "A forwarded port is asked for at the host: to host, port 8080.", "dim")
"""What may have been meant, where the answer is no."""

FAMILIES: tuple[tuple[int | None, str], ...] = ((None, "either"), (4, "IPv4"), (6, "IPv6"))


class ExplainScreen(Screen[None]):
    """A question in a few fields, and the answer below. Esc goes back."""

    CSS_PATH: ClassVar[list[str | PurePath]] = [
        style_sheet(name) for name in ("app", "dialogs", "explain")
    ]
    AUTO_FOCUS = ""
    HELP = """\
# Explain

*From* and *to* are each a guest's name, `host`, `outside`, or an address. **Enter** asks. The
answer is worked out on paper, from the rules that are there now: nothing is sent.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "back", tooltip="Back to where you were"),
    ]

    class Told(Message, bubble=False):
        """The answer, or why there is none."""

        def __init__(self, answer: Explanation | VnetError) -> None:
            super().__init__()
            self.answer = answer

    def __init__(self, info: NetworkInfo) -> None:
        super().__init__()
        self._info = info
        who = "a guest's name, host, outside, an address"
        self._source = TextField("from", str.strip, "outside", needed=True, example=who)
        self._target = TextField("to", str.strip, needed=True, example=who)
        self._protocol = ChoiceField("protocol", PROTOCOLS, "tcp")
        self._port = TextField("port", read_port, example="where it is asked for")
        self._family = ChoiceField("family", FAMILIES, None)

    def compose(self) -> ComposeResult:
        """The fields, and the answer."""
        yield Picture(id="explain-title")
        with Vertical(id="explain-form"):
            yield self._source
            yield self._target
            yield self._protocol
            yield self._port
            yield self._family
        yield Paragraphs([FORWARDED], id="explain-answer")
        yield KeyLine()

    def on_mount(self) -> None:
        """The first thing to be filled in."""
        title = Cell(f"Explain · {self._info.name}  ", "strong")
        hint = Cell("can one reach the other, and who decides it? Enter asks.", "dim")
        self.query_one("#explain-title", Picture).show([(title, hint)])
        self._target.control.focus()

    @on(Field.Changed)
    def _changed(self) -> None:
        self._port.disabled = self._protocol.value == "icmp"

    @on(Field.Submitted)
    def action_ask(self) -> None:
        """Ask, once all that is needed is there."""
        wrong = [field for field in (self._source, self._target, self._port) if field.insist()]
        if wrong:
            wrong[0].control.focus()
            return
        query = Query(
            network=self._info.uuid,
            source=self._source.text.strip(),
            target=self._target.text.strip(),
            protocol=self._protocol.value,
            port=None if self._port.disabled else self._port.value,
            family=self._family.value,
        )
        self.run_worker(self._ask(query), group="explain", exclusive=True)

    async def _ask(self, query: Query) -> None:
        try:
            self.post_message(self.Told(await connection_of(self).explain(query)))
        except VnetError as error:
            self.post_message(self.Told(error))

    async def on_explain_screen_told(self, message: Told) -> None:
        """Show the answer."""
        await self.query_one(Paragraphs).show(told(message.answer))

    def action_back(self) -> None:
        """Leave."""
        self.dismiss()


def told(answer: Explanation | VnetError) -> list[Paragraph]:
    """An answer in words: yes or no, why, where that is decided, and what happens on the way."""
    if isinstance(answer, VnetError):
        paragraphs = [Paragraph("", f"✗ {answer.message}", "bad")]
        return [*paragraphs, Paragraph("", answer.remedy)] if answer.remedy else paragraphs
    yes = answer.answer is Answer.YES
    paragraphs = [
        Paragraph(f"{'●' if yes else '✗'} {answer.answer}", answer.text, "good" if yes else "warn")
    ]
    if answer.where:
        paragraphs.append(Paragraph("decided", answer.where))
    label = "way"
    for number, step in enumerate(answer.steps, start=1):
        paragraphs.append(Paragraph(label if number == 1 else "", f"{number}. {step}"))
    if answer.answer is Answer.NO and answer.query.target != HOST:
        paragraphs.append(FORWARDED)
    return paragraphs
