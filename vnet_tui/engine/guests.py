"""Who is on a network: leases, reservations and ports of the bridge put together. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

from vnet_tui.engine.model import Address, Network, Reservation
from vnet_tui.engine.naming import derive_tap_name
from vnet_tui.engine.no_address import why_no_address
from vnet_tui.engine.views import Guest, Lease


@dataclass(slots=True, eq=False)
class _Draft:
    """A guest while it is put together."""

    mac: str = ""
    names: list[str] = field(default_factory=list)
    port: str | None = None
    leases: list[Lease] = field(default_factory=list)
    reserved: list[Address] = field(default_factory=list)
    note: str = ""

    def finished(self) -> Guest:
        leased = {lease.address.version for lease in self.leases}
        waiting = [address for address in self.reserved if address.version not in leased]
        addresses = {*waiting, *(lease.address for lease in self.leases)}
        return Guest(
            name=next(iter(self.names), ""),
            mac=self.mac,
            addresses=tuple(sorted(addresses, key=_order)),
            port=self.port,
            lease=min(self.leases, key=lambda lease: _order(lease.address), default=None),
            reserved=bool(self.reserved),
            note=self.note,
        )


def guests(
    network: Network,
    leases: Iterable[Lease],
    ports: Mapping[str, Collection[str]],
    now: float,
) -> tuple[Guest, ...]:
    """Every guest that is attached, has a lease, or has a reservation.

    ``ports`` are the bridge's ports with the MACs that were learned behind each (perhaps none).
    Behind that of the network's vde_switch there may be several guests; while there is none, it
    is there as ``vde_switch``. ``now`` is in seconds since 1970: leases that ended before don't
    count. One MAC is one guest; a lease or a reservation without one belongs to the guest of its
    name. Ordered by lowest address, then name, MAC and port; those without an address come last.
    """
    drafts = _Drafts(network.dns.domain if network.dns else None)
    tap = derive_tap_name(network.uuid) if network.switch and network.uuid else None
    for reservation in _reservations(network):
        draft = drafts.find((reservation.mac or "").lower(), reservation.name or "")
        draft.reserved.append(reservation.address)
    held = [lease for lease in leases if lease.expires is None or lease.expires > now]
    for lease in sorted(held, key=lambda one: _order(one.address)):
        draft = drafts.find(lease.mac, lease.name)
        draft.leases.append(lease)
        if lease.attached and not draft.names:
            draft.names.append(lease.attached)
    for port in sorted(ports):
        for mac in sorted(ports[port]) or [""]:
            draft = drafts.find(mac.lower())
            draft.port = port
            if port == tap and not mac:
                draft.names.append("vde_switch")
            elif not draft.leases:
                draft.note = _note(network, draft, held)
    return tuple(sorted((draft.finished() for draft in drafts.all), key=_rank))


def _note(network: Network, draft: _Draft, held: Iterable[Lease]) -> str:
    """Why a guest that is attached has no lease."""
    if draft.reserved:
        kept = " and ".join(map(str, draft.reserved))
        return f"it didn't ask DHCP for {kept}, which is reserved for it"
    return why_no_address(network, draft.mac, {lease.address for lease in held})


def find_guest(network: Network, leases: Sequence[Lease], domain: str) -> frozenset[Address]:
    """Where a guest is that a rule names: at most one address a family, none while unknown.

    A reservation of that name decides, by its MAC if it has one; for a family that it says nothing
    of, the lease of a guest that is attached by this name, and then that of the guest that has had
    this host name for longest, of several leases of that guest the latest. Names are compared
    without regard to case, and with or without the network's own domain.
    """
    own = network.dns.domain if network.dns else None
    found: dict[int, Address] = {}
    for reservation in _reservations(network):
        if _same(reservation.name, domain, own):
            found.setdefault(reservation.address.version, _place(reservation, leases))
    attached = _by_right([lease for lease in leases if _same(lease.attached, domain, own)])
    named = _by_right([lease for lease in leases if _same(lease.name, domain, own)])
    for lease in (*attached, *named):
        found.setdefault(lease.address.version, lease.address)
    return frozenset(found.values())


def _place(reservation: Reservation, leases: Iterable[Lease]) -> Address:
    """Where the guest of a reservation is: at the address that is kept for it, unless it has a
    lease of another still, as after a reservation was changed while the network runs."""
    mac, version = (reservation.mac or "").lower(), reservation.address.version
    held = [
        lease for lease in leases if mac and (lease.mac, lease.address.version) == (mac, version)
    ]
    if not held or any(lease.address == reservation.address for lease in held):
        return reservation.address
    return max(held, key=_ending).address


@dataclass(frozen=True, slots=True)
class Namesakes:
    """Two guests with one name: rules lead to ``first``, a lease or a reservation; ``attached``: to
    who is attached by this name."""

    name: str
    first: Lease | Reservation
    other: Lease
    attached: bool = False

    def __str__(self) -> str:
        mac = self.first.mac or self.other.mac or "52:54:00:…"
        keep = f'<host name="{self.name}" mac="{mac}" address="{self.first.address}"/>'
        if isinstance(self.first, Reservation):
            return (
                f"{_at(self.other)} says that it is {self.name}, which is reserved for "
                f"{_at(self.first)}: rules lead there (give it another host name)"
            )
        if self.attached:
            return (
                f"{_at(self.other)} says that it is {self.name}, the name by which "
                f"{_at(self.first)} is attached: rules lead there (give it another host name)"
            )
        return (
            f"two guests say that they are {self.name}: {_at(self.first)} and {_at(self.other)}; "
            f"rules lead to the former, who was it first, until its lease ends (give one another "
            f"host name, or keep the name for one: {keep} in <dhcp>)"
        )


def namesakes(network: Network, leases: Iterable[Lease]) -> tuple[Namesakes, ...]:
    """Every lease whose name is another guest's, of the same family, whom rules lead to."""
    own = network.dns.domain if network.dns else None
    first: dict[tuple[int, str], Lease | Reservation] = {
        (one.address.version, plain_name(one.name, own)): one
        for one in reversed(_reservations(network))
        if one.name
    }
    found = []
    by_right = _by_right(leases)
    claims = [(lease, lease.attached) for lease in by_right]
    claims += [(lease, lease.name) for lease in by_right if lease.name != lease.attached]
    for lease, claimed in claims:
        if claimed:
            name = plain_name(claimed, own)
            whose = first.setdefault((lease.address.version, name), lease)
            same = whose.mac and whose.mac.lower() == lease.mac
            if whose.address != lease.address and not same:
                found.append(Namesakes(name, whose, lease, attached=_is_attached(whose, name, own)))
    return tuple(found)


