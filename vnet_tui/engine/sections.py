"""One element of a network's document added, changed or removed, as ``virsh net-update`` does it.

Pure. Sections are called as libvirt calls them where it has them (virNetworkUpdateSection in
libvirt-network.h), and hold elements as our documents spell them.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import Any

from vnet_tui.engine.errors import StateError, VnetError
from vnet_tui.engine.fragment import Fragment, read_fragment
from vnet_tui.engine.model import (
    Connections,
    Container,
    Dhcp,
    Dns,
    Element,
    Network,
    Policy,
    Range,
    Reservation,
)


class Change(StrEnum):
    """What can be done in a section (virNetworkUpdateCommand)."""

    ADD_FIRST = "add-first"
    ADD_LAST = "add-last"
    DELETE = "delete"
    MODIFY = "modify"


NOT_HERE: Mapping[str, str] = {
    "domain": "the DNS domain is the attribute domain of <dns>; edit the whole document",
    "forward-interface": "a network leaves by the host's routes, whichever interface they lead to",
    "forward-pf": "networks have no pools of SR-IOV functions",
    "portgroup": "ports have no groups",
}
"""libvirt's sections that our documents have nothing for, and why."""

Items = tuple[Any, ...]
"""Elements of one kind, in document order."""


@dataclass(frozen=True, slots=True)
class _Section:
    """Elements of one kind in a network.

    ``path`` is what they stand in, ``keys`` the fields by which one is known, ``absent`` what makes
    one whole that is only looked for. ``single``: there is at most one.
    """

    tags: tuple[str, ...]
    path: str
    get: Callable[[Network], Items]
    put: Callable[[Network, Items], Network]
    keys: tuple[str, ...]
    absent: Mapping[str, str]
    single: bool = False


def updated(
    network: Network, change: str, section: str, element: str, parent_index: int = -1
) -> Network:
    """The network with one element added, changed or removed.

    ``change`` is a :class:`Change`, or ``add`` for ``add-last``. ``parent_index`` says in which
    ``<ip>``, from 0, a range stands; -1: in the one whose subnet holds it. Raises
    :class:`~vnet_tui.engine.errors.VnetError` for what makes no sense, StateError where nothing is
    there to be changed, or it is there already.
    """
    try:
        what = Change("add-last" if change == "add" else change)
    except ValueError:
        raise VnetError(f"there is no command {change!r}", f"one of {', '.join(Change)}") from None
    found = _section(section)
    if parent_index > 0 and section != "ip-dhcp-range":
        raise VnetError(
            f"elements of {section} stand in one place only", "leave the parent index out"
        )
    absent = found.absent if what is Change.DELETE else {}
    fragment = read_fragment(element, found.path, found.tags, absent)
    (given,) = found.get(fragment.network)
    if section in _RECORDS and given.type != _RECORDS[section]:
        raise VnetError(f"{section} holds records of the type {_RECORDS[section]}")
    if section == "ip-dhcp-range":
        found = _ranges_of(_ip_index(network, given, parent_index))
    items = found.get(network)
    match what:
        case Change.ADD_FIRST | Change.ADD_LAST:
            _absent(network, fragment, given, items, single=found.single)
            after = (given, *items) if what is Change.ADD_FIRST else (*items, given)
        case Change.MODIFY:
            place = _known_by(network, fragment, given, items, _keys(found, given))
            comments = given.comments or items[place].comments
            after = (*items[:place], replace(given, comments=comments), *items[place + 1 :])
        case Change.DELETE:
            place = _alike(network, fragment, given, items, single=found.single)
            after = (*items[:place], *items[place + 1 :])
    return found.put(network, after)


def _section(name: str) -> _Section:
    if name in NOT_HERE:
        raise VnetError(f"networks have no section {name}: {NOT_HERE[name]}")
    if name not in _SECTIONS:
        raise VnetError(f"there is no section {name!r}", f"one of {', '.join(_SECTIONS)}")
    return _SECTIONS[name]


# Which element is meant


def _absent(
    network: Network, fragment: Fragment, given: Element, items: Items, *, single: bool
) -> None:
    if single and items:
        raise StateError(f"{network.name} has a <{fragment.tag}> already", "modify it instead")
    if _where(items, given, _said(given)):
        raise StateError(f"{network.name} has this <{fragment.tag}> already")


