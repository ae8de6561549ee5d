"""``network-edit``: a definition in an editor, with a second chance for what can't be."""

from __future__ import annotations

from difflib import unified_diff
from functools import partial

from vnet_tui.cli.arguments import Arguments
from vnet_tui.cli.defining import told_pending
from vnet_tui.cli.editor import edited
from vnet_tui.cli.session import Session
from vnet_tui.engine.errors import Severity, StateError, VnetError

_ASKED = "Try again? [y,n,?]: "
_HELP = "y - yes, edit it again\nn - no, throw the changes away\n? - print this help"


async def network_edit(session: Session, args: Arguments) -> int:
    """Change a definition in an editor.

    Where it can't be, or somebody else changed the definition meanwhile, a person at a terminal is
    asked whether to edit again what was written; elsewhere it is an error, and nothing is changed.
    """
    connection = await session.connection()
    info = await connection.network(args.text("network"))
    before = await connection.xml(info.uuid, inactive=True)
    text = before
    while True:
        text = await session.aside(partial(edited, text, ".xml"))
        if text == before:
            session.tell(f"Network {info.name} XML configuration not changed.", info)
            return 0
        try:
            problems = await connection.validate(text)
            for problem in problems:
                if problem.severity is Severity.WARNING:
                    session.warn(f"{problem.severity}: {problem}")
            defined = await connection.define(text, replacing=before)
        except VnetError as error:
            if not session.interactive:
                raise
            session.warn(f"error: {error}")
            if isinstance(error, StateError):
                theirs = await connection.xml(info.uuid, inactive=True)
                if theirs != before:
                    session.warn(_difference(before, theirs))
                    before = theirs
            if not await _again(session):
                session.warn(f"Network {info.name} XML configuration not changed.")
                return 1
            continue
        done = f"Network {defined.name} XML configuration edited."
        session.tell(told_pending(done, defined), defined)
        return 0


def _difference(before: str, after: str) -> str:
    lines = unified_diff(
        before.splitlines(), after.splitlines(), "what you read", "what is there now", lineterm=""
    )
    return "\n".join(lines)


async def _again(session: Session) -> bool:
    while True:
        match (await session.answer(_ASKED) or "n").strip().lower():
            case "y" | "yes":
                return True
            case "n" | "no":
                return False
            case _:
                print(_HELP)
