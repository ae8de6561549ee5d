"""Changes on trial: how staged drafts are applied, and what becomes of them then.

While a checkpoint is open, whoever opened it, a line on every screen tells how long it stays open.
A roll-back loses nothing that was edited: the drafts are staged again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from math import ceil
from typing import TYPE_CHECKING, Any, cast

from textual.dom import DOMNode
from textual.message import Message
from textual.reactive import var
from textual.screen import Screen, SystemModalScreen

from vnet_tui.drafts.draft import Draft
from vnet_tui.engine.errors import VnetError
from vnet_tui.engine.views import EventKind
from vnet_tui.feed import Feed
from vnet_tui.staging import Staging, stored_document
from vnet_tui.widgets.operations import Operation, Requested

if TYPE_CHECKING:
    from vnet_tui.client.connection import Connection, OnProgress
    from vnet_tui.engine.views import Checkpoint, Sample

ABOUT_CHECKPOINTS = frozenset(
    {
        EventKind.CHECKPOINT_OPENED,
        EventKind.CHECKPOINT_CONFIRMED,
        EventKind.ROLLED_BACK,
        EventKind.FAILED,
    }
)
"""Events of no network that tell of a checkpoint."""

CLOCKS_DIFFER = 2.0
"""Seconds from which on the host's clock is taken to be another one than ours."""


