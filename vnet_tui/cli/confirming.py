"""Changes with a deadline: made on trial, kept when somebody confirms them, else taken back."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from vnet_tui.cli.arguments import Arguments
from vnet_tui.cli.session import Session
from vnet_tui.engine.errors import NotFoundError, StateError
from vnet_tui.engine.views import Checkpoint, EventKind

if TYPE_CHECKING:
    from vnet_tui.client.connection import Connection

ROLLED_BACK = 1
"""The exit status of a change that nobody confirmed."""

_LOOK_INTERVAL = 0.2
_ANSWERS = {"y": True, "yes": True, "n": False, "no": False}


async def on_trial(
    session: Session, function: Callable[..., Any], args: Arguments, seconds: float
) -> int:
    """Run a command between the opening of a checkpoint and its being confirmed, or not.

    At a terminal the person is asked. Elsewhere it says how to confirm: with a daemon the command
    ends then, without one it stays until that was done or the time is over. A command that fails,
    or is interrupted, leaves nothing to confirm: what it did is taken back at once.
    """
    connection = await session.connection()
    opened = await connection.open_checkpoint(seconds)
    try:
        status = int(await function(session, args))
        if session.interactive:
            return await _asked(session, connection, opened) or status
        session.warn(
            f"Unless confirmed within {seconds:g} s it is taken back: "
            f"vnet network-confirm {opened.id}"
        )
        if (await connection.host()).via == "daemon":
            return status
        return await _waited(session, connection, opened) or status
    except BaseException:
        with contextlib.suppress(StateError, NotFoundError):
            await connection.roll_back(opened.id)
        raise


async def _asked(session: Session, connection: Connection, opened: Checkpoint) -> int:
    """Ask the person at the terminal, counting down."""
    while (left := opened.deadline - time.time()) > 0:
        prompt = f"\rKeep it? It is taken back in {left:3.0f} s [y,n]: "
        answer = await session.answer(prompt, min(1.0, left))
        if answer is None:
            if not await _open(connection, opened):
                break  # it was decided elsewhere
            continue
        kept = _ANSWERS.get(answer.strip().lower())
        if kept is True:
            await connection.confirm(opened.id)
            session.tell("Confirmed", opened)
            return 0
        if kept is False or not answer:
            await connection.roll_back(opened.id)
            session.warn("Taken back")
            return ROLLED_BACK
    print()
    return await _waited(session, connection, opened)


async def _open(connection: Connection, opened: Checkpoint) -> bool:
    found = await connection.checkpoint()
    return found is not None and found.id == opened.id


async def _waited(session: Session, connection: Connection, opened: Checkpoint) -> int:
    """Wait until it is decided, by the time or by somebody elsewhere; tell which it was."""
    while await _open(connection, opened):  # noqa: ASYNC110 - another program may decide it
        await asyncio.sleep(_LOOK_INTERVAL)
    for event in reversed(await connection.past_events()):
        if event.kind is EventKind.CHECKPOINT_CONFIRMED:
            session.tell("Confirmed", opened)
            return 0
        if event.kind is EventKind.ROLLED_BACK:
            break
    session.warn("Taken back: nobody confirmed it")
    return ROLLED_BACK


async def network_confirm(session: Session, args: Arguments) -> int:
    """Keep the changes that are on trial."""
    connection = await session.connection()
    opened = await _chosen(connection, args)
    await connection.confirm(opened.id)
    session.tell(f"Confirmed: {_changes(opened)}", opened)
    return 0


async def network_rollback(session: Session, args: Arguments) -> int:
    """Take back the changes that are on trial."""
    connection = await session.connection()
    opened = await _chosen(connection, args)
    await connection.roll_back(opened.id)
    session.tell(f"Taken back: {_changes(opened)}", opened)
    return 0


def _changes(opened: Checkpoint) -> str:
    return "; ".join(opened.changes) or "nothing was changed"


async def _chosen(connection: Connection, args: Arguments) -> Checkpoint:
    """The checkpoint that is open; an error that says so where another one is meant."""
    opened = await connection.checkpoint()
    wanted = args.text("id")
    if opened is not None and wanted in ("", opened.id):
        return opened
    if wanted:
        await connection.confirm(wanted)  # it isn't open: the error tells what became of it
    raise StateError("no changes wait to be confirmed")