def _keys(section: _Section, given: Element) -> tuple[str, ...]:
    if isinstance(given, Reservation):
        return next((key,) for key in section.keys if getattr(given, key) is not None)
    return section.keys


def _known_by(
    network: Network, fragment: Fragment, given: Element, items: Items, keys: tuple[str, ...]
) -> int:
    """The place of the one that is the same in these fields."""
    places = _where(items, given, keys)
    said = ", ".join(
        f"{key} {getattr(given, key)}" for key in keys if getattr(given, key) is not None
    )
    which = f"<{fragment.tag}> with {said}" if said else f"<{fragment.tag}>"
    return _only(places, network, which)


def _alike(
    network: Network, fragment: Fragment, given: Element, items: Items, *, single: bool
) -> int:
    """The place of the one that has all attributes that the given one was written with."""
    if not fragment.attributes and not single and fragment.tag not in ("allow", "deny"):
        raise VnetError(f"<{fragment.tag}/> doesn't say which one is meant")
    fields = _FIELDS.get(fragment.tag, {})
    compared = {fields.get(name, name) for name in fragment.attributes}
    compared |= _ALWAYS.get(fragment.tag, set())
    said = _said(given)
    places = _where(items, given, sorted(compared, key=said.index), _begins)
    whole = [place for place in places if _where((items[place],), given, said)]
    return _only(whole[:1] or places, network, f"<{fragment.tag}> like that")


def _only(places: list[int], network: Network, which: str) -> int:
    if not places:
        raise StateError(f"{network.name} has no {which}")
    if len(places) > 1:
        raise StateError(
            f"{network.name} has {len(places)} {which}", "say more of the one you mean"
        )
    return places[0]


def _begins(item: tuple[object, ...], given: tuple[object, ...]) -> bool:
    """Whether a field says the same: of an ``<ip>`` written with start and end, its first range."""
    return item[: len(given)] == given


def _where(
    items: Items,
    given: Element,
    names: Iterable[str],
    same: Callable[[Items, Items], bool] = operator.eq,
) -> list[int]:
    """The places of those that are the same in these fields; ``same``: in those with several
    values."""
    places: Iterable[int] = range(len(items))
    for name in names:
        field, wanted = operator.attrgetter(name), getattr(given, name)
        equal = same if isinstance(wanted, tuple) else operator.eq
        places = [place for place in places if equal(field(items[place]), wanted)]
    return list(places)


def _said(element: Element) -> tuple[str, ...]:
    """The fields of what an element says, those first that tell most elements apart."""
    names = [one.name for one in fields(element) if one.compare]
    ordered = dict.fromkeys((*_TELLING, *names))
    return tuple(name for name in ordered if name in names and name not in _REMARKS)


_TELLING = ("port", "address", "name", "mac")
_REMARKS = ("comments", "trailing")

_FIELDS = {
    "ip": {"netmask": "prefix", "start": "ranges", "end": "ranges"},
    "range": {"leasetime": "lease_time"},
}
"""Attributes that the model calls otherwise, by tag."""

_ALWAYS = {"allow": {"action"}, "deny": {"action"}, "record": {"type"}}
"""What is compared though it isn't written as an attribute, or needn't be, by tag."""


# Where elements of a kind are


def _ip_index(network: Network, given: Range, parent_index: int) -> int:
    """In which ``<ip>`` a range stands, or is to stand."""
    if parent_index >= 0:
        if parent_index >= len(network.ips):
            raise StateError(f"{network.name} has no <ip> {parent_index}", "they count from 0")
        return parent_index
    for place, ip in enumerate(network.ips):
        if given.start in ip.subnet:
            return place
    raise StateError(f"{network.name} has no <ip> whose subnet holds {given.start}")


def _ranges_of(index: int) -> _Section:
    def get(network: Network) -> Items:
        return network.ips[index].ranges

    def put(network: Network, items: Items) -> Network:
        ips = list(network.ips)
        ips[index] = replace(ips[index], ranges=items)
        return replace(network, dhcp=replace(network.dhcp or Dhcp(), ips=tuple(ips)))

    return _Section(("range",), _IP, get, put, ("start",), {})


