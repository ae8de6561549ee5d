"""What the administrator has edited and not applied yet, kept by the application.

A screen that edits posts :class:`Stage` with its draft; whoever shows what is pending watches
``staging_of(self)``, ``"staged"``. Nothing here touches the store or the host; but what others
store meanwhile is followed, so that nobody overwrites it unseen.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, cast
from uuid import UUID

from textual.dom import DOMNode
from textual.message import Message
from textual.reactive import var

from vnet_tui.drafts.draft import Draft
from vnet_tui.drafts.staged import Staged
from vnet_tui.engine.errors import ConnectionLostError, NotFoundError, StateError, VnetError
from vnet_tui.engine.views import EventKind
from vnet_tui.feed import Feed

if TYPE_CHECKING:
    from textual.worker import WorkType

    from vnet_tui.client.connection import Connection
    from vnet_tui.engine.views import Event

STORED_ANEW = frozenset(
    {EventKind.DEFINED, EventKind.UNDEFINED, EventKind.CHANGED_ON_DISK, EventKind.ROLLED_BACK}
)
"""What happens when the store's definitions change."""


class Stage(Message):
    """A draft is to be kept until it is applied; one that changes nothing any more is dropped."""

    def __init__(self, draft: Draft) -> None:
        super().__init__()
        self.draft = draft


class Drop(Message):
    """What is staged of these networks is to be forgotten."""

    def __init__(self, *uuids: UUID) -> None:
        super().__init__()
        self.uuids = uuids


class Staging(Feed):
    """An application that keeps staged edits."""

    staged: var[Staged] = var(Staged(), init=False)
    stored: var[Mapping[UUID, str | None]] = var(dict, init=False)
    """What the store was last seen to have of the networks with staged drafts; None: nothing."""

    class Seen(Message):
        """What is stored, and which drafts say nothing else."""

        def __init__(self, stored: Mapping[UUID, str | None], settled: Sequence[Draft]) -> None:
            super().__init__()
            self.stored = stored
            self.settled = settled

    def __init__(self) -> None:
        super().__init__()
        self.applying = False
        """Whether staged drafts are being stored now: then it is not others who change them."""

    @property
    def provisional(self) -> bool:
        """Whether what is stored may be taken back yet, so that it is looked at later."""
        return self.applying

    def overtaken(self, draft: Draft) -> bool:
        """Whether others stored another definition since this draft was begun."""
        return self.stored.get(draft.uuid, draft.base) != draft.base

    async def draft_of(self, uuid: UUID) -> Draft:
        """What is to be edited of a network: its staged draft, or a new one of its definition.

        Raises VnetError where it has no definition.
        """
        if (draft := self.staged.drafts.get(uuid)) is not None:
            return draft
        if self.connection is None:
            raise ConnectionLostError("there is no connection to read the definition from")
        return Draft.of(uuid, await self.connection.xml(uuid, inactive=True))

    def on_stage(self, message: Stage) -> None:
        """Keep it."""
        self.staged = self.staged.stage(message.draft)

    def on_drop(self, message: Drop) -> None:
        """Forget it, until that is undone."""
        self.staged = self.staged.drop(*message.uuids)

    def undo_staged(self) -> None:
        """Take back the last edit that was staged, or the last dropping."""
        self.staged = self.staged.undone()
        count = len(self.staged)
        self.notify(f"Undone; {count or 'nothing'} {'is' if count < 2 else 'are'} pending now.")

    # -- what others store ----------------------------------------------------------------------

    def watch_staged(self) -> None:
        """What is edited may be old already."""
        self.look_at_stored()

    def watch_connection(self, connection: Connection | None) -> None:
        """What was stored while there was no connection isn't known."""
        super().watch_connection(connection)
        self.look_at_stored()

    def on_feed_happened(self, message: Feed.Happened) -> None:
        """See whether it concerns what is staged, before everybody hears of it."""
        if self._concerns_staged(message.event):
            self.look_at_stored()

    def _concerns_staged(self, event: Event) -> bool:
        of_staged = event.network is None or event.network in self.staged.drafts
        return of_staged and event.kind in STORED_ANEW

    def look_at_stored(self) -> None:
        """Compare the staged drafts with what is stored now."""
        connection, drafts = self.connection, tuple(self.staged.drafts.values())
        if connection is not None and drafts and not self.provisional:
            self.run_latest("stored", partial(self._look, connection, drafts))

    async def _look(self, connection: Connection, drafts: Sequence[Draft]) -> None:
        try:
            stored = {draft.uuid: await stored_document(connection, draft.uuid) for draft in drafts}
        except VnetError:
            return  # the connection is lost, which is told elsewhere
        others = [draft for draft in drafts if stored[draft.uuid] != draft.base]
        settled = await asyncio.to_thread(
            lambda: [draft for draft in others if _says(draft, stored[draft.uuid])]
        )
        self.post_message(self.Seen(stored, settled))

    def run_latest(self, group: str, work: WorkType[None]) -> None:
        """Run it beside everything else, in the place of what runs of its group."""
        self.run_worker(work, group=group, exclusive=True)

    def on_staging_seen(self, message: Seen) -> None:
        """Keep it, and say what others changed since the last look."""
        if self.provisional:
            return
        settled = [
            draft for draft in message.settled if self.staged.drafts.get(draft.uuid) is draft
        ]
        for draft in settled:
            self.notify(
                f"{draft.name} is stored as you edited it, by others: it is pending no more.",
                timeout=15,
            )
        if settled:
            self.staged = self.staged.applied(*(draft.uuid for draft in settled))
        drafts = self.staged.drafts.values()
        known = {draft.uuid for draft in drafts if self.overtaken(draft)}
        self.stored = message.stored
        for draft in drafts:
            if self.overtaken(draft) and draft.uuid not in known:
                what = f"{draft.name} was changed by others while you edited it; P shows both."
                self.notify(what, severity="warning", timeout=15)


async def stored_document(connection: Connection, uuid: UUID) -> str | None:
    """A network's definition, as the store has it; None: it has none."""
    try:
        return await connection.xml(uuid, inactive=True)
    except (NotFoundError, StateError):
        return None


def _says(draft: Draft, stored: str | None) -> bool:
    """Whether a draft describes what is stored. Reads both."""
    if stored is None:
        return False
    return draft.network is not None and draft.network == Draft.of(draft.uuid, stored).network


def staging_of(node: DOMNode) -> Staging:
    """The application that a widget is in."""
    return cast("Staging", node.app)
