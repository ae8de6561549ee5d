"""What each command does: one function a command. Output is for people, and stable for scripts."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Awaitable, Callable

from vnet_tui.cli.documents import text_of
from vnet_tui.cli.table import table
from vnet_tui.client.local import LocalConnection
from vnet_tui.engine.errors import Severity, VnetError
from vnet_tui.engine.views import NetworkInfo

Command = Callable[[LocalConnection, Namespace], Awaitable[int]]


async def network_define(connection: LocalConnection, args: Namespace) -> int:
    """Put a network into the store, or change its definition."""
    info = await connection.define(text_of(args.documents[0]))
    print(f"Network {info.name} defined from {args.file}")
    if info.pending:
        print(
            "It runs on with its earlier definition; "
            f"'vnet network-apply {info.name}' brings it to the new one."
        )
    return 0


async def network_create(connection: LocalConnection, args: Namespace) -> int:
    """Start a transient network: it is gone when it stops."""
    info = await connection.create(text_of(args.documents[0]))
    print(f"Network {info.name} created from {args.file}")
    return 0


async def network_apply(connection: LocalConnection, args: Namespace) -> int:
    """Bring a running network to its definition with the smallest plan."""
    info = await connection.apply(args.network)
    print(f"Network {info.name} is as defined")
    return 0


def _listed(info: NetworkInfo, args: Namespace) -> bool:
    return bool(args.all) or info.active is not args.inactive


async def network_list(connection: LocalConnection, args: Namespace) -> int:
    """List networks: those that run, unless told otherwise."""
    infos = [info for info in await connection.networks() if _listed(info, args)]
    if args.name or args.uuid:
        for info in infos:
            print(info.name if args.name else info.uuid)
        return 0
    rows = [
        [
            str(info.id) if info.id is not None else "-",
            info.name,
            info.state.value if info.active else "inactive",
            "yes" if info.autostart else "no",
            "yes" if info.persistent else "no",
        ]
        for info in infos
    ]
    print(table(["Id", "Name", "State", "Autostart", "Persistent"], rows))
    for damaged in await connection.damaged():
        print(f"warning: {damaged}", file=sys.stderr)
    return 0


async def network_dumpxml(connection: LocalConnection, args: Namespace) -> int:
    """Print a network's document."""
    print(await connection.xml(args.network, inactive=args.inactive), end="")
    return 0


async def network_start(connection: LocalConnection, args: Namespace) -> int:
    """Start defined networks, as one batch."""
    for info in await connection.start(args.network):
        print(f"Network {info.name} started")
    return 0


async def network_stop(connection: LocalConnection, args: Namespace) -> int:
    """Stop running networks, as one batch."""
    names = [(await connection.network(ref)).name for ref in args.network]
    await connection.stop(args.network)
    for name in names:
        print(f"Network {name} stopped")
    return 0


async def network_restart(connection: LocalConnection, args: Namespace) -> int:
    """Make running networks anew from their definitions; guests stay attached."""
    for info in await connection.restart(args.network):
        print(f"Network {info.name} restarted")
    return 0


async def network_undefine(connection: LocalConnection, args: Namespace) -> int:
    """Remove a definition; a network that runs goes on until it is stopped."""
    info = await connection.network(args.network)
    await connection.undefine(args.network)
    print(f"Network {info.name} has been undefined")
    return 0


async def network_autostart(connection: LocalConnection, args: Namespace) -> int:
    """Let a network start with the host, or no longer."""
    info = await connection.set_autostart(args.network, not args.disable)
    print(f"Network {info.name} {'unmarked' if args.disable else 'marked'} as autostarted")
    return 0


async def network_validate(connection: LocalConnection, args: Namespace) -> int:
    """Tell everything that is wrong with documents; needs no rights."""
    wrong = 0
    for name, document in zip(args.file, args.documents, strict=True):
        if isinstance(document, VnetError):
            print(f"error: {document}", file=sys.stderr)
            wrong += 1
            continue
        problems = await connection.validate(document)
        for problem in problems:
            place = f"{name}:{problem.line}:{problem.column}" if problem.column else name
            if problem.line and not problem.column:
                place = f"{name}:{problem.line}"
            remedy = f" ({problem.remedy})" if problem.remedy else ""
            print(f"{place}: {problem.severity}: {problem.message}{remedy}", file=sys.stderr)
        if any(problem.severity is Severity.ERROR for problem in problems):
            wrong += 1
        else:
            print(f"{name} describes a network")
    return 1 if wrong else 0


async def network_doctor(connection: LocalConnection, args: Namespace) -> int:
    """Tell what stands in a network's way, and the commands that open it; 1 if anything does."""
    findings = await connection.doctor(args.network)
    for finding in findings:
        print(f"{finding.severity}: {finding}")
        for command in finding.command.splitlines():
            print(f"    # {command}")
    if not findings:
        print("Nothing stands in its way")
    return 1 if any(finding.severity is Severity.ERROR for finding in findings) else 0


async def network_explain(connection: LocalConnection, args: Namespace) -> int:
    """Tell whether one machine reaches another, and who decides it; 1 unless it does."""
    from vnet_tui.engine.doctor.explain import Answer, Query

    query = Query(
        network=args.network,
        source=args.source,
        target=args.target,
        protocol=args.protocol,
        port=args.port,
        family=args.family,
    )
    explanation = await connection.explain(query)
    print(explanation)
    for step in explanation.steps:
        print(f"    {step}")
    return 0 if explanation.answer is Answer.YES else 1


async def network_suggest_subnet(connection: LocalConnection, args: Namespace) -> int:
    """Print a private subnet that nothing on the host uses."""
    prefix = args.prefix if args.prefix is not None else (64 if args.ipv6 else 24)
    print(await connection.suggest_subnet(prefix, 6 if args.ipv6 else 4))
    return 0