def within(
    child: str, make: Callable[[], Container], field: str
) -> tuple[Callable[[Network], Items], Callable[[Network, Items], Network]]:
    """How to get and put the elements that are a field of a child of the network, which is made
    where it isn't there."""

    def get(network: Network) -> Items:
        parent = getattr(network, child)
        return () if parent is None else getattr(parent, field)

    def put(network: Network, items: Items) -> Network:
        parent: Any = getattr(network, child) or make()
        changes: Any = {child: replace(parent, **{field: items})}
        return replace(network, **changes)

    return get, put


def _alone(
    child: str,
) -> tuple[Callable[[Network], Items], Callable[[Network, Items], Network]]:
    """A child of the network itself."""

    def get(network: Network) -> Items:
        one = getattr(network, child)
        return () if one is None else (one,)

    def put(network: Network, items: Items) -> Network:
        changes: Any = {child: items[0] if items else None}
        return replace(network, **changes)

    return get, put


def _rules(
    direction: str,
) -> tuple[Callable[[Network], Items], Callable[[Network, Items], Network]]:
    """The rules of a policy. One that isn't there is made, but no forwarding is switched on."""

    def get(network: Network) -> Items:
        policy = getattr(network.forwarding, direction) if network.forwarding else None
        return policy.rules if policy else ()

    def put(network: Network, items: Items) -> Network:
        forwarding = network.forwarding
        if forwarding is None:
            raise StateError(
                f"{network.name} is isolated: it has no <forwarding> to hold rules",
                "add that first: network-update NETWORK add forward '<forwarding/>'",
            )
        policy = getattr(forwarding, direction) or Policy()
        changes: Any = {direction: policy.with_rules(items)}
        return replace(network, forwarding=replace(forwarding, **changes))

    return get, put


_IP = '<dhcp><ip address="10.0.0.1" prefix="8">'
_RECORDS = {"dns-txt": "txt", "dns-srv": "srv"}
_ADDRESS = {"address": "0.0.0.0"}  # noqa: S104 - it stands for none
_RULE = ("port", "protocol", "source", "destination", "domain")

_SECTIONS: Mapping[str, _Section] = {
    "bridge": _Section(("bridge",), "", *_alone("bridge"), (), {}, single=True),
    "ip": _Section(
        ("ip",), "<dhcp>", *within("dhcp", Dhcp, "ips"), ("address",), {**_ADDRESS, "prefix": "8"}
    ),
    "ip-dhcp-host": _Section(
        ("host",),
        "<dhcp>",
        *within("dhcp", Dhcp, "reservations"),
        ("mac", "name", "address"),
        _ADDRESS,
    ),
    "ip-dhcp-range": replace(_ranges_of(0), absent={"start": "0.0.0.0", "end": "0.0.0.0"}),  # noqa: S104
    "dhcp-option": _Section(
        ("option",),
        "<dhcp>",
        *within("dhcp", Dhcp, "options"),
        ("number", "name", "family"),
        {"value": ""},
    ),
    "dns-host": _Section(
        ("host",), "<dns>", *within("dns", Dns, "hosts"), ("name",), {"name": "x", **_ADDRESS}
    ),
    **{
        section: _Section(
            ("record",),
            "<dns>",
            *within("dns", Dns, "records"),
            ("type", "name", "target"),
            {"type": kind, "name": "x"},
        )
        for section, kind in _RECORDS.items()
    },
    "dns-forwarder": _Section(
        ("forwarder",),
        "<dns>",
        *within("dns", Dns, "forwarders"),
        ("address", "domain"),
        _ADDRESS,
    ),
    "connection": _Section(
        ("connection",),
        "<connections>",
        *within("connections", Connections, "peers"),
        ("address",),
        {**_ADDRESS, "port": "1"},
    ),
    "forward": _Section(("forwarding",), "", *_alone("forwarding"), (), {}, single=True),
    "incoming": _Section(
        ("allow", "deny"), "<forwarding><incoming>", *_rules("incoming"), _RULE, {}
    ),
    "outgoing": _Section(
        ("allow", "deny"), "<forwarding><outgoing>", *_rules("outgoing"), _RULE, {}
    ),
}

SECTIONS = tuple(_SECTIONS)
"""The sections there are."""
