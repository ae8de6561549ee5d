"""The commands that change one thing in a network's documents."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from vnet_tui.cli.arguments import Arguments
from vnet_tui.cli.defining import warn_of
from vnet_tui.cli.documents import text_of
from vnet_tui.cli.session import Session
from vnet_tui.client.edits import Scope, edit, scope
from vnet_tui.engine.errors import Problem, VnetError
from vnet_tui.engine.model import Network
from vnet_tui.engine.views import NetworkInfo

if TYPE_CHECKING:
    from vnet_tui.client.connection import Connection


async def _scope(session: Session, args: Arguments) -> tuple[NetworkInfo, Scope]:
    live, config = args.flag("live"), args.flag("config")
    if args.flag("current") and (live or config):
        raise VnetError(f"--current and --{'live' if live else 'config'} don't go together")
    info = await (await session.connection()).network(args.text("network"))
    return info, scope(info, live=live, config=config)


async def network_update(session: Session, args: Arguments) -> int:
    """Add, change or delete one element, as virsh's net-update does."""
    from vnet_tui.engine.sections import updated

    info, meant = await _scope(session, args)
    element = text_of(session.documents[0])
    index = args.whole("parent_index")

    def change(network: Network) -> Network:
        return updated(
            network,
            args.text("command"),
            args.text("section"),
            element,
            -1 if index is None else index,
        )

    connection = await session.connection()
    rules = args.text("section") in _RULES
    known = {_said(problem) for problem in await _problems(connection, info, meant, rules)}
    info = await edit(connection, info.uuid, change, meant)
    session.tell(f"Updated network {info.name} {meant}", info)
    problems = await _problems(connection, info, meant, rules)
    warn_of(session, info.name, [one for one in problems if _said(one) not in known])
    return 0


_RULES = ("incoming", "outgoing")


async def _problems(
    connection: Connection, info: NetworkInfo, meant: Scope, wanted: bool
) -> tuple[Problem, ...]:
    """What there is to say of the document that is meant, as network-dumpxml has it."""
    if not wanted:
        return ()
    return await connection.validate(await connection.xml(info.uuid, inactive=not meant.live))


def _said(problem: Problem) -> str:
    """What tells a problem from others, wherever it stands."""
    return re.sub(r"line \d+", "line", problem.message)


async def network_desc(session: Session, args: Arguments) -> int:
    """Show or change a description or title."""
    from vnet_tui.engine.xml import parse

    info, meant = await _scope(session, args)
    field = "title" if args.flag("title") else "description"
    document = await (await session.connection()).xml(info.uuid, inactive=not meant.live)
    before = getattr(parse(document), field) or ""
    text = args.text("new_desc") if args.given("new_desc") else " ".join(args.texts("text"))
    if args.flag("edit"):
        text = (await _in_editor(session, text or before, ".txt")).strip()
    elif not args.given("new_desc") and not args.given("text"):
        session.show(before or f"No {field} for network: {info.name}", {field: before})
        return 0
    if text == before:
        session.tell(f"Network {field} not changed", {field: before})
        return 0

    def change(network: Network) -> Network:
        if field == "title":
            return replace(network, title=text or None)
        return replace(network, description=text or None)

    await edit(await session.connection(), info.uuid, change, meant)
    session.tell(f"Network {field} updated successfully", {field: text})
    return 0


async def network_metadata(session: Session, args: Arguments) -> int:
    """Show or change a program's own data."""
    from vnet_tui.engine.metadata import metadata_of, with_metadata
    from vnet_tui.engine.xml import parse

    info, meant = await _scope(session, args)
    uri, element = args.text("uri"), args.text("set")
    document = await (await session.connection()).xml(info.uuid, inactive=not meant.live)
    before = metadata_of(parse(document), uri)
    if not any(args.given(how) for how in ("set", "remove", "edit")):
        if before is None and not session.json:
            raise VnetError(f"{info.name} has no metadata of {uri}")
        session.show(before or "", {"metadata": before})
        return 0
    if args.flag("edit"):
        element = await _in_editor(session, before or "", ".xml")
        if element.strip() == (before or "").strip():
            session.tell("Metadata not changed", {"metadata": before})
            return 0
    removed = args.flag("remove")
    if removed and before is None:
        raise VnetError(f"{info.name} has no metadata of {uri}")

    def change(network: Network) -> Network:
        return with_metadata(network, uri, None if removed else element, args.text("key"))

    await edit(await session.connection(), info.uuid, change, meant)
    done = "removed" if removed else "modified"
    session.tell(f"Metadata {done}", {"metadata": None if removed else element})
    return 0


async def _in_editor(session: Session, text: str, suffix: str) -> str:
    from vnet_tui.cli.editor import edited

    return await session.aside(lambda: edited(text, suffix))
