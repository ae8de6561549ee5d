"""The commands that change what runs, and that tell what a change would do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from vnet_tui.cli.arguments import Arguments
from vnet_tui.cli.defining import warn_of
from vnet_tui.cli.documents import text_of
from vnet_tui.cli.session import Session
from vnet_tui.engine.views import Disturbance, NetworkInfo, Preview, Verb

if TYPE_CHECKING:
    from vnet_tui.client.connection import Connection

SOMETHING_TO_DO = 2
"""The exit status of network-plan where a plan isn't empty."""


async def network_start(session: Session, args: Arguments) -> int:
    """Start defined networks, as one batch."""
    connection = await session.connection()
    infos = await connection.start(args.texts("network"))
    session.tell(_each(infos, "started"), infos)
    await _warn(session, connection, infos)
    return 0


async def network_stop(session: Session, args: Arguments) -> int:
    """Stop running networks, as one batch."""
    return await _stop(session, args, "stopped")


async def network_destroy(session: Session, args: Arguments) -> int:
    """The same in virsh's words."""
    return await _stop(session, args, "destroyed")


async def _stop(session: Session, args: Arguments, done: str) -> int:
    connection = await session.connection()
    infos = [await connection.network(ref) for ref in args.texts("network")]
    infos = list({info.uuid: info for info in infos}.values())
    await connection.stop([info.uuid for info in infos])
    session.tell(_each(infos, done), infos)
    return 0


async def network_restart(session: Session, args: Arguments) -> int:
    """Make running networks anew from their definitions; guests stay attached."""
    infos = await (await session.connection()).restart(args.texts("network"))
    session.tell(_each(infos, "restarted"), infos)
    return 0


async def network_apply(session: Session, args: Arguments) -> int:
    """Bring running networks to their definitions, each with the smallest plan."""
    connection = await session.connection()
    infos = [await connection.apply(ref) for ref in args.texts("network")]
    session.tell("\n".join(f"Network {info.name} is as defined" for info in infos), infos)
    await _warn(session, connection, infos)
    return 0


async def _warn(session: Session, connection: Connection, infos: Sequence[NetworkInfo]) -> None:
    """Tell what deserves a look in networks that run now; lines are those of their definitions."""
    for info in infos:
        warn_of(session, info.name, await connection.warnings(info.uuid))


def _each(infos: list[NetworkInfo] | tuple[NetworkInfo, ...], done: str) -> str:
    return "\n".join(f"Network {info.name} {done}" for info in infos)


async def network_plan(session: Session, args: Arguments) -> int:
    """Tell what a change would do, and change nothing."""
    connection = await session.connection()
    plans: list[tuple[str, str, Preview]] = []
    if args.given("file"):
        preview = await connection.plan_document(text_of(session.documents[0]))
        plans.append((args.text("file"), "run", preview))
    asked = args.texts("network")
    if asked or not plans:
        chosen = (
            [await connection.network(ref) for ref in asked]
            if asked
            else [info for info in await connection.networks() if info.active or args.given("verb")]
        )
        for info in {info.uuid: info for info in chosen}.values():
            verb = _verb(args, info)
            plans.append((info.name, verb, await connection.plan(verb, [info.uuid])))
    values = [
        {
            "network": name,
            "verb": verb,
            "disturbs": preview.disturbs if preview else None,
            "steps": preview.steps,
        }
        for name, verb, preview in plans
    ]
    session.show("\n".join(_plan(*plan) for plan in plans), values)
    return SOMETHING_TO_DO if any(preview for _, _, preview in plans) else 0


def _verb(args: Arguments, info: NetworkInfo) -> Verb:
    match args.text("verb"):
        case "start" | "stop" | "restart" | "apply" as verb:
            return verb
    return "apply" if info.active else "start"


def _plan(name: str, verb: str, preview: Preview) -> str:
    if not preview:
        return f"{verb} {name}: nothing to do"
    steps = [
        f"  {step.text}" + (f" ({step.disturbs})" if step.disturbs is not Disturbance.LIVE else "")
        for step in preview.steps
    ]
    count = "1 step" if len(steps) == 1 else f"{len(steps)} steps"
    return "\n".join([f"{verb} {name}: {count}, {preview.disturbs}", *steps])
