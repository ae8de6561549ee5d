"""Changes on trial, and what became of drafts that were applied: what is known of both.

A roll-back loses nothing that was edited: the drafts are staged again. What can be done about
changes on trial is :mod:`vnet_tui.applying`'s.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import ceil
from typing import TYPE_CHECKING, cast

from textual.dom import DOMNode
from textual.message import Message
from textual.reactive import var

from vnet_tui.drafts.draft import Draft
from vnet_tui.engine.errors import VnetError
from vnet_tui.engine.views import EventKind
from vnet_tui.feed import Feed
from vnet_tui.staging import Staging, stored_document

if TYPE_CHECKING:
    from vnet_tui.client.connection import Connection
    from vnet_tui.drafts.applying import Warned
    from vnet_tui.engine.views import Checkpoint, Event, Sample

ENDINGS = frozenset({EventKind.CHECKPOINT_CONFIRMED, EventKind.ROLLED_BACK})
"""Events of no network that tell how a checkpoint ended."""

ABOUT_CHECKPOINTS = ENDINGS | {EventKind.CHECKPOINT_OPENED, EventKind.FAILED}
"""Events of no network that tell of a checkpoint."""

CLOCKS_DIFFER = 2.0
"""Seconds from which on the host's clock is taken to be another one than ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """Whether what was on trial was kept, else it was taken back; and who did it, in words."""

    kept: bool
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What was applied last, by name, and what of it deserves a look."""

    names: tuple[str, ...]
    warnings: tuple[Warned, ...] = ()


class Apply(Message):
    """Everything that is staged is to be stored and applied, all or nothing; on trial for so many
    seconds where they are given."""

    def __init__(self, confirm_within: float | None) -> None:
        super().__init__()
        self.confirm_within = confirm_within


class Trial(Staging):
    """An application that knows whether changes are on trial."""

    checkpoint: var[Checkpoint | None] = var(None, init=False)
    """The open checkpoint as it was last told; it stays when the connection is lost."""

    outcome: var[Outcome | None] = var(None, init=False)
    """What was applied here last and is still so, as far as is known."""

    class Told(Message):
        """The checkpoint that is open, if one is; and how the one known before ended."""

        def __init__(self, checkpoint: Checkpoint | None, ending: Ending | None) -> None:
            super().__init__()
            self.checkpoint = checkpoint
            self.ending = ending

    class Tried(Message):
        """Applying is over: the drafts that were stored, and what keeps them on trial.

        ``half``: only some were, and the checkpoint is what takes them back.
        """

        def __init__(
            self,
            drafts: Sequence[Draft],
            checkpoint: Checkpoint | None,
            warnings: Sequence[Warned] = (),
            *,
            half: bool = False,
        ) -> None:
            super().__init__()
            self.drafts = drafts
            self.checkpoint = checkpoint
            self.warnings = tuple(warnings)
            self.half = half

    def __init__(self, *, clock: Callable[[], float] = time.time) -> None:
        """``clock`` tells seconds since 1970."""
        super().__init__()
        self._clock = clock
        self._ahead = 0.0
        self._tried: Mapping[str, Sequence[Draft]] = {}
        self.half = ""
        """The checkpoint in which only a part of what was to be applied was, if one is open."""

    # -- what is known --------------------------------------------------------------------------

    @property
    def provisional(self) -> bool:
        """Whatever is on trial may be taken back."""
        return super().provisional or self.checkpoint is not None

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
        """A checkpoint is opened, or ends."""
        event = message.event
        if event.network is None and event.kind in ABOUT_CHECKPOINTS:
            self._ask_checkpoint(event)

    def _ask_checkpoint(self, event: Event | None = None) -> None:
        connection = self.connection
        if connection is not None and not self.applying:
            self.run_latest("checkpoint", partial(self._learn, connection, self.checkpoint, event))

    async def _learn(
        self, connection: Connection, before: Checkpoint | None, event: Event | None
    ) -> None:
        try:
            now, ending = await connection.checkpoint(), None
            if before is not None and (now is None or now.id != before.id):
                ending = _told_by(event) or await self._ending(connection, before)
        except VnetError:
            return  # the connection is lost, which is told elsewhere
        self.post_message(self.Told(now, ending))

    async def _ending(self, connection: Connection, checkpoint: Checkpoint) -> Ending:
        """How a checkpoint ended: only one is open at a time, so the first end after it opened was
        its own. When that isn't told any more, the store tells whether it is as before."""
        for event in await connection.past_events():
            ending = _told_by(event)
            if ending is not None and event.time.timestamp() >= checkpoint.opened:
                return ending
        drafts = self._tried.get(checkpoint.id, ())
        stored = [await stored_document(connection, draft.uuid) for draft in drafts]
        kept = stored != [draft.base for draft in drafts]
        return Ending(kept=kept, text="that was a while ago")

    def on_trial_told(self, message: Told) -> None:
        """Keep it; what ended was kept or taken back, and is staged again then, but for what was
        edited anew."""
        if self.applying:
            return
        before, self.checkpoint = self.checkpoint, message.checkpoint
        if before is None or message.ending is None:
            return
        tried = dict(self._tried)
        drafts = tried.pop(before.id, ())
        self._tried = tried
        if message.ending.kept:
            self.notify(f"What was on trial is kept: {message.ending.text}.")
            self.look_at_stored()
            return
        staged = self.staged
        for draft in drafts:
            if draft.uuid not in staged.drafts:
                staged = staged.stage(draft)
        self.staged = staged
        if drafts:
            self.outcome = None
        again = " What you edited is staged again." if drafts else ""
        self.look_at_stored()
        text = f"Rolled back: {message.ending.text}.{again}"
        self.notify(text, severity="warning", timeout=20)

    def on_trial_tried(self, message: Tried) -> None:
        """What is stored is staged no longer; what failed stays staged."""
        self.applying = False
        drafts, checkpoint = message.drafts, message.checkpoint
        if checkpoint is not None:
            self._tried = {**self._tried, checkpoint.id: tuple(drafts)}
            self.half = checkpoint.id if message.half else ""
            self.checkpoint = checkpoint
        as_applied = [draft.uuid for draft in drafts if self.staged.drafts.get(draft.uuid) is draft]
        if drafts:
            names = tuple(draft.name for draft in drafts)
            self.outcome = Outcome(names=names, warnings=message.warnings)
            if count := len(message.warnings):
                what = "One thing deserves" if count == 1 else f"{count} things deserve"
                self.notify(f"{what} a look in what was applied; P tells.", severity="warning")
        self.staged = self.staged.applied(*as_applied)
        self.look_at_stored()
        self._ask_checkpoint()


def _told_by(event: Event | None) -> Ending | None:
    """How a checkpoint ended, if the event tells that."""
    if event is None or event.network is not None or event.kind not in ENDINGS:
        return None
    return Ending(kept=event.kind is EventKind.CHECKPOINT_CONFIRMED, text=event.message)


def trial_of(node: DOMNode) -> Trial:
    """The application that a widget is in."""
    return cast("Trial", node.app)
