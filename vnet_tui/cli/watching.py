"""The commands that tell what happens, and what happened."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, cast

from vnet_tui.cli.arguments import Arguments
from vnet_tui.cli.session import Session
from vnet_tui.engine.errors import VnetError
from vnet_tui.engine.views import Event, EventKind

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from uuid import UUID

    from vnet_tui.client.connection import Connection

LIFECYCLE = "lifecycle"
"""virsh's name for what these kinds are."""

_LIFECYCLE = (EventKind.DEFINED, EventKind.UNDEFINED, EventKind.STARTED, EventKind.STOPPED)

KINDS = (LIFECYCLE, *(kind.value for kind in EventKind))

_AGE = re.compile(r"(\d{1,9})\s*([smhd])")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}

Filter = Callable[[Event], bool]


async def network_event(session: Session, args: Arguments) -> int:
    """Wait for what happens, as virsh's net-event does; any kind unless one is given."""
    if args.flag("list"):
        session.show("\n".join(KINDS), KINDS)
        return 0
    connection = await session.connection(watch=True)
    events = connection.events()
    wanted = _filter(args.text("event"), await _network(connection, args))
    received = 0
    try:
        async with asyncio.timeout(args.number("timeout")):
            async for event in _only(events, wanted):
                received += 1
                session.line(_in_virsh_s_words(event, stamped=args.flag("timestamp")), event)
                if not args.flag("loop"):
                    break
    except TimeoutError:
        session.tell_extra("event loop timed out")
    session.tell_extra(f"events received: {received}")
    return 0 if received else 1


async def network_log(session: Session, args: Arguments) -> int:
    """Tell what happened, and with --follow what happens."""
    since = moment(args.text("since"), datetime.now().astimezone()) if args.given("since") else None
    follow = args.flag("follow")
    connection = await session.connection(watch=follow)
    network = await _network(connection, args)
    wanted = _filter(args.text("event"), network)
    coming = connection.events() if follow else None
    past = await connection.past_events(network)
    for event in past:
        if wanted(event) and (since is None or event.time >= since):
            session.line(_line(event), event)
    if coming is not None:
        told = set(past[-100:])
        async for event in _only(coming, wanted):
            if event not in told:  # it came between asking for what comes and for what was
                session.line(_line(event), event)
    return 0


async def _network(connection: Connection, args: Arguments) -> UUID | None:
    name = args.text("network")
    return (await connection.network(name)).uuid if name else None


async def _only(events: AsyncIterator[Event], wanted: Filter) -> AsyncIterator[Event]:
    async with aclosing(cast("AsyncGenerator[Event]", events)):
        async for event in events:
            if wanted(event):
                yield event


def _filter(kind: str, network: UUID | None) -> Filter:
    if kind and kind not in KINDS:
        raise VnetError(f"there are no events of the kind {kind!r}", "network-event --list")
    kinds = _LIFECYCLE if kind == LIFECYCLE else (EventKind(kind),) if kind else tuple(EventKind)

    def wanted(event: Event) -> bool:
        return event.kind in kinds and network in (None, event.network)

    return wanted


def _in_virsh_s_words(event: Event, *, stamped: bool) -> str:
    lifecycle = event.kind in _LIFECYCLE
    kind = LIFECYCLE if lifecycle else event.kind.value
    what = event.kind.value.capitalize() if lifecycle else event.message
    where = f" for network {event.name}" if event.name else ""
    stamp = f"{event.time.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}"[:-3] + "+0000: "
    return f"{stamp if stamped else ''}event '{kind}'{where}: {what}"


def _line(event: Event) -> str:
    when = f"{event.time.astimezone():%Y-%m-%d %H:%M:%S}"
    return f"{when}  {event.name or '-':<12} {event.kind.value:<14} {event.message}"


def moment(text: str, now: datetime) -> datetime:
    """A moment as people write it: an age (``10m``), a time of today, a date, or both.

    Raises :class:`~vnet_tui.engine.errors.VnetError`.
    """
    if age := _AGE.fullmatch(text.strip()):
        return now - timedelta(seconds=int(age[1]) * _UNITS[age[2]])
    for candidate in (text.strip(), f"{now:%Y-%m-%d}T{text.strip()}"):
        try:
            found = datetime.fromisoformat(candidate)
        except ValueError:
            continue
        return found if found.tzinfo else found.replace(tzinfo=now.tzinfo)
    raise VnetError(
        f"{text!r} is no time", "an age like 90s, 10m, 2h or 3d, a time like 14:30, or a date"
    )
