"""What a list shows of a network, read from its document without reading the rest.

For stores with thousands of definitions, of which most are only listed.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_interface
from typing import TYPE_CHECKING

from vnet_tui.engine.errors import DocumentError
from vnet_tui.engine.model import Interface, Mode, Network
from vnet_tui.engine.xml import values
from vnet_tui.engine.xml.source import decode

if TYPE_CHECKING:
    from vnet_tui.engine.xml.tree import Xml


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A network in a list: see the properties of :class:`~vnet_tui.engine.model.Network`."""

    name: str
    title: str = ""
    mode: Mode = Mode.ISOLATED
    addresses: tuple[Interface, ...] = ()

    @classmethod
    def of(cls, network: Network) -> Summary:
        """That of a network that was read whole."""
        return cls(
            name=network.name,
            title=network.title or "",
            mode=network.mode,
            addresses=tuple(ip.interface for ip in network.ips),
        )


def summarize(document: str | bytes) -> Summary:
    """The summary of a document that was accepted before.

    Of one that wasn't, faults outside of what is shown go unnoticed. Raises
    :class:`~vnet_tui.engine.errors.DocumentError` for the others.
    """
    from vnet_tui.engine.xml import tree

    root = tree.tree(decode(document))
    if root.tag != "network":
        raise DocumentError("the document isn't about a network", [])
    forwarding = root.find("forwarding")
    try:
        return Summary(
            name=_text(root, "name"),
            title=_text(root, "title"),
            mode=Mode.ISOLATED if forwarding is None else _mode(forwarding),
            addresses=tuple(_address(ip) for ip in root.iterfind("dhcp/ip")),
        )
    except ValueError as error:
        raise DocumentError(
            f"what a list shows of the network can't be read: {error}", []
        ) from error


def _text(root: Xml, tag: str) -> str:
    element = root.find(tag)
    if element is None:
        return ""
    return values.trimmed("".join([element.text or "", *(child.tail or "" for child in element)]))


def _mode(forwarding: Xml) -> Mode:
    if not values.boolean(forwarding.get("enabled", "true")):
        return Mode.ISOLATED
    return Mode(values.trimmed(forwarding.get("mode", Mode.NAT)))


def _address(ip: Xml) -> Interface:
    address = values.address(ip.get("address", ""))
    netmask = ip.get("netmask")
    prefix = values.netmask(netmask) if netmask else values.prefix(ip.get("prefix", ""))
    return ip_interface((str(address), prefix))
