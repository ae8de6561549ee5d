"""The commands that look: what networks there are, what they are, who is on them."""

from __future__ import annotations

import time

from vnet_tui.cli.arguments import Arguments
from vnet_tui.cli.session import Session
from vnet_tui.cli.table import table
from vnet_tui.engine.errors import VnetError
from vnet_tui.engine.network_info import NetworkInfo


def _listed(info: NetworkInfo, args: Arguments) -> bool:
    """Whether a network is one of those that were asked for."""
    if not args.flag("all") and info.active is args.flag("inactive"):
        return False
    wanted = (
        ("persistent", info.persistent),
        ("transient", not info.persistent),
        ("autostart", info.autostart),
        ("no_autostart", not info.autostart),
        ("id", info.id is not None),
    )
    return all(holds for flag, holds in wanted if args.flag(flag))


async def network_list(session: Session, args: Arguments) -> int:
    """List networks: those that run, unless told otherwise."""
    connection = await session.connection()
    infos = [info for info in await connection.networks() if _listed(info, args)]
    for what in ("name", "uuid", "id"):
        if args.flag(what):
            values = [getattr(info, what) for info in infos]
            session.show("\n".join(map(str, values)), values)
            return 0
    rows = [
        [
            info.name,
            state_of(info),
            "yes" if info.autostart else "no",
            "yes" if info.persistent else "no",
        ]
        for info in infos
    ]
    head = ["Name", "State", "Autostart", "Persistent"]
    session.show(table(head, rows, quiet=session.quiet), infos)
    for damaged in await connection.damaged():
        session.warn(f"warning: {damaged}")
    return 0


def state_of(info: NetworkInfo) -> str:
    """The state in one word, as virsh has it: a definition that doesn't run is inactive."""
    return info.state.value if info.active else "inactive"


def _yes(on: bool) -> str:
    return "yes" if on else "no"


async def network_info(session: Session, args: Arguments) -> int:
    """What there is to say of a network in a few lines; the first ones are virsh's."""
    connection = await session.connection()
    info = await connection.network(args.text("network"))
    lines = {
        "Name": info.name,
        "UUID": str(info.uuid),
        "Active": _yes(info.active),
        "Persistent": _yes(info.persistent),
        "Autostart": _yes(info.autostart),
        "Bridge": info.bridge or "",
        "Id": "" if info.id is None else str(info.id),
        "State": state_of(info) + (f" ({info.note})" if info.note else ""),
        "Mode": info.mode.value,
        "Addresses": ", ".join(map(str, info.addresses)),
        "Title": info.title,
        "Started": "" if info.started is None else _moment(info.started),
        "Pending": "another definition, see: vnet network-plan" if info.pending else "",
    }
    text = "\n".join(f"{label + ':':<15} {value}" for label, value in lines.items() if value)
    session.show(text, info)
    return 0


async def network_name(session: Session, args: Arguments) -> int:
    """A network's name, by its UUID or id."""
    name = (await (await session.connection()).network(args.text("network"))).name
    session.show(name, name)
    return 0


async def network_uuid(session: Session, args: Arguments) -> int:
    """A network's UUID, by its name or id."""
    uuid = (await (await session.connection()).network(args.text("network"))).uuid
    session.show(str(uuid), uuid)
    return 0


async def network_dumpxml(session: Session, args: Arguments) -> int:
    """A network's document, or what an XPath expression finds in it."""
    connection = await session.connection()
    text = await connection.xml(args.text("network"), inactive=args.flag("inactive"))
    if args.given("xpath"):
        text = _found(text, args.text("xpath"), wrap=args.flag("wrap"))
    session.show(text.rstrip("\n"), text)
    return 0


def _found(document: str, expression: str, *, wrap: bool) -> str:
    from lxml import etree

    root = etree.fromstring(document.encode())
    try:
        found = root.xpath(expression)
    except etree.XPathError as error:
        raise VnetError(f"--xpath {expression!r}: {error}") from error
    nodes = found if isinstance(found, list) else [found]
    texts = [
        etree.tostring(node, encoding="unicode", with_tail=False)
        if isinstance(node, etree._Element)
        else str(node)
        for node in nodes
    ]
    if not texts:
        raise VnetError(f"--xpath {expression!r} finds nothing")
    return "\n".join(["<nodes>", *texts, "</nodes>"] if wrap else texts)


async def network_dhcp_leases(session: Session, args: Arguments) -> int:
    """Who leases which address, as virsh prints it."""
    connection = await session.connection()
    info = await connection.network(args.text("network"))
    leases = await connection.leases(info.uuid)
    if mac := args.text("mac").lower():
        leases = tuple(lease for lease in leases if lease.mac == mac)
    head = ["Expiry Time", "MAC address", "Protocol", "IP address", "Hostname"]
    rows = []
    for lease in leases:
        within = [one for one in info.addresses if lease.address in one.network]
        prefix = f"/{within[0].network.prefixlen}" if within else ""
        rows.append(
            [
                "never" if lease.expires is None else _moment(lease.expires),
                lease.mac or "-",
                f"ipv{lease.address.version}",
                f"{lease.address}{prefix}",
                lease.name or "-",
                lease.client_id or "-",
            ]
        )
    session.show(table([*head, "Client ID or DUID"], rows, quiet=session.quiet), leases)
    return 0


def _moment(seconds: float) -> str:
    """Seconds since 1970 as local date and time."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))


async def network_port_list(session: Session, args: Arguments) -> int:
    """What is plugged into a network, and which guest each is."""
    connection = await session.connection()
    guests = await connection.guests(args.text("network"))
    plugged = [guest for guest in guests if guest.port is not None]
    rows = [
        [
            guest.port or "-",
            guest.mac or "-",
            guest.name or "-",
            ", ".join(map(str, guest.addresses)) or "-",
        ]
        for guest in plugged
    ]
    session.show(
        table(["Port", "MAC address", "Guest", "Addresses"], rows, quiet=session.quiet), plugged
    )
    return 0
