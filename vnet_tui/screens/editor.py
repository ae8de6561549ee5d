"""The editor of a definition: forms in tabs, and the document beside them: views of one draft."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.screen import Screen
from textual.timer import Timer

from vnet_tui import actions
from vnet_tui.assets import style_sheet
from vnet_tui.client.connection import Connection
from vnet_tui.drafts.draft import Draft
from vnet_tui.drafts.lists import Place, places
from vnet_tui.engine.errors import Problem, Severity, VnetError
from vnet_tui.engine.model import Network
from vnet_tui.engine.views import Event, NetworkInfo, RuleStatus, Sample
from vnet_tui.feed import feed_of
from vnet_tui.screens.element_forms import ask_kind, fill_in
from vnet_tui.staging import Stage
from vnet_tui.widgets.editing.addresses import AddressesTab
from vnet_tui.widgets.editing.dns import DnsTab
from vnet_tui.widgets.editing.document import DocumentEditor
from vnet_tui.widgets.editing.general import GeneralTab
from vnet_tui.widgets.editing.problem_line import ProblemLine
from vnet_tui.widgets.editing.rules import IncomingTab, OutgoingTab
from vnet_tui.widgets.editing.tab import Edited, EditorTab, KindWanted, Running, Wanted
from vnet_tui.widgets.key_line import KeyLine
from vnet_tui.widgets.live_table import Cell
from vnet_tui.widgets.tab_line import TabLine

WIDE = 140
"""From this width on, in cells, the document stands beside the forms."""

SETTLE = 0.12
"""So long, in seconds, nothing is typed before the draft is looked at."""

XML = 5
"""The number of the tab with the document."""

TYPING = "type in the XML"
"""What an edit of the document itself is called."""


class EditorScreen(Screen[None]):
    """Edits a draft. Nothing is stored or changed here: the draft is staged, or discarded."""

    CSS_PATH = style_sheet("editor")
    HELP = """\
# Editing a definition

**1** to **6** open the tabs; while typing, **Ctrl+PgUp** and **Ctrl+PgDn** do. In a form **↑** and
**↓** go from field to field, **←** and **→** choose. In a list **+** adds, **Enter** changes,
**Delete** removes, **i** doubles, **K** and **J** move, **-** switches a rule off and on.

