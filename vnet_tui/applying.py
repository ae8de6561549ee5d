"""How staged drafts are applied, and what can be done about changes on trial, on every screen.

While a checkpoint is open, whoever opened it, a line on every screen tells how long it stays open.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from textual.screen import Screen, SystemModalScreen

from vnet_tui.trial import Apply, Trial
from vnet_tui.widgets.operations import Operation, Requested

if TYPE_CHECKING:
    from vnet_tui.client.connection import Connection, OnProgress
    from vnet_tui.engine.views import Checkpoint

_OF_EDITS = ("action_stage", "action_apply_pending")
"""What can be done on a screen that stages edits, or shows those that are staged."""


class Applying(Trial):
    """An application that applies what is staged, and ends trials."""

    def __init__(self, *, clock: Callable[[], float] = time.time) -> None:
        """``clock`` tells seconds since 1970."""
        super().__init__(clock=clock)
        self._taking_back = False

    # -- applying -------------------------------------------------------------------------------

    def on_apply(self, message: Apply) -> None:
        """Apply everything that is staged."""
        within = message.confirm_within
        drafts = tuple(self.staged.drafts.values())
        names = drafts[0].name if len(drafts) == 1 else f"{len(drafts)} networks"

        async def run(connection: Connection, tell: OnProgress) -> None:
            from vnet_tui.drafts.applying import NotAppliedError, apply_drafts

            self.applying = True
            tried = self.Tried((), None)
            try:
                applied = await apply_drafts(
                    connection, drafts, confirm_within=within, on_progress=tell
                )
                tried = self.Tried(drafts, applied.checkpoint, applied.warnings)
            except NotAppliedError as error:
                if error.still_open is not None:
                    tried = self.Tried((), error.still_open, half=True)
                raise
            finally:
                self.post_message(tried)

        trial = "" if within is None else ", on trial until you keep it with y"
        operation = Operation(
            word="applying",
            title=f"applying what is pending of {names}",
            done=f"What was pending of {names} is applied{trial}",
            wanted=f"apply what is pending of {names}",
            networks=frozenset(draft.uuid for draft in drafts),
            run=run,
        )
        self.post_message(Requested(operation))

    def on_trial_told(self, message: Trial.Told) -> None:
        """What was applied by half, because the connection was lost, is taken back as soon as that
        is possible: all of it was wanted, or nothing."""
        checkpoint = message.checkpoint
        if checkpoint is None or checkpoint.id != self.half or checkpoint.note:
            return
        if not self._taking_back and not self.applying:
            self._taking_back = True
            self.notify("It was applied by half when the connection was lost.", severity="warning")
            self.post_message(Requested(_ending(checkpoint, keep=False)))

    def on_trial_tried(self, message: Trial.Tried) -> None:  # noqa: ARG002 - that it is over
        """Another half may be left."""
        self._taking_back = False

    def watch_connection(self, connection: Connection | None) -> None:
        """What couldn't be taken back is tried again with the next connection."""
        self._taking_back = False
        super().watch_connection(connection)

    # -- what is on trial -----------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys about changes on trial are there while some are; nobody wants to keep a half."""
        checkpoint = self.checkpoint
        if action in ("keep_trial", "roll_back_trial") and checkpoint is None:
            return False
        if action == "keep_trial" and checkpoint is not None and checkpoint.id == self.half:
            return False
        if action == "pending" and self._at_edits:
            return False
        return super().check_action(action, parameters)

    def action_keep_trial(self) -> None:
        """Keep what is on trial."""
        self._end(keep=True)

    def action_roll_back_trial(self) -> None:
        """Take back what is on trial, now."""
        self._end(keep=False)

    def _end(self, *, keep: bool) -> None:
        """Changes of others are decided about after a question only."""
        checkpoint = self.checkpoint
        if checkpoint is None:
            return
        if self.connection is None:
            self.notify("There is no connection: the host decides when the time is up.")
            return
        wanted = Requested(_ending(checkpoint, keep=keep))
        if self.on_trial_here:
            self.post_message(wanted)
            return

        from vnet_tui.screens.confirm import ConfirmScreen  # not for the first picture

        def answered(sure: bool | None) -> None:
            if sure:
                self.post_message(wanted)

        verb = "Keep" if keep else "Roll back"
        question = f"{verb} the changes of {checkpoint.who}?"
        self.push_screen(ConfirmScreen(question, checkpoint.changes, verb), answered)

    # -- what is staged -------------------------------------------------------------------------

    @property
    def _at_edits(self) -> bool:
        """Whether what is staged is shown or edited by a screen already."""
        screens = self.screen_stack
        return any(hasattr(one, name) for one in screens for name in _OF_EDITS)

    def action_pending(self) -> None:
        """What is staged and not applied yet."""
        from vnet_tui.screens.pending import PendingScreen  # when it is needed

        self.push_screen(PendingScreen())

    def action_undo_staged(self) -> None:
        """Take back what was staged last, or the last dropping; several edits, or a whole new
        network, after a question: they can't be brought back."""
        if not self.staged.past:
            self.notify("Nothing is staged that could be undone.", severity="warning")
            return
        forgotten = self.staged.forgotten()
        if sum(count for _, count in forgotten) < 2 and all(one.base for one, _ in forgotten):
            self.undo_staged()
            return

        from vnet_tui.screens.confirm import ConfirmScreen  # not for the first picture

        def answered(sure: bool | None) -> None:
            if sure:
                self.undo_staged()

        told = [
            f"{draft.name}: {', '.join(edit.what for edit in draft.edits[-count:]) or 'all of it'}."
            for draft, count in forgotten
        ]
        question = "Forget what was staged last?"
        told.append("It can't be brought back.")
        self.push_screen(ConfirmScreen(question, told, "Forget"), answered)

    # -- leaving --------------------------------------------------------------------------------

    def ask_before_leaving(self) -> bool:
        """Whether something would be lost by leaving now, and a question about it was asked."""
        checkpoint = self.checkpoint
        whole = checkpoint is not None and checkpoint.id != self.half
        if checkpoint is not None and whole and self.on_trial_here and self.connection is not None:
            self._ask_about_trial(checkpoint)
            return True
        told = []
        if checkpoint is not None and self.on_trial_here:
            told.append(f"What is on trial is rolled back by the host in {self.time_left} s.")
        if self.staged.drafts:
            names = ", ".join(draft.name for draft in self.staged.drafts.values())
            told += [f"What you edited of {names} isn't applied: it is forgotten.", "P shows it."]
        if not told:
            return False

        from vnet_tui.screens.confirm import ConfirmScreen  # not for the first picture

        def answered(sure: bool | None) -> None:
            if sure:
                self.exit()

        self.push_screen(ConfirmScreen("Quit?", told, "Quit"), answered)
        return True

    def _ask_about_trial(self, checkpoint: Checkpoint) -> None:
        from vnet_tui.screens.leaving import Fate, about_trial  # not for the first picture

        def decided(fate: Fate | None) -> None:
            if fate is Fate.KEEP or fate is Fate.ROLL_BACK:
                ending = _ending(checkpoint, keep=fate is Fate.KEEP, then=self.exit)
                self.post_message(Requested(ending))

        self.push_screen(about_trial(), decided)

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


def _ending(
    checkpoint: Checkpoint, *, keep: bool, then: Callable[[], None] | None = None
) -> Operation:
    """Keep what is on trial, or take it back; that it was done is told by its event."""

    async def run(connection: Connection, _: OnProgress) -> None:
        await (connection.confirm if keep else connection.roll_back)(checkpoint.id)
        if then is not None:
            then()

    return Operation(
        word="keeping" if keep else "back",
        title=f"{'keeping' if keep else 'taking back'} the changes on trial",
        done="",
        wanted=f"{'keep' if keep else 'take back'} the changes on trial",
        networks=frozenset(),
        run=run,
    )
