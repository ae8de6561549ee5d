"""``virNetwork``: one network of a connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from vnet_tui.virnet import constants as c
from vnet_tui.virnet.errors import failure

if TYPE_CHECKING:
    from vnet_tui.client.connection import Connection
    from vnet_tui.engine.views import Lease, NetworkInfo
    from vnet_tui.virnet.connect import virConnect


class virNetwork:
    """A network, defined or running. All methods block, and raise libvirtError."""

    def __init__(self, conn: virConnect, uuid: UUID, name: str) -> None:
        self._conn = conn
        self._uuid = uuid
        self._name = name

    def __repr__(self) -> str:
        return f"<virNetwork {self._name!r} {self._uuid}>"

    # What it is

    def connect(self) -> virConnect:
        """The connection that it came from."""
        return self._conn

    def name(self) -> str:
        """Its name."""
        return self._name

    def UUID(self) -> bytes:
        """Its UUID, as sixteen bytes."""
        return self._uuid.bytes

    def UUIDString(self) -> str:
        """Its UUID, with dashes."""
        return str(self._uuid)

    def ID(self) -> int:
        """Its id while it runs; else -1, as a domain's."""
        id_ = self._info().id
        return -1 if id_ is None else id_

    def XMLDesc(self, flags: int = 0) -> str:
        """Its document: as it runs, or with ``VIR_NETWORK_XML_INACTIVE`` as it is defined."""
        self._conn.check_flags(flags, c.VIR_NETWORK_XML_INACTIVE)
        inactive = bool(flags & c.VIR_NETWORK_XML_INACTIVE)
        return self._conn.ask(lambda connection: connection.xml(self._uuid, inactive=inactive))

    def isActive(self) -> int:
        """1 while it runs."""
        return int(self._info().active)

    def isPersistent(self) -> int:
        """1 where it is defined."""
        return int(self._info().persistent)

    def autostart(self) -> int:
        """1 where it starts with the host."""
        return int(self._info().autostart)

    def bridgeName(self) -> str:
        """Its bridge; libvirtError where it doesn't run."""
        bridge = self._info().bridge
        if bridge is None:
            message = f"network '{self._name}' does not run, and has no bridge"
            raise failure(c.VIR_ERR_OPERATION_INVALID, c.VIR_FROM_NETWORK, message)
        return bridge

    def DHCPLeases(self, mac: str | None = None, flags: int = 0) -> list[dict[str, Any]]:
        """Its leases, or those of one MAC, each with the keys that libvirt's bindings give:
        ``iface``, ``expirytime`` (seconds since 1970, 0: never), ``type``, ``mac``, ``iaid``,
        ``ipaddr``, ``prefix``, ``hostname``, ``clientid``."""
        self._conn.check_flags(flags, 0)
        info = self._info()
        leases = self._conn.ask(lambda connection: connection.leases(self._uuid))
        wanted = mac and mac.lower()
        return [_lease(lease, info) for lease in leases if wanted in (None, lease.mac.lower())]

    # What can be done with it

    def create(self) -> int:
        """Start it. 0."""
        self._conn.change(lambda connection: connection.start([self._uuid]))
        return 0

    def destroy(self) -> int:
        """Stop it; a transient one is gone then. 0."""
        self._conn.change(lambda connection: connection.stop([self._uuid]))
        return 0

    def undefine(self) -> int:
        """Take its definition from the store; while it runs it is transient from then on. 0."""
        self._conn.change(lambda connection: connection.undefine(self._uuid))
        return 0

    def setAutostart(self, autostart: int) -> int:
        """Let it start with the host, or no longer. 0."""
        self._conn.change(lambda connection: connection.set_autostart(self._uuid, bool(autostart)))
        return 0

    def update(self, command: int, section: int, parentIndex: int, xml: str, flags: int = 0) -> int:
        """Add, change or delete one element, as our documents spell it. 0.

        ``command`` is one of ``VIR_NETWORK_UPDATE_COMMAND_*``, ``section`` of
        ``VIR_NETWORK_SECTION_*``; ``parentIndex`` says in which ``<ip>`` a range stands, -1:
        wherever its subnet is. ``flags``: ``VIR_NETWORK_UPDATE_AFFECT_LIVE``, ``…_CONFIG``, both,
        or ``…_CURRENT``: how it runs if it runs, else how it is defined.
        """
        self._conn.check_flags(
            flags, c.VIR_NETWORK_UPDATE_AFFECT_LIVE | c.VIR_NETWORK_UPDATE_AFFECT_CONFIG
        )
        if command not in _COMMANDS or section not in _SECTIONS:
            message = f"there is no update command {command} in a section {section}"
            raise failure(c.VIR_ERR_INVALID_ARG, c.VIR_FROM_NETWORK, message)

        async def edited(connection: Connection) -> NetworkInfo:
            from vnet_tui.client.edits import edit, scope
            from vnet_tui.engine.sections import updated

            info = await connection.network(self._uuid)
            meant = scope(
                info,
                live=bool(flags & c.VIR_NETWORK_UPDATE_AFFECT_LIVE),
                config=bool(flags & c.VIR_NETWORK_UPDATE_AFFECT_CONFIG),
            )
            what, where = _COMMANDS[command], _SECTIONS[section]
            # Elements of other sections have one place; scripts give 0 or -1 for that.
            index = parentIndex if where == "ip-dhcp-range" else -1
            return await edit(
                connection,
                info.uuid,
                lambda network: updated(network, what, where, xml, index),
                meant,
            )

        self._conn.change(edited)
        return 0

    def _info(self) -> NetworkInfo:
        return self._conn.ask(lambda connection: connection.network(self._uuid))


