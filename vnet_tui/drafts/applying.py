"""Staged drafts become what is stored and what runs: all of them, or none."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from vnet_tui.drafts.draft import Draft
from vnet_tui.engine.errors import DocumentError, Problem, VnetError

if TYPE_CHECKING:
    from vnet_tui.client.connection import Connection, OnProgress
    from vnet_tui.engine.views import Checkpoint, NetworkInfo

PATIENCE = 600.0
"""Seconds after which changes that nobody can end any more (we were killed) are rolled back."""

Warned = tuple[str, Problem]
"""A network by name, and what of it deserves a look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What was applied: ``checkpoint`` keeps it on trial; None: it is kept. ``warnings`` are about
    what is stored and runs now."""

    checkpoint: Checkpoint | None
    warnings: tuple[Warned, ...] = ()


class NotAppliedError(VnetError):
    """Drafts weren't applied, because of ``cause``, which came up at the network ``name``.

    ``taken_back`` is what had been done before, in words. ``trouble`` is why it couldn't be taken
    back yet, and ``still_open`` the checkpoint at whose end the host does it by itself.
    """

    def __init__(
        self,
        cause: Exception,
        name: str,
        *,
        taken_back: Sequence[str] = (),
        trouble: VnetError | None = None,
        still_open: Checkpoint | None = None,
    ) -> None:
        super().__init__(f"{name}: {cause}")
        self.cause = cause
        self.name = name
        self.taken_back = tuple(taken_back)
        self.trouble = trouble
        self.still_open = still_open


async def apply_drafts(
    connection: Connection,
    drafts: Sequence[Draft],
    *,
    confirm_within: float | None = None,
    on_progress: OnProgress | None = None,
) -> Applied:
    """Store the drafts, and bring those of their networks that run to them.

    With ``confirm_within`` (seconds) the changes stay on trial, until the checkpoint that comes
    back is confirmed. One that needs what another gives up (a subnet, a port) comes after it.

    Raises NotAppliedError where somebody stored another definition since a draft was begun, and
    for what :meth:`~vnet_tui.client.connection.Connection.define` and ``apply`` raise; then
    everything is as before, or will be. Where nothing could be begun, the error is its own.
    """
    checkpoint = await connection.open_checkpoint(confirm_within or PATIENCE)
    at = drafts[0].name
    try:
        waiting = deque(drafts)
        refused = 0
        defined: list[NetworkInfo] = []
        while waiting:
            draft = waiting.popleft()
            at = draft.name
            try:
                defined.append(await connection.define(draft.text, replacing=draft.base))
                refused = 0
            except DocumentError:
                if refused >= len(waiting):
                    raise
                refused += 1
                waiting.append(draft)
        for info in defined:
            at = info.name
            if info.pending:
                await connection.apply(info.uuid, on_progress=on_progress)
        if confirm_within is None:
            await connection.confirm(checkpoint.id)
    except Exception as error:
        raise await asyncio.shield(_taken_back(connection, checkpoint, error, at)) from error
    except BaseException:
        await asyncio.shield(connection.roll_back(checkpoint.id))
        raise
    return Applied(
        checkpoint=None if confirm_within is None else checkpoint,
        warnings=await warnings_of(connection, [info.uuid for info in defined]),
    )


async def _taken_back(
    connection: Connection, checkpoint: Checkpoint, cause: Exception, at: str
) -> NotAppliedError:
    """Take all back; gives what is to be told."""
    changes: tuple[str, ...] = ()
    trouble: VnetError | None = None
    try:
        now = await connection.checkpoint()
        changes = now.changes if now is not None else ()
        await connection.roll_back(checkpoint.id)
    except VnetError as error:
        trouble = error
    still_open = None if trouble is None else checkpoint
    return NotAppliedError(cause, at, taken_back=changes, trouble=trouble, still_open=still_open)


async def warnings_of(connection: Connection, uuids: Iterable[UUID]) -> tuple[Warned, ...]:
    """What of these networks deserves a look now; of those that are gone, nothing."""
    found: list[Warned] = []
    for uuid in uuids:
        with suppress(VnetError):
            problems = await connection.warnings(uuid)
            if problems:
                name = (await connection.network(uuid)).name
                found += [(name, problem) for problem in problems]
    return tuple(found)
