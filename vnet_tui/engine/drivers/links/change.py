"""Making, changing and removing bridges, their addresses and ports, through pyroute2."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from pyroute2 import AsyncIPRoute
from pyroute2.netlink.exceptions import NetlinkError

from vnet_tui.engine.drivers.links.look import Look
from vnet_tui.engine.drivers.links.messages import CENTISECONDS, LinkMessage
from vnet_tui.engine.errors import DriverError
from vnet_tui.engine.model import Interface
from vnet_tui.engine.resources import BridgeSettings, BridgeSpec

_IFA_F_NODAD = 0x02  # include/uapi/linux/if_addr.h
_MAX_MTU = 65535  # ETH_MAX_MTU
_STP_DELAY = range(2, 31)  # BR_MIN_FORWARD_DELAY to BR_MAX_FORWARD_DELAY, in seconds


class Change:
    """Blocking requests to change the network namespace of the thread that makes it.

    To be used in that thread only. Each method is one request, or puts back what it did when a
    later part fails. Errors are :class:`~vnet_tui.engine.errors.DriverError`.
    """

    def __init__(self, look: Look) -> None:
        self._look = look
        self._runner = asyncio.Runner()
        self._route = AsyncIPRoute(ext_ack=True)

    def close(self) -> None:
        """Let go of the socket."""
        self._route.close()
        self._runner.close()

    def create_bridge(self, spec: BridgeSpec) -> None:
        """Make a bridge, down. Fails if an interface of that name exists.

        The MTU is one byte off until :meth:`mark_bridge` sets it: a bridge whose MTU was never
        changed takes that of its smallest port (``br_mtu_auto_adjust`` in
        ``net/bridge/br_if.c``), and what a document says has to stand.
        """
        settings = spec.settings
        what = f"creating bridge {spec.name}"
        _check(what, settings)
        with _asked(what):
            self._link(
                "add",
                ifname=spec.name,
                kind="bridge",
                address=settings.mac,
                mtu=settings.mtu + (1 if settings.mtu < _MAX_MTU else -1),
                **_options(settings),
            )

    def mark_bridge(self, spec: BridgeSpec) -> None:
        """Put the mark on a bridge that was just made, fix its MTU, and bring it up."""
        what = f"bringing bridge {spec.name} up"
        link = self._find(what, spec.name)
        with _asked(what):
            self._link(
                "set", index=link.index, ifalias=spec.mark, mtu=spec.settings.mtu, state="up"
            )

    def delete_bridge(self, name: str) -> None:
        """Delete a bridge; that it is gone already is fine, that it is no bridge is not."""
        what = f"deleting bridge {name}"
        link = self._look.link(name)
        if link is None:
            return
        if link.kind != "bridge":
            raise DriverError(f"{what}: it is no bridge but {link.kind or 'a physical interface'}")
        with _asked(what, tolerate=errno.ENODEV):
            self._link("del", index=link.index)

    def raise_bridge(self, name: str) -> None:
        """Bring a bridge up."""
        what = f"bringing bridge {name} up"
        link = self._find(what, name)
        with _asked(what):
            self._link("set", index=link.index, state="up")

    def change_bridge(self, name: str, before: BridgeSettings, after: BridgeSettings) -> None:
        """Change what differs between the settings; all of it, or nothing."""
        what = f"changing bridge {name}"
        _check(what, after)
        link = self._find(what, name)
        try:
            with _asked(what):
                self._set(link.index, before, after)
        except DriverError:
            with suppress(NetlinkError):
                self._set(link.index, after, before)
            raise

    def _set(self, index: int, before: BridgeSettings, after: BridgeSettings) -> None:
        attributes: dict[str, Any] = {}
        if after.mac != before.mac:
            attributes["address"] = after.mac
        if after.mtu != before.mtu:
            attributes["mtu"] = after.mtu
        if (after.stp, after.forward_delay) != (before.stp, before.forward_delay):
            attributes |= _options(after)
        if before.stp and not after.stp:
            # The kernel looks at the delay first, and while STP is on refuses one below 2 s.
            self._link("set", index=index, kind="bridge", br_stp_state=0)
        if attributes:
            self._link("set", index=index, kind="bridge", **attributes)

    def attach(self, bridge: str, ports: tuple[str, ...]) -> None:
        """Make interfaces ports of a bridge; all of them, or none.

        Passed over are those that are gone, and those that others made ports of something else.
        """
        master = self._find(f"attaching ports to bridge {bridge}", bridge).index
        attached = []
        try:
            for name in ports:
                port = self._look.link(name)
                if port is None or port.master:
                    continue
                with _asked(f"attaching {name} to bridge {bridge}", tolerate=errno.ENODEV):
                    self._link("set", index=port.index, master=master)
                    attached.append(port.index)
        except DriverError:
            for index in attached:
                with suppress(NetlinkError):
                    self._link("set", index=index, master=0)
            raise

    def plug(self, bridge: str, tap: str, mtu: int) -> None:
        """Make an interface a port of a bridge, up, with an MTU; taken from another bridge if need
        be. One request."""
        what = f"plugging {tap} into bridge {bridge}"
        master, port = self._find(what, bridge).index, self._find(what, tap).index
        with _asked(what):
            self._link("set", index=port, master=master, mtu=mtu, state="up")

    def add_address(self, bridge: str, address: Interface) -> None:
        """Give the host an address on a bridge; that it is there already is fine.

        IPv6: without duplicate address detection, which would keep the address tentative for as
        long as the bridge has no port (RFC 4862, section 5.4).
        """
        what = f"adding address {address} to {bridge}"
        link = self._find(what, bridge)
        extra: dict[str, Any] = {}
        if address.version == 6:
            extra["flags"] = _IFA_F_NODAD
        elif address.network.prefixlen < 31:
            extra["broadcast"] = str(address.network.broadcast_address)
        with _asked(what, tolerate=errno.EEXIST):
            self._address("add", link.index, address, **extra)

    def remove_address(self, bridge: str, address: Interface) -> None:
        """Take an address from a bridge; that it, or the bridge, is gone is fine."""
        link = self._look.link(bridge)
        if link is not None:
            what = f"removing address {address} from {bridge}"
            with _asked(what, tolerate=errno.EADDRNOTAVAIL):
                self._address("del", link.index, address)

    def _find(self, what: str, name: str) -> LinkMessage:
        link = self._look.link(name)
        if link is None:
            raise DriverError(f"{what}: there is no interface {name}")
        return link

    def _link(self, command: str, **attributes: Any) -> None:
        self._runner.run(self._route.link(command, **attributes))

    def _address(self, command: str, index: int, address: Interface, **attributes: Any) -> None:
        self._runner.run(
            self._route.addr(
                command,
                index=index,
                address=str(address.ip),
                prefixlen=address.network.prefixlen,
                **attributes,
            )
        )


def _options(settings: BridgeSettings) -> dict[str, int]:
    return {
        "br_stp_state": int(settings.stp),
        "br_forward_delay": settings.forward_delay * CENTISECONDS,
    }


def _check(what: str, settings: BridgeSettings) -> None:
    """Refuse what the kernel would change without a word: it raises a small delay to 2 s."""
    if settings.stp and settings.forward_delay not in _STP_DELAY:
        raise DriverError(
            f"{what}: with spanning tree on, the forward delay can't be {settings.forward_delay} s",
            f"use {_STP_DELAY[0]} to {_STP_DELAY[-1]} s, or switch spanning tree off",
        )


@contextmanager
def _asked(what: str, tolerate: int = 0) -> Iterator[None]:
    """Tell a refusal of the kernel with what was asked; the number ``tolerate`` is none."""
    try:
        yield
    except NetlinkError as error:
        if error.code == tolerate:
            return
        said = os.strerror(error.code)
        detail = error.args[1]
        raise DriverError(f"{what}: {said}" + (f": {detail}" if detail != said else "")) from error
