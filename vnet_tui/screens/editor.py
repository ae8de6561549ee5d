"""The editor of a definition: forms in tabs, and the document beside them: views of one draft."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message

from vnet_tui import actions
from vnet_tui.assets import style_sheet
from vnet_tui.client.connection import Connection
from vnet_tui.drafts.draft import Draft
from vnet_tui.drafts.lists import Place, place_at
from vnet_tui.engine.errors import Severity, VnetError
from vnet_tui.engine.policy import rule_keys
from vnet_tui.engine.views import Event, NetworkInfo, RuleStatus, Sample
from vnet_tui.feed import feed_of
from vnet_tui.screens.drafting import DraftScreen, unread
from vnet_tui.screens.examination import Examination, examine
from vnet_tui.staging import Stage, staging_of
from vnet_tui.widgets.editing.addresses import AddressesTab
from vnet_tui.widgets.editing.dns import DnsTab
from vnet_tui.widgets.editing.document import DocumentEditor
from vnet_tui.widgets.editing.general import GeneralTab
from vnet_tui.widgets.editing.problem_line import ProblemLine
from vnet_tui.widgets.editing.rules import IncomingTab, OutgoingTab
from vnet_tui.widgets.editing.tab import EditorTab, Running
from vnet_tui.widgets.key_line import KeyLine
from vnet_tui.widgets.live_table import Cell
from vnet_tui.widgets.tab_line import TabLine

XML = 5
"""The number of the tab with the document."""


class EditorScreen(DraftScreen[None]):
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
        Binding("down", "app.focus_next", "into the form"),
        *(
            Binding(str(number), f"open_tab({number - 1})", show=False, id=f"editor.tab.{number}")
            for number in range(1, 7)
        ),
    ]

    class Looked(Message):
        """What the network runs with."""

        def __init__(self, running: Running) -> None:
            super().__init__()
            self.running = running

    def __init__(self, draft: Draft, info: NetworkInfo, *, tab: int = 0) -> None:
        """``draft`` is what is staged of the network that ``info`` tells of, or begins."""
        super().__init__(draft, None, DocumentEditor(id="editor-document"))
        self._info = info
        self._tab = tab
        self._form = tab if tab < XML else 0
        self._now = Running(active=info.active)
        self._jumps = 0
        self._entered = False
        self._tabs: tuple[EditorTab, ...] = (
            GeneralTab(named=info.active),
            AddressesTab(),
            DnsTab(),
            IncomingTab(),
            OutgoingTab(),
        )

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
        self.changed()
        feed = feed_of(self)
        feed.look_at(self, {self._info.uuid})
        self.watch(feed, "connection", self._follow)
        self.watch(feed, "sample", self._take_sample)
        feed.happened.subscribe(self, self._take_event)

    def on_unmount(self) -> None:
        """Its rules' counters needn't be told any more."""
        feed_of(self).look_away(self)

    # -- what runs ------------------------------------------------------------------------------

    def _follow(self, connection: Connection | None) -> None:  # noqa: ARG002 - whoever is there
        """Another connection, or none: what it says of the draft and of what runs may differ."""
        self.examine()
        self._look()

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
        self.show()

    # -- the draft ------------------------------------------------------------------------------

    @property
    def form(self) -> EditorTab:
        """What the tab that is open, or was before the XML, has."""
        return self._tabs[self._form]

    async def judge(self, draft: Draft) -> Examination:
        """As the engine sees it. What its rules are known by is found here, too: that is kept."""
        others = staging_of(self).staged.others(draft.uuid)
        found = await examine(draft, feed_of(self).connection, others)
        if found.network is not None:
            for tab in (IncomingTab, OutgoingTab):
                await asyncio.to_thread(rule_keys, found.network, tab.DIRECTION)
        return found

    def examined(self) -> None:
        """Say what is wrong with it. What never could be read, is opened as a document."""
        if not self._entered:
            if self._network is None:
                self.action_open_tab(XML)
            else:
                self._focus_inside()
            self._entered = True
        self.query_one(ProblemLine).tell(self.problems, broken=self.broken)

    def show(self) -> None:
        """Everything that is known, in the form that is open."""
        if self._network is not None and self.is_mounted:
            self.form.show(self._network, self.problems, self._now)

    def changed(self) -> None:
        """A mark before the name tells that there is something to stage."""
        edited = not self._draft.written or self._draft.changed
        symbol = Cell("✎", "accent") if edited else Cell("·", "dim")
        self.query_one(TabLine).tell(symbol, self._info.name)

    # -- tabs -----------------------------------------------------------------------------------

    def on_resize(self, event: events.Resize) -> None:  # noqa: ARG002 - Textual's signature
        """The document comes beside the forms, or goes."""
        self._show_tab()

    def _show_tab(self) -> None:
        self.query_one(TabLine).opened = self._tab
        for number, tab in enumerate(self._tabs):
            tab.set_class(number == self._form, "-open")
        self.open_or_bar()
        self.query_one("#editor-forms").display = self.wide or self._tab < XML
        self._document.display = self.wide or self._tab == XML
        self.show()

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

    def open_place(self, place: Place) -> None:
        """Go to an element, which may be in another tab."""
        for number, tab in enumerate(self._tabs):
            if place.kind in tab.KINDS:
                if number != self._tab:
                    self.action_open_tab(number)
                tab.move_to(place)

    def action_next_problem(self) -> None:
        """Go to what the next problem is about: its row, or its line of the document."""
        if not self.problems:
            self.notify("Nothing is wrong with it.")
            return
        problem = self.problems[self._jumps % len(self.problems)]
        self._jumps += 1
        self.query_one(ProblemLine).point(problem)
        kinds = [kind for tab in self._tabs for kind in tab.KINDS]
        network = None if self.broken or not problem.line else self._network
        if network and (place := place_at(network, problem.line, *kinds)):
            self.open_place(place)
            return
        self.action_open_tab(XML)
        self._document.go_to(problem.line)

    # -- leaving --------------------------------------------------------------------------------

    @property
    def _unsaved(self) -> bool:
        return self._draft.text != self._began.text

    def action_stage(self) -> None:
        """Keep the edits, and leave; not while a field can't be read: then the cursor goes there.
        While the document can't, it is what counts."""
        if not self.broken and self._stops():
            return
        if self._unsaved:
            self.post_message(Stage(self._draft))
            errors = sum(one.severity is Severity.ERROR for one in self.problems)
            if errors:
                count = "an error" if errors == 1 else f"{errors} errors"
                self.notify(f"{self._info.name} is staged with {count}.", severity="warning")
            else:
                self.notify(f"{self._info.name}: staged; P shows what is pending.")
        self.dismiss()

    def _stops(self) -> bool:
        for number, tab in enumerate(self._tabs):
            if (field := unread(tab)) is not None:
                self.action_open_tab(number)
                field.control.focus()
                return True
        return False

    def action_leave_editor(self) -> None:
        """Leave; with unsaved edits, or with something typed that can't be read, ask."""
        if not (self._unsaved or self.typed_in_vain):
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
