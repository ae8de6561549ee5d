"""The commands about definitions: into the store and out of it; what is wrong with documents."""

from __future__ import annotations

from collections.abc import Iterable

from vnet_tui.cli.arguments import Arguments
from vnet_tui.cli.documents import text_of
from vnet_tui.cli.session import Session
from vnet_tui.engine.errors import Problem, Severity, VnetError
from vnet_tui.engine.views import NetworkInfo

PENDING = (
    "It runs on with its earlier definition; 'vnet network-apply {}' brings it to the new one."
)

_MOST_WARNINGS = 10


def told_pending(text: str, info: NetworkInfo) -> str:
    """What was done to a definition, and what is left to do where the network runs."""
    return f"{text}\n{PENDING.format(info.name)}" if info.pending else text


def warn_of(session: Session, name: str, problems: Iterable[Problem]) -> None:
    """Tell what deserves a look in what was defined, or runs now; all of many is
    network-validate's to tell."""
    found = [problem for problem in problems if problem.severity is Severity.WARNING]
    for problem in found[:_MOST_WARNINGS]:
        session.warn(_placed(name, problem))
    if len(found) > _MOST_WARNINGS:
        session.warn(f"{name}: and {len(found) - _MOST_WARNINGS} warnings more")


async def network_define(session: Session, args: Arguments) -> int:
    """Put a network into the store, or change its definition."""
    connection = await session.connection()
    text = text_of(session.documents[0])
    problems = await connection.validate(text)
    info = await connection.define(text)
    session.tell(told_pending(f"Network {info.name} defined from {_source(args)}", info), info)
    warn_of(session, _source(args), problems)
    return 0


async def network_create(session: Session, args: Arguments) -> int:
    """Start a transient network: it is gone when it stops."""
    connection = await session.connection()
    text = text_of(session.documents[0])
    problems = await connection.validate(text)
    info = await connection.create(text)
    session.tell(f"Network {info.name} created from {_source(args)}", info)
    warn_of(session, _source(args), problems)
    return 0


def _source(args: Arguments) -> str:
    name = args.text("file")
    return "the command line" if name.lstrip().startswith("<") else name


async def network_undefine(session: Session, args: Arguments) -> int:
    """Remove a definition; a network that runs goes on until it is stopped."""
    connection = await session.connection()
    info = await connection.network(args.text("network"))
    await connection.undefine(info.uuid)
    session.tell(f"Network {info.name} has been undefined", info)
    return 0


async def network_autostart(session: Session, args: Arguments) -> int:
    """Let a network start with the host, or no longer."""
    connection = await session.connection()
    on = not args.flag("disable")
    info = await connection.set_autostart(args.text("network"), on)
    session.tell(f"Network {info.name} {'marked' if on else 'unmarked'} as autostarted", info)
    return 0


async def network_validate(session: Session, args: Arguments) -> int:
    """Tell everything that is wrong with documents; needs no rights, and no daemon."""
    from vnet_tui.engine.engine import Engine

    results = []
    async with Engine(session.paths) as engine:
        for name, document in zip(args.texts("file"), session.documents, strict=True):
            if isinstance(document, VnetError):
                problems: tuple[Problem, ...] = (Problem(message=str(document)),)
            else:
                problems = await engine.validate(document)
            valid = all(problem.severity is not Severity.ERROR for problem in problems)
            results.append({"file": name, "valid": valid, "problems": problems})
            if not session.json:
                for problem in problems:
                    session.warn(_placed(name, problem))
                if valid and not session.quiet:
                    print(f"{name} describes a network")
    if session.json:
        session.data(results)
    return 0 if all(result["valid"] for result in results) else 1


def _placed(name: str, problem: Problem) -> str:
    """A problem as compilers tell it, so that editors find the place."""
    place = [name, *(str(number) for number in (problem.line, problem.column) if number)]
    remedy = f" ({problem.remedy})" if problem.remedy else ""
    if not problem.line:
        return f"{problem.severity}: {problem.message}{remedy}"
    return f"{':'.join(place)}: {problem.severity}: {problem.message}{remedy}"
