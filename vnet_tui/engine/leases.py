"""What dnsmasq has leased: its lease files, read and watched.

The format is that of dnsmasq's lease.c: a line a lease, ``expiry mac address name client-id``;
after a line ``duid ...`` those of DHCPv6, ``expiry iaid address name client-duid``. ``*`` stands
for what isn't known; an expiry of 0 never comes.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from vnet_tui.engine.errors import StoreError
from vnet_tui.engine.lease_names import recalled
from vnet_tui.engine.model import Address
from vnet_tui.engine.paths import Paths
from vnet_tui.engine.text import printable
from vnet_tui.engine.views import Lease

if TYPE_CHECKING:
    from asyncinotify import Event, Inotify

SETTLE_SECONDS = 0.005
"""dnsmasq empties its lease file and writes it anew in one go, which takes less than this."""

DOUBT_SECONDS = 0.1
"""How long to wait for more where the file is empty or ends within a line."""

_UNKNOWN = "*"
_FIELDS = 5
_SUFFIX = ".leases"
_ETHERNET = 1  # RFC 5342 and IANA's hardware types
_DUID_LLT, _DUID_LL = 1, 3  # RFC 8415, sections 11.2 and 11.4
_MAC_BYTES = 6


def parse_leases(text: str) -> tuple[Lease, ...]:
    """The leases in a lease file, ordered by address, IPv4 first.

    Lines that aren't leases are passed over: a guest must not be able to hide the others. Names
    and identifiers are made printable.
    """
    found = {}
    for line in text.split("\n"):
        if (lease := _lease(line.split(" "))) is not None:
            found[lease.address] = lease
    return tuple(found[address] for address in sorted(found, key=_order))


def read_leases(paths: Paths, network: UUID) -> tuple[Lease, ...]:
    """The leases of a network as its file says now; none where there is no file.

    One whose name another guest has taken since has it all the same, where an engine saw it.
    Raises :class:`~vnet_tui.engine.errors.StoreError` where the file can't be read: without its
    leases the network's forwards would lead nowhere.
    """
    path = paths.lease_file(network)
    try:
        data = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return ()
    except OSError as error:
        raise StoreError(f"can't read {path}: {error.strerror}") from error
    return recalled(paths, network, parse_leases(data.decode("utf-8", "replace")))


def _lease(fields: list[str]) -> Lease | None:
    if len(fields) < _FIELDS:
        return None
    expires, hardware, address, name, client = fields[:_FIELDS]
    try:
        where, until = ip_address(address), int(expires)
    except ValueError:
        return None
    mac = _mac_of_duid(client) if where.version == 6 else _mac(hardware)
    return Lease(
        address=where,
        mac=mac,
        name="" if name == _UNKNOWN else printable(name),
        expires=float(until) if until > 0 else None,
        client_id="" if client == _UNKNOWN else printable(client),
    )


def _mac(hardware: str) -> str:
    """The MAC of an Ethernet lease; dnsmasq puts ``06-`` and the like before other hardware."""
    octets = _octets(hardware)
    return ":".join(f"{octet:02x}" for octet in octets) if len(octets) == _MAC_BYTES else ""


def _mac_of_duid(duid: str) -> str:
    """The MAC that a DHCP unique identifier was made from, where it is of such a kind."""
    octets = _octets(duid)
    kind, hardware = octets[:2], octets[2:4]
    if int.from_bytes(hardware, "big") != _ETHERNET:
        return ""
    start = {_DUID_LLT: 8, _DUID_LL: 4}.get(int.from_bytes(kind, "big"))
    mac = octets[start:] if start else b""
    return ":".join(f"{octet:02x}" for octet in mac) if len(mac) == _MAC_BYTES else ""


def _octets(text: str) -> bytes:
    try:
        return bytes(int(part, 16) for part in text.split(":"))
    except ValueError:
        return b""


def _order(address: Address) -> tuple[int, int]:
    return address.version, int(address)


class LeaseWatch:
    """Tells of leases as soon as dnsmasq has written them. One inotify for all networks.

    >>> async with LeaseWatch(paths) as watch:  # doctest: +SKIP
    ...     async for network, leases in watch:
    ...         ...

    Iteration begins with the networks that have leases now. One reader at a time.
    """

    def __init__(self, paths: Paths) -> None:
        self._directory = paths.leases
        self._inotify: Inotify | None = None
        self._reading: asyncio.Future[Event] | None = None
        self._current: dict[UUID, tuple[Lease, ...]] = {}

    @property
    def current(self) -> Mapping[UUID, tuple[Lease, ...]]:
        """The leases of each network that has any, as last read."""
        return self._current

    async def __aenter__(self) -> LeaseWatch:
        from asyncinotify import Inotify, Mask

        self._directory.mkdir(parents=True, exist_ok=True)
        self._inotify = Inotify()
        self._inotify.add_watch(
            self._directory,
            Mask.MODIFY | Mask.CLOSE_WRITE | Mask.MOVED_TO | Mask.MOVED_FROM | Mask.DELETE,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.wait({self._reading})
            self._reading = None
        if self._inotify is not None:
            self._inotify.close()
            self._inotify = None

    async def __aiter__(self) -> AsyncIterator[tuple[UUID, tuple[Lease, ...]]]:
        if self._inotify is None:
            raise RuntimeError("a LeaseWatch is entered before it is read")
        # The watch stands before the first look, so that nothing is missed between them.
        changed = await asyncio.to_thread(self._files)
        while True:
            for network in sorted(changed):
                leases = parse_leases(await asyncio.to_thread(self._read, network))
                if leases != self._current.get(network, ()):
                    self._keep(network, leases)
                    yield network, leases
            changed = await self._changed(self._inotify)

    def _keep(self, network: UUID, leases: tuple[Lease, ...]) -> None:
        if leases:
            self._current[network] = leases
        else:
            self._current.pop(network, None)

    async def _changed(self, inotify: Inotify) -> set[UUID]:
        """The networks whose files changed, once all of them are whole again.

        A file that is being rewritten is empty first and may end within a line; one that stays
        so isn't waited for beyond :data:`DOUBT_SECONDS`.
        """
        from asyncinotify import Mask

        changed: set[UUID] = set()
        patience: float | None = None
        while True:
            event = await self._event(inotify, patience)
            if event is None:
                if patience == SETTLE_SECONDS and not await asyncio.to_thread(self._whole, changed):
                    patience = DOUBT_SECONDS
                    continue
                return changed
            if event.mask & Mask.Q_OVERFLOW:
                changed |= self._files() | set(self._current)
            elif (network := _network(Path(str(event.name)))) is not None:
                changed.add(network)
            if changed:
                patience = SETTLE_SECONDS

    async def _event(self, inotify: Inotify, seconds: float | None) -> Event | None:
        """The next event, or None after so long. The read goes on meanwhile: one that is
        cancelled may take events with it."""
        if self._reading is None:
            self._reading = asyncio.ensure_future(inotify.get())
        done, _ = await asyncio.wait({self._reading}, timeout=seconds)
        if not done:
            return None
        event, self._reading = self._reading.result(), None
        return event

    def _whole(self, networks: set[UUID]) -> bool:
        return all(self._read(network).endswith("\n") for network in networks)

    def _files(self) -> set[UUID]:
        found = (_network(path) for path in self._directory.iterdir())
        return {network for network in found if network is not None}

    def _read(self, network: UUID) -> str:
        with contextlib.suppress(OSError):
            path = self._directory / f"{network}{_SUFFIX}"
            return path.read_bytes().decode("utf-8", "replace")
        return ""


def _network(path: Path) -> UUID | None:
    """The network whose lease file it is."""
    if path.suffix == _SUFFIX:
        with contextlib.suppress(ValueError):
            return UUID(path.stem)
    return None
