"""The commands that examine the host: the doctor, who reaches whom, which subnet is free."""

from __future__ import annotations

from vnet_tui.cli.arguments import Arguments
from vnet_tui.cli.session import Session
from vnet_tui.engine.errors import Severity, VnetError


async def network_doctor(session: Session, args: Arguments) -> int:
    """Tell what stands in a network's way, and the commands that open it."""
    findings = await (await session.connection()).doctor(args.text("network"))
    lines = []
    for finding in findings:
        lines.append(f"{finding.severity}: {finding}")
        lines += [f"    # {command}" for command in finding.command.splitlines()]
    session.show("\n".join(lines) or "Nothing stands in its way", findings)
    return 1 if any(finding.severity is Severity.ERROR for finding in findings) else 0


async def network_explain(session: Session, args: Arguments) -> int:
    """Tell whether one machine reaches another, and who decides it."""
    from vnet_tui.engine.doctor.explain import Answer, Query

    family = args.whole("family")
    if family not in (None, 4, 6):
        raise VnetError(f"--family {family}: 4 or 6")
    query = Query(
        network=args.text("network"),
        source=args.text("from"),
        target=args.text("to"),
        protocol=args.text("protocol") or "tcp",
        port=args.whole("port"),
        family=family,
    )
    explanation = await (await session.connection()).explain(query)
    text = "\n".join([str(explanation), *(f"    {step}" for step in explanation.steps)])
    session.show(text, explanation)
    return 0 if explanation.answer is Answer.YES else 1


async def network_suggest_subnet(session: Session, args: Arguments) -> int:
    """Print a private subnet that nothing on the host uses."""
    ipv6, prefix = args.flag("ipv6"), args.whole("prefix")
    if prefix is None:
        prefix = 64 if ipv6 else 24
    subnet = await (await session.connection()).suggest_subnet(prefix, 6 if ipv6 else 4)
    session.show(str(subnet), subnet)
    return 0
