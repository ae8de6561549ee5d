"""Staged drafts become what is stored and what runs: all of them, or none."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from vnet_tui.drafts.draft import Draft

if TYPE_CHECKING:
    from vnet_tui.client.connection import Connection, OnProgress
    from vnet_tui.engine.views import Checkpoint

PATIENCE = 600.0
"""Seconds after which changes that nobody can end any more (we were killed) are rolled back."""


async def apply_drafts(
    connection: Connection,
    drafts: Sequence[Draft],
    *,
    confirm_within: float | None = None,
    on_progress: OnProgress | None = None,
) -> Checkpoint | None:
    """Store the drafts, and bring those of their networks that run to them.

    With ``confirm_within`` (seconds) the changes stay on trial: the checkpoint that comes back is
    to be confirmed in time. Without, they are kept, and None comes back.

    Raises StateError where somebody stored another definition since a draft was begun, and what
    :meth:`~vnet_tui.client.connection.Connection.define` and ``apply`` raise; then everything is
    as before.
    """
    checkpoint = await connection.open_checkpoint(confirm_within or PATIENCE)
    try:
        defined = [await connection.define(draft.text, replacing=draft.base) for draft in drafts]
        for info in defined:
            if info.pending:
                await connection.apply(info.uuid, on_progress=on_progress)
    except BaseException:
        await asyncio.shield(connection.roll_back(checkpoint.id))
        raise
    if confirm_within is not None:
        return checkpoint
    await connection.confirm(checkpoint.id)
    return None