class Trial(Staging):
    """An application that knows whether changes are on trial."""

    checkpoint: var[Checkpoint | None] = var(None, init=False)
    """The open checkpoint as it was last told; it stays when the connection is lost."""

    class Told(Message):
        """The checkpoint that is open, if one is."""

        def __init__(self, checkpoint: Checkpoint | None) -> None:
            super().__init__()
            self.checkpoint = checkpoint

    class Tried(Message):
        """Applying is over: the drafts that were stored, and what keeps them on trial."""

        def __init__(self, drafts: Sequence[Draft], checkpoint: Checkpoint | None) -> None:
            super().__init__()
            self.drafts = drafts
            self.checkpoint = checkpoint

    class TakenBack(Message):
        """Drafts that were applied on trial are no longer stored."""

        def __init__(self, drafts: Sequence[Draft]) -> None:
            super().__init__()
            self.drafts = drafts

    def __init__(self, *, clock: Callable[[], float] = time.time) -> None:
        """``clock`` tells seconds since 1970."""
        super().__init__()
        self._clock = clock
        self._ahead = 0.0
        self._tried: Mapping[str, Sequence[Draft]] = {}

    # -- what is known --------------------------------------------------------------------------

    @property
    def on_trial_here(self) -> bool:
        """Whether the changes on trial were made here."""
        return self.checkpoint is not None and self.checkpoint.id in self._tried

    @property
    def time_left(self) -> int:
        """Seconds until the changes on trial are rolled back; 0: that is being done."""
        if self.checkpoint is None:
            return 0
        return max(0, ceil(self.checkpoint.deadline - self._clock() - self._ahead))

    def watch_sample(self, sample: Sample | None) -> None:
        """The deadline is told by the host's clock, which may be another one than ours."""
        if sample is not None:
            ahead = sample.time - self._clock()
            self._ahead = ahead if abs(ahead) > CLOCKS_DIFFER else 0.0

    def watch_connection(self, connection: Connection | None) -> None:
        """What was on trial may have ended while there was no connection."""
        super().watch_connection(connection)
        self._ask_checkpoint()

    def on_feed_happened(self, message: Feed.Happened) -> None:
        """A checkpoint is opened, or ends. How one ended that was shown, is told."""
        event = message.event
        if event.network is not None or event.kind not in ABOUT_CHECKPOINTS:
            return
        if self.checkpoint is not None and event.kind is not EventKind.CHECKPOINT_OPENED:
            kept = event.kind is EventKind.CHECKPOINT_CONFIRMED
            self.notify(
                f"{event.message}.",
                severity="information" if kept else "warning",
                timeout=None if kept else 20,
            )
        self._ask_checkpoint()

    def _ask_checkpoint(self) -> None:
        connection = self.connection
        if connection is not None and not self.applying:
            self.run_latest("checkpoint", partial(self._learn, connection))

    async def _learn(self, connection: Connection) -> None:
        try:
            self.post_message(self.Told(await connection.checkpoint()))
        except VnetError:
            return  # the connection is lost, which is told elsewhere

    def on_trial_told(self, message: Told) -> None:
        """Keep it; what ended was kept or taken back."""
        if self.applying:
            return
        before, self.checkpoint = self.checkpoint, message.checkpoint
        if before is None or (message.checkpoint and message.checkpoint.id == before.id):
            return
        tried = dict(self._tried)
        drafts = tried.pop(before.id, ())
        self._tried = tried
        if drafts and self.connection is not None:
            self.run_worker(self._find_out(self.connection, drafts), group="find out")

    async def _find_out(self, connection: Connection, drafts: Sequence[Draft]) -> None:
        """Where all is stored as before these drafts were applied, they were taken back."""
        try:
            stored = [await stored_document(connection, draft.uuid) for draft in drafts]
        except VnetError:
            return
        if stored == [draft.base for draft in drafts]:
            self.post_message(self.TakenBack(drafts))

    def on_trial_taken_back(self, message: TakenBack) -> None:
        """Stage them again, but for those that were edited anew."""
        staged = self.staged
        for draft in message.drafts:
            if draft.uuid not in staged.drafts:
                staged = staged.stage(draft)
        self.staged = staged
        self.notify("Rolled back; the edits are staged again.", severity="warning", timeout=20)

    # -- applying -------------------------------------------------------------------------------

    def apply_staged(self, confirm_within: float | None) -> None:
        """Store and apply everything that is staged, all or nothing; on trial for so many seconds
        where they are given."""
        drafts = tuple(self.staged.drafts.values())
        names = drafts[0].name if len(drafts) == 1 else f"{len(drafts)} networks"

        async def run(connection: Connection, tell: OnProgress) -> None:
            from vnet_tui.drafts.applying import apply_drafts

            self.applying = True
            applied: Sequence[Draft] = ()
            checkpoint = None
            try:
                checkpoint = await apply_drafts(
                    connection, drafts, confirm_within=confirm_within, on_progress=tell
                )
                applied = drafts
            finally:
                self.post_message(self.Tried(applied, checkpoint))

        trial = "" if confirm_within is None else ", on trial until you keep it with y"
        operation = Operation(
            word="applying",
            title=f"applying what is pending of {names}",
            done=f"What was pending of {names} is applied{trial}",
            wanted=f"apply what is pending of {names}",
            networks=frozenset(draft.uuid for draft in drafts),
            run=run,
        )
        self.post_message(Requested(operation))

    def on_trial_tried(self, message: Tried) -> None:
        """What is stored is staged no longer; what failed stays staged."""
        self.applying = False
        if message.checkpoint is not None:
            self._tried = {**self._tried, message.checkpoint.id: tuple(message.drafts)}
            self.checkpoint = message.checkpoint
        as_applied = [
            draft.uuid for draft in message.drafts if self.staged.drafts.get(draft.uuid) is draft
        ]
        self.staged = self.staged.applied(*as_applied)
        self.look_at_stored()
        self._ask_checkpoint()

    # -- keys -----------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys about changes on trial are there while some are."""
        if action in ("keep_trial", "roll_back_trial") and self.checkpoint is None:
            return False
        return super().check_action(action, parameters)

    def action_keep_trial(self) -> None:
        """Keep what is on trial."""
        if (checkpoint := self.checkpoint) is None:
            return
        operation = Operation(
            word="keeping",
            title="keeping the changes on trial",
            done="The changes are kept",
            wanted="keep the changes on trial",
            networks=frozenset(),
            run=lambda connection, _: connection.confirm(checkpoint.id),
        )
        self._request(checkpoint, operation, "Keep")

    def action_roll_back_trial(self) -> None:
        """Take back what is on trial, now."""
        if (checkpoint := self.checkpoint) is None:
            return
        operation = Operation(
            word="back",
            title="taking back the changes on trial",
            done="All is as it was before",
            wanted="take back the changes on trial",
            networks=frozenset(),
            run=lambda connection, _: connection.roll_back(checkpoint.id),
        )
        self._request(checkpoint, operation, "Roll back")

    def ask_before_leaving(self) -> bool:
        """Whether something would be lost by leaving now, and a question about it was asked."""
        from vnet_tui.screens.confirm import ConfirmScreen  # not for the first picture
        from vnet_tui.screens.leave_trial import Fate, LeaveTrialScreen

        checkpoint = self.checkpoint
        if checkpoint is not None and self.on_trial_here and self.connection is not None:

            def decided(fate: Fate | None) -> None:
                if fate is Fate.KEEP or fate is Fate.ROLL_BACK:
                    self._end_and_leave(checkpoint, keep=fate is Fate.KEEP)

            self.push_screen(LeaveTrialScreen(), decided)
            return True
        if self.staged.drafts:

            def answered(sure: bool | None) -> None:
                if sure:
                    self.exit()

            names = ", ".join(draft.name for draft in self.staged.drafts.values())
            told = [f"What you edited of {names} isn't applied: it is forgotten.", "P shows it."]
            self.push_screen(ConfirmScreen("Quit?", told, "Quit"), answered)
            return True
        return False

    def _end_and_leave(self, checkpoint: Checkpoint, *, keep: bool) -> None:
        async def run(connection: Connection, _: OnProgress) -> None:
            await (connection.confirm if keep else connection.roll_back)(checkpoint.id)
            self.exit()

        verb = "keep" if keep else "take back"
        operation = Operation(
            word="leaving",
            title=f"{'keeping' if keep else 'taking back'} the changes on trial",
            done="Done",
            wanted=f"{verb} the changes on trial",
            networks=frozenset(),
            run=run,
        )
        self.post_message(Requested(operation))

    def _request(self, checkpoint: Checkpoint, operation: Operation, verb: str) -> None:
        """Changes of others are decided about after a question only."""
        if self.on_trial_here:
            self.post_message(Requested(operation))
            return

        from vnet_tui.screens.confirm import ConfirmScreen  # not for the first picture

        def answered(sure: bool | None) -> None:
            if sure:
                self.post_message(Requested(operation))

        question = f"{verb} the changes of {checkpoint.who}?"
        self.push_screen(ConfirmScreen(question, checkpoint.changes, verb), answered)

    # -- the line on every screen ---------------------------------------------------------------

    def watch_checkpoint(self) -> None:
        """The line comes to every screen, or goes from it."""
        for screen in self.screen_stack:
            self._place_line(screen)

    def push_screen(self, screen: Any, *args: Any, **kwargs: Any) -> Any:
        """As every application does; the line comes along."""
        pushed = super().push_screen(screen, *args, **kwargs)
        if self.checkpoint is not None:
            self._place_line(self.screen)
        return pushed

    def _place_line(self, screen: Screen[Any]) -> None:
        from vnet_tui.widgets.trial_line import TrialLine  # when there is something on trial

        shown = screen.query(TrialLine)
        if self.checkpoint is None:
            shown.remove()
        elif not shown and not isinstance(screen, SystemModalScreen):
            screen.mount(TrialLine())
        screen.refresh_bindings()


def trial_of(node: DOMNode) -> Trial:
    """The application that a widget is in."""
    return cast("Trial", node.app)