_COMMANDS = {
    c.VIR_NETWORK_UPDATE_COMMAND_MODIFY: "modify",
    c.VIR_NETWORK_UPDATE_COMMAND_DELETE: "delete",
    c.VIR_NETWORK_UPDATE_COMMAND_ADD_LAST: "add-last",
    c.VIR_NETWORK_UPDATE_COMMAND_ADD_FIRST: "add-first",
}

_SECTIONS = {
    c.VIR_NETWORK_SECTION_BRIDGE: "bridge",
    c.VIR_NETWORK_SECTION_DOMAIN: "domain",
    c.VIR_NETWORK_SECTION_IP: "ip",
    c.VIR_NETWORK_SECTION_IP_DHCP_HOST: "ip-dhcp-host",
    c.VIR_NETWORK_SECTION_IP_DHCP_RANGE: "ip-dhcp-range",
    c.VIR_NETWORK_SECTION_FORWARD: "forward",
    c.VIR_NETWORK_SECTION_FORWARD_INTERFACE: "forward-interface",
    c.VIR_NETWORK_SECTION_FORWARD_PF: "forward-pf",
    c.VIR_NETWORK_SECTION_PORTGROUP: "portgroup",
    c.VIR_NETWORK_SECTION_DNS_HOST: "dns-host",
    c.VIR_NETWORK_SECTION_DNS_TXT: "dns-txt",
    c.VIR_NETWORK_SECTION_DNS_SRV: "dns-srv",
}


def _lease(lease: Lease, info: NetworkInfo) -> dict[str, Any]:
    v4 = lease.address.version == 4
    subnets = (interface.network for interface in info.addresses)
    prefix = next((net.prefixlen for net in subnets if lease.address in net), 32 if v4 else 128)
    return {
        "iface": info.bridge,
        "expirytime": 0 if lease.expires is None else int(lease.expires),
        "type": c.VIR_IP_ADDR_TYPE_IPV4 if v4 else c.VIR_IP_ADDR_TYPE_IPV6,
        "mac": lease.mac,
        "iaid": None,
        "ipaddr": str(lease.address),
        "prefix": prefix,
        "hostname": lease.name or None,
        "clientid": lease.client_id or None,
    }