def _is_attached(guest: Lease | Reservation, name: str, domain: str | None) -> bool:
    return isinstance(guest, Lease) and _same(guest.attached, name, domain)


def namesake_notes(network: Network, leases: Iterable[Lease]) -> Callable[[str], str]:
    """What to say in a few words of a guest that a rule names: who else has that name, if any."""
    own = network.dns.domain if network.dns else None
    others: dict[str, list[str]] = {}
    for pair in namesakes(network, leases):
        others.setdefault(pair.name, []).append(_at(pair.other))

    def note(domain: str) -> str:
        named = others.get(plain_name(domain, own))
        return f"{' and '.join(named)} has this name too" if named else ""

    return note


def _by_right(leases: Iterable[Lease]) -> list[Lease]:
    """Leases in the order in which they have a right to a name: guests by when they had it first,
    then by which lease ends first; those of one guest from the latest on."""
    leases = sorted(leases, key=lambda lease: (_since(lease), _ending(lease)))
    rank: dict[str, int] = {}
    for lease in leases:
        rank.setdefault(lease.mac or str(lease.address), len(rank))
    leases.sort(key=_since, reverse=True)
    leases.sort(key=lambda lease: rank[lease.mac or str(lease.address)])
    return leases


def name_at(network: Network, leases: Iterable[Lease], address: Address) -> str:
    """The name of the guest with an address: as reserved, else as it gave it for its lease, else as
    it is attached; empty while nobody knows it."""
    reserved = (one.name for one in _reservations(network) if one.address == address)
    leased = ((one.name, one.attached) for one in leases if one.address == address)
    return next((name for name in chain(reserved, *leased) if name), "")


def guest_names(network: Network, leases: Iterable[Lease]) -> frozenset[str]:
    """The names of all guests that :func:`find_guest` finds, as :func:`plain_name` gives them."""
    own = network.dns.domain if network.dns else None
    reserved = (one.name or "" for one in _reservations(network))
    names = (*reserved, *chain.from_iterable((one.name, one.attached) for one in leases))
    return frozenset(plain_name(name, own) for name in names if name)


def _reservations(network: Network) -> tuple[Reservation, ...]:
    return network.dhcp.reservations if network.dhcp else ()


def _same(one: str | None, other: str, domain: str | None) -> bool:
    return bool(one) and plain_name(one or "", domain) == plain_name(other, domain)


def plain_name(name: str, domain: str | None) -> str:
    """A guest's name as it is compared: lower case, without the network's own domain."""
    lowered = name.lower().rstrip(".")
    return lowered.removesuffix(f".{domain.lower()}") if domain else lowered


class _Drafts:
    """The guests so far, found by MAC or by name."""

    def __init__(self, domain: str | None) -> None:
        self._domain = domain
        self._by_mac: dict[str, _Draft] = {}
        self._by_name: dict[str, list[_Draft]] = {}
        self.all: list[_Draft] = []

    def find(self, mac: str, name: str = "") -> _Draft:
        """The guest with this MAC or, where one of the two has no MAC, this name; else a new
        one."""
        plain = plain_name(name, self._domain)
        namesakes = self._by_name.get(plain, []) if plain else []
        draft = self._by_mac.get(mac) if mac else None
        if draft is None:
            draft = next((one for one in namesakes if not (mac and one.mac)), None)
        if draft is None:
            draft = _Draft()
            self.all.append(draft)
        if mac and not draft.mac:
            draft.mac = mac
            self._by_mac[mac] = draft
        if plain and draft not in namesakes:
            draft.names.append(name)
            self._by_name.setdefault(plain, []).append(draft)
        return draft


def _order(address: Address) -> tuple[int, int]:
    return address.version, int(address)


def _at(one: Lease | Reservation) -> str:
    return f"{one.mac} at {one.address}" if one.mac else str(one.address)


def _since(lease: Lease) -> float:
    """When it had its name first; never, where nobody saw that."""
    return lease.since if lease.since is not None else float("inf")


def _ending(lease: Lease) -> tuple[float, tuple[int, int]]:
    return (lease.expires if lease.expires is not None else float("inf")), _order(lease.address)


def _rank(guest: Guest) -> tuple[bool, tuple[int, int], str, str, str]:
    lowest = _order(guest.addresses[0]) if guest.addresses else (0, 0)
    return not guest.addresses, lowest, guest.name, guest.mac, guest.port or ""
