"""What is staged and not applied yet: how definitions differ, what applying them disturbs."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
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
from vnet_tui.drafts.outlook import Outlook, outlook_of
from vnet_tui.drafts.staged import Staged
from vnet_tui.engine.errors import VnetError
from vnet_tui.engine.views import Event, NetworkInfo, State
from vnet_tui.feed import feed_of
from vnet_tui.staging import Drop, Stage, staging_of
from vnet_tui.trial import Apply, trial_of
from vnet_tui.widgets import pending_lines
from vnet_tui.widgets.key_line import KeyLine
from vnet_tui.widgets.live_table import LiveTable
from vnet_tui.widgets.picture import Picture
from vnet_tui.widgets.progress_line import ProgressLine
from vnet_tui.widgets.xml_pane import wrapped

WIDE = 110
"""From this width on, in cells, plan and difference stand side by side."""


class PendingScreen(Screen[None]):
    """The staged drafts; keys apply all, drop one, edit one. Esc goes back."""

    CSS_PATH: ClassVar[list[str | PurePath]] = [style_sheet("app"), style_sheet("pending")]
    HELP = """\
# Pending changes

What you edited waits here. **p** applies all of it, or nothing: at once, or on trial, so that it
is rolled back by itself unless you press **y** in time. **Delete** drops one, **z** brings it back.
All of it is looked at together: what one network gives up, another may take.

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
        yield LiveTable[UUID](pending_lines.COLUMNS, id="pending-list")
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
        self.watch(staging, "outcome", self._draw, init=False)
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
            await asyncio.to_thread(lambda: [draft.network for draft in drafts])  # lxml, at first
            outlooks = {draft.uuid: await outlook_of(connection, draft, drafts) for draft in drafts}
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
        overtaken = {draft.uuid for draft in drafts if staging_of(self).overtaken(draft)}
        known = {draft.uuid: outlook for draft in drafts if (outlook := self._outlook(draft))}
        title = pending_lines.title(drafts, overtaken, known)
        self.query_one("#pending-title", Picture).show([title])
        self._list.set_rows(
            (
                draft.uuid,
                pending_lines.row(draft, known.get(draft.uuid), overtaken=draft.uuid in overtaken),
            )
            for draft in drafts
        )
        self._list.styles.height = min(len(drafts) + 1, max(3, self.size.height // 3))
        self._list.display = bool(drafts)
        self._draw_selected()
        self.refresh_bindings()

    def _draw_selected(self) -> None:
        draft = self._selected
        if draft is None:
            plan, difference = pending_lines.nothing(trial_of(self).outcome), []
        else:
            overtaken = staging_of(self).overtaken(draft)
            plan = pending_lines.about(draft, self._outlook(draft), overtaken=overtaken)
            difference = pending_lines.difference(draft)
        for id_, lines in (("plan", plan), ("difference", difference)):
            picture = self.query_one(f"#pending-{id_}", Picture)
            width = max(8, picture.size.width - 1)
            picture.show(part for line in lines for part in wrapped(line, width))

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
        if not self._ready():
            return
        from vnet_tui.screens.apply_pending import ApplyPendingScreen, Keeping  # when needed

        def answered(keeping: Keeping | None) -> None:
            if keeping is not None and self._ready():  # others may have been quicker
                self.app.post_message(Apply(keeping.within))

        effects = [
            (draft.name, pending_lines.effect(outlook), pending_lines.looks(outlook))
            for draft in self._drafts
            for outlook in [self._outlook(draft)]
        ]
        self.app.push_screen(ApplyPendingScreen(effects), answered)

    def _ready(self) -> bool:
        """Whether all can be applied now; if not, what is to be done first is said."""
        trial, drafts = trial_of(self), self._drafts
        if trial.connection is None:
            self.notify("There is no connection; what is pending stays.", severity="warning")
            return False
        if trial.checkpoint is not None:
            whose = "your" if trial.on_trial_here else f"{trial.checkpoint.who}'s"
            what = f"First {whose} changes on trial: y keeps them, R takes them back."
            self.notify(what, severity="warning")
            return False
        overtaken = next(filter(trial.overtaken, drafts), None)
        if overtaken is not None:
            self._list.move_to(overtaken.uuid)
            self._decide(overtaken)
            return False
        wrong = next(
            (one for one in drafts if (known := self._outlook(one)) and known.errors), None
        )
        if wrong is not None:
            self._list.move_to(wrong.uuid)
            self.notify(f"{wrong.name} has errors; e edits it.", severity="warning")
            return False
        return bool(drafts)
