"""A screen on which a definition is edited, in forms and as a document: two views of one draft."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from typing import Any, ClassVar, TypeVar

from textual import events
from textual.message import Message
from textual.screen import Screen
from textual.timer import Timer

from vnet_tui.drafts.draft import Draft
from vnet_tui.drafts.lists import Place
from vnet_tui.engine.errors import Problem
from vnet_tui.engine.model import Network
from vnet_tui.screens.element_forms import ask_kind, fill_in
from vnet_tui.screens.examination import Examination
from vnet_tui.widgets.editing.document import DocumentEditor
from vnet_tui.widgets.editing.tab import Edited, EditorTab, KindWanted, Wanted
from vnet_tui.widgets.fields import TextField
from vnet_tui.widgets.live_table import LiveTable

Result = TypeVar("Result")

WIDE = 140
"""From this width of the terminal on, in cells, the document stands beside the form."""

SETTLE = 0.12
"""So long, in seconds, nothing is typed before a draft is written and looked at."""

TYPING = "type in the XML"
"""What an edit of the document itself is called."""


class DraftScreen(Screen[Result]):
    """Keeps the draft. What a form edits is shown there at once; the document follows when it has
    settled: it is written, read and judged in threads, and only as it is then. One of ten
    thousand rules takes a second for that, during which nothing waits.
    """

    EDITS: ClassVar[bool] = True
    """Nothing is greyed while the connection is lost: editing goes on."""

    class Written(Message):
        """A draft has its document."""

        def __init__(self, draft: Draft) -> None:
            super().__init__()
            self.draft = draft

    class Examined(Message):
        """What there is to say about a draft."""

        def __init__(self, examination: Examination) -> None:
            super().__init__()
            self.examination = examination

    def __init__(self, draft: Draft, network: Network | None, document: DocumentEditor) -> None:
        """``network`` is what the draft says, if that is known already."""
        super().__init__()
        self._draft = self._began = draft
        self._network = network
        self._examination = Examination(draft=draft, network=None)
        self._document = document
        self.broken = False
        """Whether the document can't be read: then the forms wait."""
        self._settling: Timer | None = None
        self._examining = False
        self._due = False
        self._moved = False  # whether the form went elsewhere while a draft was looked at

    @property
    def draft(self) -> Draft:
        """The draft as it is now."""
        return self._draft

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What was last found wrong with it."""
        return self._examination.told

    @property
    @abstractmethod
    def form(self) -> EditorTab:
        """The form that is open."""

    @abstractmethod
    def show(self) -> None:
        """Show the network in the open form, and what is wrong with it."""

    @abstractmethod
    async def judge(self, draft: Draft) -> Examination:
        """Look at a draft. Runs in a worker."""

    def changed(self) -> None:
        """The draft is another one, or is known to be the old one again."""

    def examined(self) -> None:
        """The draft was looked at, as it is."""

    def open_place(self, place: Place) -> None:
        """Have an element under the cursor."""
        self.form.move_to(place)

    # -- edits ----------------------------------------------------------------------------------

    def put(self, draft: Draft, network: Network | None) -> None:
        """Another draft; ``network`` is what it says, where that is known already."""
        if draft is self._draft:
            return
        self._draft = draft
        self.changed()
        if draft.written:
            self._document.show_document(draft.text)
        if network is not None:
            self._network = network
            self.show()
        if self._settling is not None:
            self._settling.stop()
        self._settling = self.set_timer(SETTLE, self.examine)

    def on_edited(self, message: Edited) -> None:
        """A form made an edit."""
        message.stop()
        draft = self._draft.edited(message.what, message.network, goes_on=message.goes_on)
        self.put(draft, message.network)
        if message.at is not None:
            self.open_place(message.at)

    def on_document_editor_typed(self, message: DocumentEditor.Typed) -> None:
        """Somebody typed in the XML; the forms follow when it has settled."""
        goes_on = self._document.has_focus
        self.put(self._draft.retyped(TYPING, message.text, goes_on=goes_on), None)

    def action_undo_edit(self) -> None:
        """Take back the last edit."""
        if self._draft.edits:
            self.notify(f"Undone: {self._draft.edits[-1].what}.", timeout=3)
            self.put(self._draft.undone(), None)
        else:
            self.notify("Nothing to undo here.", severity="warning")

    def on_kind_wanted(self, message: KindWanted) -> None:
        """Ask what to add."""
        message.stop()
        if self._network is not None:
            ask_kind(self, self._network, message, self.form)

    def on_wanted(self, message: Wanted) -> None:
        """Open the form of an element."""
        message.stop()
        if self._network is not None:
            fill_in(self, self._network, message.place, self.form, new=message.new)

    # -- looking at it --------------------------------------------------------------------------

    def examine(self) -> None:
        """Look at the draft; while another is being looked at, afterwards."""
        self._due = True
        if not self._examining:
            self._examining = True
            self.run_worker(self._examine_all(), group="examine")

    async def _examine_all(self) -> None:
        try:
            while self._due:
                self._due = False
                draft = self._draft
                await asyncio.to_thread(getattr, draft, "text")
                self.post_message(self.Written(draft))
                self.post_message(self.Examined(await self.judge(draft)))
        finally:
            self._examining = False

    def on_draft_screen_written(self, message: Written) -> None:
        """The document follows the form."""
        if message.draft is self._draft:
            self._document.show_document(message.draft.text)
            self.changed()

    def on_draft_screen_examined(self, message: Examined) -> None:
        """Show it, unless the draft is another one by now."""
        if message.examination.draft is not self._draft:
            return
        self._examination = message.examination
        network = message.examination.network
        self.broken = network is None
        if network is not None:
            self._network = network
        self.open_or_bar()
        self.show()
        self.examined()
        if self._moved or not self._document.points:
            self._point()

    def open_or_bar(self) -> None:
        """Have the open form wait while the document can't be read; the others aren't seen."""
        self.form.disabled = self.broken

    # -- the document beside the form -----------------------------------------------------------

    @property
    def wide(self) -> bool:
        """Whether form and document are seen both."""
        return self.size.width >= WIDE

    def _point(self) -> None:
        """Mark where in the document the form is at work; not while that is yet to follow."""
        self._moved = self._examination.draft is not self._draft
        if not self._moved and (line := self.form.line):
            self._document.point_at(range(line - 1, line))

    def on_live_table_highlighted(self, message: LiveTable.Highlighted) -> None:  # noqa: ARG002
        """Another element is under the cursor."""
        self._point()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Whoever types in the document, types in the newest."""
        if event.widget is self._document:
            self._document.show_document(self._draft.text)
        else:
            self._point()

    @property
    def typed_in_vain(self) -> bool:
        """Whether a field has something that a person typed and that is no value: no draft has it,
        and it would be gone."""
        fields = self.query(TextField)
        return any(one.typed and one.text.strip() and one.problem is not None for one in fields)


def unread(form: EditorTab) -> TextField[Any] | None:
    """The first field of a form with something that is no value, or with nothing where something
    is needed; all of them say so. A form that nobody opened yet has nothing in its fields."""
    if form.network is None:
        return None
    wrong = [field for field in form.query(TextField) if field.insist() is not None]
    return wrong[0] if wrong else None
