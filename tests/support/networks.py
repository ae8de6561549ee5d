"""Networks for tests, made small: say only what the test is about."""

from __future__ import annotations

from uuid import UUID, uuid5

from vnet_tui.engine.model import Network
from vnet_tui.engine.resources import RunRecord
from vnet_tui.engine.xml import parse, write

_SPACE = UUID("a9b1c3d5-0000-4000-8000-000000000000")


def document(name: str, *parts: str, address: str = "10.1.0.1", forwarding: str = "nat") -> str:
    """A network's document with a stable UUID: one /24 with a range, and whatever is added."""
    base = address.rsplit(".", 1)[0]
    mode = (
        '<forwarding enabled="false"/>'
        if forwarding == "isolated"
        else f'<forwarding mode="{forwarding}"/>'
    )
    return "\n".join(
        [
            f"<network><name>{name}</name><uuid>{uuid5(_SPACE, name)}</uuid>",
            f'<bridge name="vn-{name}"/>',
            f'<dhcp><ip address="{address}" prefix="24"',
            f'  start="{base}.100" end="{base}.200"/></dhcp>',
            mode if not any("<forwarding" in part for part in parts) else "",
            *parts,
            "</network>",
        ]
    )


def network(name: str, *parts: str, address: str = "10.1.0.1", forwarding: str = "nat") -> Network:
    """The same, parsed."""
    return parse(document(name, *parts, address=address, forwarding=forwarding))


def record(network: Network, id_: int = 1) -> RunRecord:
    """A record of that network running."""
    if network.uuid is None:
        raise ValueError("a running network has a UUID")
    return RunRecord(
        uuid=network.uuid, name=network.name, id=id_, started=1.0, definition=write(network)
    )
