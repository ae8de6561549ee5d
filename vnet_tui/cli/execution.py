"""Runs one command, and tells its errors."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

from vnet_tui.cli.arguments import Arguments
from vnet_tui.cli.session import Session
from vnet_tui.cli.spec import Command
from vnet_tui.engine.errors import ProblemsError, VnetError

Function = Callable[..., Any]


def function_of(command: Command) -> Function:
    """What does the command: ``async (session, arguments) -> int``, or ``(arguments) -> int`` for a
    local one."""
    module, _, name = command.function.partition(":")
    function: Function = getattr(import_module(f"vnet_tui.cli.{module}"), name)
    return function


async def run_command(session: Session, command: Command, arguments: Arguments) -> int:
    """Its exit status; 1 for an error, which is told, and 128 and its number after a signal."""
    import asyncio

    try:
        async with session.ended_in_order():
            return await _run(session, command, arguments)
    except asyncio.CancelledError:
        if not session.received:
            raise
        print("interrupted; what had begun was brought to its end, or undone", file=sys.stderr)
        return 128 + session.received[0]


def run_at_once(session: Session, command: Command, arguments: Arguments) -> int:
    """The same for a command that only asks, without an event loop: nothing has to come to its end
    when a signal ends it."""
    from vnet_tui.client.blocking import finished

    # There is no garbage in so short a life: looking for it, in particular at the end of the
    # process, took 9 ms of 75 with a thousand networks.
    gc.disable()
    try:
        return finished(_run(session, command, arguments))
    finally:
        gc.freeze()
        gc.enable()


async def _run(session: Session, command: Command, arguments: Arguments) -> int:
    try:
        within = arguments.number("confirm_within") if command.deadline else None
        if within is None:
            status = await function_of(command)(session, arguments)
        else:
            from vnet_tui.cli.confirming import on_trial

            status = await on_trial(session, function_of(command), arguments, within)
        return int(status)
    except VnetError as error:
        tell_error(error, json=session.json)
        return 1


def tell_error(error: VnetError, *, json: bool = False) -> None:
    """An error on standard error, for people or programs."""
    if not json:
        print(f"error: {error}", file=sys.stderr)
        return
    from vnet_tui.cli.plain import line

    told = {"message": error.message, "remedy": error.remedy}
    problems = error.problems if isinstance(error, ProblemsError) else ()
    print(line({"error": {**told, "problems": problems}}), file=sys.stderr)