The XML is the same draft: type in it, and the forms follow; **Shift+Tab** leaves it. **z** takes
back the last edit, **Ctrl+S** stages the edits: nothing changes before they are applied.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        *(action.binding() for action in actions.EDITOR_ACTIONS),
        Binding("right", "next_tab(1)", "next tab", show=False, id="editor.tab.next"),
        Binding("left", "next_tab(-1)", "tab before", show=False, id="editor.tab.previous"),
        Binding("ctrl+pagedown", "next_tab(1)", "next tab", show=False, priority=True),
        Binding("ctrl+pageup", "next_tab(-1)", "tab before", show=False, priority=True),
        Binding("down", "app.focus_next", "into the tab", show=False),
        *(
            Binding(str(number), f"open_tab({number - 1})", show=False, id=f"editor.tab.{number}")
            for number in range(1, 7)
        ),
    ]

    class Examined(Message):
        """What a draft says, and everything that is wrong with it."""

        def __init__(
            self, draft: Draft, network: Network | None, problems: tuple[Problem, ...]
        ) -> None:
            super().__init__()
            self.draft = draft
            self.network = network
            self.problems = problems

    class Looked(Message):
        """What the network runs with."""

        def __init__(self, running: Running) -> None:
            super().__init__()
            self.running = running

    def __init__(self, draft: Draft, info: NetworkInfo, *, tab: int = 0) -> None:
        """``draft`` is what is staged of the network that ``info`` tells of, or begins."""
        super().__init__()
        self._draft = self._began = draft
        self._info = info
        self._tab = tab
        self._form = tab if tab < XML else 0
        self._network: Network | None = None
        self._problems: tuple[Problem, ...] = ()
        self._now = Running(active=info.active)
        self._settling: Timer | None = None
        self._jumps = 0
        self._tabs: tuple[EditorTab, ...] = (
            GeneralTab(named=info.active),
            AddressesTab(),
            DnsTab(),
            IncomingTab(),
            OutgoingTab(),
        )
        self._document = DocumentEditor(id="editor-document")

    def compose(self) -> ComposeResult:
        """Tabs, forms and document, problems, keys."""
        titles = [tab.TITLE for tab in self._tabs]
        yield TabLine([*titles, "XML"], id="editor-tabs")
        with Horizontal(id="editor-body"):
            with Vertical(id="editor-forms"):
                yield from self._tabs
            yield self._document
        yield ProblemLine(id="editor-problems")
        yield KeyLine()

    def on_mount(self) -> None:
        """Read the draft, follow what runs."""
        self._document.show_document(self._draft.text)
        self._show_tab()
        self._tell_name()
        feed = feed_of(self)
        self.watch(feed, "sample", self._take_sample)
        feed.happened.subscribe(self, self._take_event)
        self._examine()
        self._look()

    @property
    def draft(self) -> Draft:
        """The draft as it is now."""
        return self._draft

    # -- what runs ------------------------------------------------------------------------------

    def _look(self) -> None:
        connection = feed_of(self).connection
        if connection is not None and self._info.active:
            self.run_worker(self._ask(connection), group="look")

    async def _ask(self, connection: Connection) -> None:
        try:
            rules = await connection.rules(self._info.uuid)
            guests = await connection.guests(self._info.uuid)
        except VnetError:
            return  # it stopped, or the connection is lost: what is known stays
        used = frozenset(
            address
            for guest in guests
            if guest.lease or guest.port
            for address in (guest.addresses or ((guest.lease.address,) if guest.lease else ()))
        )
        known: Mapping[str, RuleStatus] = {rule.key: rule for rule in rules if rule.key}
        self.post_message(self.Looked(Running(active=True, rules=known, used=used)))

    def on_editor_screen_looked(self, message: Looked) -> None:
        """Show it with the counters that are known."""
        self._now = message.running
        self._take_sample(feed_of(self).sample)

    def _take_event(self, event: Event) -> None:
        if event.network == self._info.uuid and event.denial is None:
            self._look()

    def _take_sample(self, sample: Sample | None) -> None:
        figures = sample.networks.get(self._info.uuid) if sample else None
        counts = figures.rules if figures else {}
        self._now = replace(self._now, counts=counts)
        self._show()

    # -- the draft ------------------------------------------------------------------------------

    def _put(self, draft: Draft, network: Network | None) -> None:
        """Another draft; ``network`` is what it says, where that is known."""
        if draft is self._draft:
            return
        self._draft = draft
        self._tell_name()
        if network is not None:
            self._network = network
            self._show()
        self._document.show_document(draft.text)
        self._examine_soon()

    def on_edited(self, message: Edited) -> None:
        """A form made an edit."""
        message.stop()
        draft = self._draft.edited(message.what, message.network, goes_on=message.goes_on)
        self._put(draft, message.network)
        if message.at is not None:
            self._open_place(message.at)

    def on_document_editor_typed(self, message: DocumentEditor.Typed) -> None:
        """Somebody typed in the XML; the forms follow when it has settled."""
        goes_on = self._document.has_focus
        self._put(self._draft.retyped(TYPING, message.text, goes_on=goes_on), None)

    def action_undo_edit(self) -> None:
        """Take back the last edit."""
        if self._draft.edits:
            self.notify(f"Undone: {self._draft.edits[-1].what}.", timeout=3)
            self._put(self._draft.undone(), None)
        else:
            self.notify("Nothing to undo here.", severity="warning")

    def _examine_soon(self) -> None:
        if self._settling is not None:
            self._settling.stop()
        self._settling = self.set_timer(SETTLE, self._examine)

    def _examine(self) -> None:
        self.run_worker(self._judge(self._draft, feed_of(self).connection), group="examine")

    async def _judge(self, draft: Draft, connection: Connection | None) -> None:
        network = await asyncio.to_thread(lambda: draft.network)
        problems = draft.problems
        if connection is not None and network is not None:
            # Beside other networks it is looked at again when there is a connection again.
            with suppress(VnetError):
                problems = await connection.validate(draft.text)
        self.post_message(self.Examined(draft, network, problems))

    def on_editor_screen_examined(self, message: Examined) -> None:
        """Show it, unless the draft is another one by now."""
        if message.draft is not self._draft:
            return
        self._problems = message.problems
        broken = message.network is None
        self.query_one("#editor-forms").set_class(broken, "-broken")
        self.query_one("#editor-forms").disabled = broken
        if message.network is not None:
            first = self._network is None
            self._network = message.network
            self._show()
            if first:
                self._focus_inside()
        elif self._network is None:
            self.action_open_tab(XML)  # there is no state that the forms could keep
        self.query_one(ProblemLine).tell(self._problems, broken=broken)

    def _show(self) -> None:
        if self._network is not None and self.is_mounted:
            self._tabs[self._form].show(self._network, self._problems, self._now)

    def _tell_name(self) -> None:
        symbol = Cell("✎", "accent") if self._draft.changed else Cell("·", "dim")
        self.query_one(TabLine).tell(symbol, self._info.name)

    # -- tabs -----------------------------------------------------------------------------------

    @property
    def _wide(self) -> bool:
        return self.size.width >= WIDE

    def on_resize(self, event: events.Resize) -> None:  # noqa: ARG002 - Textual's signature
        """The document comes beside the forms, or goes."""
        self._show_tab()

    def _show_tab(self) -> None:
        self.query_one(TabLine).opened = self._tab
        for number, tab in enumerate(self._tabs):
            tab.set_class(number == self._form, "-open")
        self.query_one("#editor-forms").display = self._wide or self._tab < XML
        self._document.display = self._wide or self._tab == XML
        self._show()

    def _focus_inside(self) -> None:
        target = self._document if self._tab == XML else self._tabs[self._tab].focus_target
        (target or self.query_one(TabLine)).focus()

    def action_open_tab(self, number: int) -> None:
        """Open a tab, and go into it."""
        self._tab = number
        if number < XML:
            self._form = number
        self._show_tab()
        self._focus_inside()

    def action_next_tab(self, by: int) -> None:
        """The tab beside."""
        self.action_open_tab((self._tab + by) % (XML + 1))

    def on_tab_line_chosen(self, message: TabLine.Chosen) -> None:
        """A click opens a tab."""
        message.stop()
        self.action_open_tab(message.number)

    def _open_place(self, place: Place) -> None:
        """Go to an element."""
        for number, tab in enumerate(self._tabs):
            if place.kind in tab.KINDS:
                if number != self._tab:
                    self.action_open_tab(number)
                tab.move_to(place)

    def action_next_problem(self) -> None:
        """Go to what the next problem is about: its row, or its line of the document."""
        if not self._problems:
            self.notify("Nothing is wrong with it.")
            return
        problem = self._problems[self._jumps % len(self._problems)]
        self._jumps += 1
        self.query_one(ProblemLine).point(problem)
        kinds = [kind for tab in self._tabs for kind in tab.KINDS]
        whole = not self.query_one("#editor-forms").disabled
        for place, element in places(self._network, *kinds) if self._network and whole else ():
            if problem.line and element.line == problem.line:
                self._open_place(place)
                return
        self.action_open_tab(XML)
        self._document.go_to(problem.line)

    # -- elements -------------------------------------------------------------------------------

    def on_kind_wanted(self, message: KindWanted) -> None:
        """Ask what to add."""
        message.stop()
        if self._network is not None:
            ask_kind(self, self._network, message, self._tabs[self._form])

    def on_wanted(self, message: Wanted) -> None:
        """Open the form of an element."""
        message.stop()
        if self._network is not None:
            tab = self._tabs[self._form]
            fill_in(self, self._network, message.place, tab, new=message.new)

    # -- leaving --------------------------------------------------------------------------------

    @property
    def _unsaved(self) -> bool:
        return self._draft.text != self._began.text

    def action_stage(self) -> None:
        """Keep the edits, and leave."""
        if self._unsaved:
            self.post_message(Stage(self._draft))
            errors = sum(one.severity is Severity.ERROR for one in self._problems)
            if errors:
                count = "an error" if errors == 1 else f"{errors} errors"
                self.notify(f"{self._info.name} is staged with {count}.", severity="warning")
            else:
                self.notify(f"{self._info.name}: staged; P shows what is pending.")
        self.dismiss()

    def action_leave_editor(self) -> None:
        """Leave; with unsaved edits, ask."""
        if not self._unsaved:
            self.dismiss()
            return
        from vnet_tui.screens.leaving import Leaving, about_edits

        def answered(leaving: Leaving | None) -> None:
            if leaving is Leaving.STAGE:
                self.action_stage()
            elif leaving is Leaving.DISCARD:
                self.dismiss()

        edits = max(1, len(self._draft.edits) - len(self._began.edits))
        self.app.push_screen(about_edits(self._info.name, edits), answered)
