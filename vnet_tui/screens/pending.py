"""What is staged and not applied yet: how definitions differ, what applying them disturbs."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import PurePath
from typing import ClassVar
from uuid import UUID

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.message import Message
from textual.screen import Screen

from vnet_tui import actions
from vnet_tui.assets import style_sheet
from vnet_tui.client.connection import Connection
from vnet_tui.drafts.draft import Draft
from vnet_tui.drafts.staged import Staged
from vnet_tui.engine.errors import NotFoundError, Problem, Severity, VnetError
from vnet_tui.engine.views import Disturbance, Event, NetworkInfo, Preview, State
from vnet_tui.feed import feed_of
from vnet_tui.staging import Drop, Stage, staging_of
from vnet_tui.trial import trial_of
from vnet_tui.widgets.columns import Column
from vnet_tui.widgets.explained import problem_paragraph
from vnet_tui.widgets.key_line import KeyLine
from vnet_tui.widgets.live_table import Cell, LiveTable
from vnet_tui.widgets.picture import Line, Picture
from vnet_tui.widgets.plan_lines import disturbance, plan_lines
from vnet_tui.widgets.progress_line import ProgressLine
from vnet_tui.widgets.xml_pane import coloured, coloured_difference, wrapped

WIDE = 110
"""From this width on, in cells, plan and difference stand side by side."""

COLUMNS = (
    Column(key="network", label="network", width=12, grow=1, most=24),
    Column(key="what", label="what", width=19),
    Column(key="disturbs", label="applying it", width=18),
    Column(key="edits", label="edits", width=14, grow=4),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What is known about applying a draft: what is wrong with it, whether its network runs, and
    the plan (None: there is none, as ``failure`` tells where it is known why)."""

    draft: Draft
    active: bool
    problems: tuple[Problem, ...] = ()
    preview: Preview | None = None
    failure: VnetError | None = None

    @property
    def errors(self) -> int:
        """How many problems keep it from being stored."""
        return sum(one.severity is Severity.ERROR for one in self.problems)


async def outlook_of(connection: Connection, draft: Draft) -> Outlook:
    """Ask for everything about a draft. ConnectionLostError and the like pass through."""
    try:
        active = (await connection.network(draft.uuid)).active
    except NotFoundError:
        active = False
    await asyncio.to_thread(lambda: draft.network)  # the first parsing takes in the parser
    problems = await connection.validate(draft.text)
    outlook = Outlook(draft=draft, active=active, problems=problems)
    if not active or outlook.errors:
        return outlook
    try:
        preview = await connection.plan_document(draft.text)
    except VnetError as error:
        return Outlook(draft=draft, active=active, problems=problems, failure=error)
    return Outlook(draft=draft, active=active, problems=problems, preview=preview)


class PendingScreen(Screen[None]):
    """The staged drafts; keys apply all, drop one, edit one. Esc goes back."""

    CSS_PATH: ClassVar[list[str | PurePath]] = [style_sheet("app"), style_sheet("pending")]
    HELP = """\
# Pending changes

What you edited waits here. **p** applies all of it, or nothing: at once, or on trial, so that it
is rolled back by itself unless you press **y** in time. **Delete** drops one, **z** brings it back.

What **others** stored meanwhile is never overwritten unseen: Enter shows theirs and yours.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        *(action.binding() for action in actions.PENDING_ACTIONS),
        Binding("escape,q", "dismiss", "back", id="pending.back", tooltip="Back"),
    ]

    class Looked(Message):
        """What applying each draft would do."""

        def __init__(self, outlooks: Mapping[UUID, Outlook]) -> None:
            super().__init__()
            self.outlooks = outlooks

    def __init__(self) -> None:
        super().__init__()
        self._outlooks: Mapping[UUID, Outlook] = {}

    def compose(self) -> ComposeResult:
        """A title, the list, plan and difference of the one under the cursor, keys."""
        yield Picture(id="pending-title")
        yield LiveTable[UUID](COLUMNS, id="pending-list")
        with VerticalScroll(id="pending-scroll"):
            yield Picture(id="pending-plan")
            yield Picture(id="pending-difference")
        yield KeyLine()
        yield ProgressLine()

    def on_mount(self) -> None:
        """Follow what is staged, what others store, and what runs."""
        staging = staging_of(self)
        self.watch(staging, "staged", self._show_staged)
        self.watch(staging, "stored", self._draw, init=False)
        self.watch(staging, "connection", self._look, init=False)
        staging.happened.subscribe(self, self._take_event)

    # -- what is known --------------------------------------------------------------------------

    @property
    def _drafts(self) -> Sequence[Draft]:
        return tuple(staging_of(self).staged.drafts.values())

    @property
    def _list(self) -> LiveTable[UUID]:
        return self.query_one("#pending-list", LiveTable)

    @property
    def _selected(self) -> Draft | None:
        key = self._list.cursor_key
        return staging_of(self).staged.drafts.get(key) if key is not None else None

    def _outlook(self, draft: Draft) -> Outlook | None:
        """What is known of this very draft."""
        known = self._outlooks.get(draft.uuid)
        return known if known is not None and known.draft is draft else None

    def _take_event(self, event: Event) -> None:
        if event.denial is None:
            self._look()

    def _show_staged(self, _: Staged) -> None:
        self._draw()
        self._look()

    def _look(self) -> None:
        connection = feed_of(self).connection
        if connection is not None:
            work = partial(self._ask, connection, self._drafts)
            staging_of(self).run_latest("pending", work)

    async def _ask(self, connection: Connection, drafts: Sequence[Draft]) -> None:
        try:
            outlooks = {draft.uuid: await outlook_of(connection, draft) for draft in drafts}
        except VnetError:
            return  # the connection is lost, which is told elsewhere; what is known stays
        self.post_message(self.Looked(outlooks))

    def on_pending_screen_looked(self, message: Looked) -> None:
        """Show it."""
        self._outlooks = message.outlooks
        self._draw()

    # -- to the widgets -------------------------------------------------------------------------

    def on_resize(self, event: events.Resize) -> None:
        """Plan and difference stand side by side where there is room."""
        self.query_one("#pending-scroll").set_class(event.size.width >= WIDE, "-wide")
        self.call_after_refresh(self._draw)

    @on(LiveTable.Highlighted, "#pending-list")
    def _cursor_moved(self) -> None:
        self._draw_selected()

    def _draw(self) -> None:
        drafts = self._drafts
        self.query_one("#pending-title", Picture).show([self._title(drafts)])
        self._list.set_rows((draft.uuid, self._row(draft)) for draft in drafts)
        self._list.styles.height = min(len(drafts) + 1, max(3, self.size.height // 3))
        self._list.display = bool(drafts)
        self._draw_selected()
        self.refresh_bindings()

    def _title(self, drafts: Sequence[Draft]) -> Line:
        cells = [Cell(" pending changes", "strong")]
        if not drafts:
            return tuple(cells)
        cells.append(Cell(f"   of {len(drafts)} network{'' if len(drafts) == 1 else 's'}"))
        overtaken = sum(map(staging_of(self).overtaken, drafts))
        if overtaken:
            cells.append(Cell(f"   {overtaken} changed by others", "bad"))
        known = [outlook for draft in drafts if (outlook := self._outlook(draft))]
        errors = sum(outlook.errors > 0 for outlook in known)
        if errors:
            cells.append(Cell(f"   {errors} with errors", "bad"))
        elif len(known) == len(drafts):
            cells += [Cell("   applying them: "), disturbance(worst(known))]
        return tuple(cells)

    def _row(self, draft: Draft) -> tuple[Cell, ...]:
        outlook = self._outlook(draft)
        if staging_of(self).overtaken(draft):
            what = Cell("! others changed it", "bad")
        elif draft.base is None:
            what = Cell("+ new", "good")
        else:
            what = Cell("~ changed", "accent")
        return (Cell(draft.name, "strong"), what, self._effect(outlook), Cell(edits_of(draft)))

    @staticmethod
    def _effect(outlook: Outlook | None) -> Cell:
        if outlook is None:
            return Cell("…", "dim")
        if outlook.errors:
            return Cell(f"✗ {outlook.errors} error{'' if outlook.errors == 1 else 's'}", "bad")
        if outlook.failure is not None:
            return Cell("✗ can't be done", "bad")
        if outlook.preview is None:
            return Cell("is stored only", "dim")
        return disturbance(outlook.preview.disturbs)

    def _draw_selected(self) -> None:
        draft = self._selected
        plan: list[Line] = []
        difference: list[Line] = []
        if draft is None:
            plan = [
                (),
                (Cell(" Nothing is pending.", "strong"),),
                (),
                (Cell(" e edits a network; what you stage there waits here until it is applied."),),
            ]
        else:
            plan = self._told(draft)
            difference = difference_of(draft)
        for id_, lines in (("plan", plan), ("difference", difference)):
            picture = self.query_one(f"#pending-{id_}", Picture)
            width = max(8, picture.size.width - 1)
            picture.show(part for line in lines for part in wrapped(line, width))

    def _told(self, draft: Draft) -> list[Line]:
        """What is to be known about applying a draft."""
        lines: list[Line] = []
        if staging_of(self).overtaken(draft):
            lines += [
                (Cell(" ! Others changed it since you began.", "bad"),),
                (Cell(" enter ", "accent"), Cell("shows theirs and yours, to decide.")),
                (),
            ]
        outlook = self._outlook(draft)
        if outlook is None:
            return [*lines, (Cell(" Asking what it would do …", "dim"),)]
        for problem in outlook.problems:
            told = problem_paragraph(problem)
            first, *rest = told.text.split("\n")
            lines.append((Cell(f" {told.label}  ", "dim"), Cell(first, told.role)))
            lines += [(Cell(f"   {text}"),) for text in rest]
        if outlook.errors:
            return [*lines, (Cell(" It can't be applied like this: e edits it.", "bad"),)]
        if lines:
            lines.append(())
        if outlook.failure is not None:
            return [*lines, (Cell(f" ✗ {outlook.failure}", "bad"),)]
        if outlook.preview is None:
            return [*lines, (Cell(" It is stored only: the network doesn't run.", "dim"),)]
        return [*lines, *plan_lines(outlook.preview)]

    # -- what keys do ---------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Without anything pending, keys that act on it are not offered."""
        of_pending = {one.id.replace("-", "_") for one in actions.PENDING_ACTIONS}
        if action in of_pending and not self._drafts:
            return False
        return super().check_action(action, parameters)

    @on(LiveTable.Selected, "#pending-list")
    def _opened(self) -> None:
        self.action_edit_pending()

    def action_edit_pending(self) -> None:
        """Edit a draft; where others changed the same, decide about that first."""
        draft = self._selected
        if draft is None:
            return
        if staging_of(self).overtaken(draft):
            self._decide(draft)
        else:
            self._edit(draft)

    def _edit(self, draft: Draft) -> None:
        from vnet_tui.screens.editor import EditorScreen  # when it is needed

        known = {info.uuid: info for info in feed_of(self).networks or ()}
        info = known.get(draft.uuid)
        if info is None and draft.network is not None:
            mode = draft.network.mode
            info = NetworkInfo(
                uuid=draft.uuid, name=draft.name, state=State.DEFINED, mode=mode, persistent=False
            )
        if info is not None:
            self.app.push_screen(EditorScreen(draft, info))

    def _decide(self, draft: Draft) -> None:
        from vnet_tui.screens.overtaken import Answer, Decision, OvertakenScreen

        theirs = staging_of(self).stored.get(draft.uuid)

        def answered(decision: Decision | None) -> None:
            if decision is Answer.THEIRS:
                self._drop(draft)
            elif decision is Answer.EDIT:
                self._edit(draft.rebased(theirs))
            elif isinstance(decision, Draft):
                self.post_message(Stage(decision))

        self.app.push_screen(OvertakenScreen(draft, theirs), answered)

    def action_drop_pending(self) -> None:
        """Forget one."""
        if (draft := self._selected) is not None:
            self._drop(draft)

    def _drop(self, draft: Draft) -> None:
        self.post_message(Drop(draft.uuid))
        self.notify(f"What was pending of {draft.name} is dropped; z brings it back.")

    def action_discard_pending(self) -> None:
        """Forget all, after a question."""
        from vnet_tui.screens.confirm import ConfirmScreen  # when it is needed

        drafts = self._drafts
        if not drafts:
            return

        def answered(sure: bool | None) -> None:
            if sure:
                self.post_message(Drop(*(draft.uuid for draft in drafts)))

        names = ", ".join(draft.name for draft in drafts)
        told = [f"What you edited of {names} is forgotten.", "z brings it back until you leave."]
        self.app.push_screen(ConfirmScreen("Drop all pending changes?", told, "Drop all"), answered)

    def action_apply_pending(self) -> None:
        """Apply all, unless something must be decided or mended first."""
        staging, drafts = staging_of(self), self._drafts
        if feed_of(self).connection is None:
            self.notify("There is no connection; what is pending stays.", severity="warning")
            return
        overtaken = next(filter(staging.overtaken, drafts), None)
        if overtaken is not None:
            self._list.move_to(overtaken.uuid)
            self._decide(overtaken)
            return
        known = [outlook for draft in drafts if (outlook := self._outlook(draft))]
        wrong = next((outlook for outlook in known if outlook.errors), None)
        if wrong is not None:
            self._list.move_to(wrong.draft.uuid)
            self.notify(f"{wrong.draft.name} has errors; e edits it.", severity="warning")
            return
        if not drafts:
            return
        from vnet_tui.screens.apply_pending import ApplyPendingScreen, Keeping  # when needed

        def answered(keeping: Keeping | None) -> None:
            if keeping is not None:
                trial_of(self).apply_staged(keeping.within)

        effects = [(draft.name, self._effect(self._outlook(draft))) for draft in drafts]
        self.app.push_screen(ApplyPendingScreen(effects), answered)


def worst(outlooks: Sequence[Outlook]) -> Disturbance:
    """What applying all disturbs at worst."""
    previews = [outlook.preview for outlook in outlooks if outlook.preview is not None]
    return max((preview.disturbs for preview in previews), default=Disturbance.LIVE)


def edits_of(draft: Draft) -> str:
    """What was edited, in words, each kind of edit once."""
    words = [edit.what for edit in draft.edits]
    counts = {word: words.count(word) for word in words}
    told = [word if count == 1 else f"{word} ({count}×)" for word, count in counts.items()]
    return ", ".join(told) or "described"


def difference_of(draft: Draft) -> list[Line]:
    """How the store would change: a diff, or the whole document of a new network."""
    if draft.base is None:
        return coloured(draft.text)
    return coloured_difference(draft.difference()[2:])  # without the names of two files
