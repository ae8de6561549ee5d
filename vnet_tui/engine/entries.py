"""Single values as a person types them: read, and looked at by the same checks as a document.

Every reader takes text and gives a value, or raises :class:`~vnet_tui.engine.errors.VnetError`
with what is wrong and how to mend it. What only shows beside other values (an address outside its
subnet, a port that is taken) is told by :mod:`vnet_tui.engine.check` of the whole network.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from vnet_tui.engine.check.addresses import check_lease_time, unusable
from vnet_tui.engine.check.forwarding import check_comment, check_limit, check_ports
from vnet_tui.engine.check.names import (
    NAME_RULE,
    interface_name_problem,
    is_guest_name,
    is_host_name,
    is_label,
    is_record_name,
    mac_problem,
    one_line,
)
from vnet_tui.engine.check.report import port_bounds
from vnet_tui.engine.check.scalars import MAX_TITLE, name_problems
from vnet_tui.engine.errors import Problem, Severity, VnetError
from vnet_tui.engine.model import Action, Address, Element, PortRange, Rule, Subnet
from vnet_tui.engine.xml import values

Value = TypeVar("Value")
Reader = Callable[[str], Value]

_NOWHERE = Element()
"""Where a single value stands: in no document."""


def address(text: str) -> Address:
    """An address that a host can have on a network."""
    found = _formed(values.address, text)
    if kind := unusable(found):
        raise VnetError(f"{found} is {kind}", "write one that a host can have")
    return found


def any_address(text: str) -> Address:
    """Any address."""
    return _formed(values.address, text)


def prefix(text: str) -> int:
    """The length of a prefix; a netmask is one, too."""
    return _formed(values.netmask if "." in text else values.prefix, text)


def subnet(text: str) -> Subnet:
    """A subnet, or one address."""
    return _formed(values.subnet, text)


def mac(text: str) -> str:
    """The MAC of an interface."""
    found = _formed(values.mac, text)
    if why := mac_problem(found):
        raise VnetError(f"the MAC {found} {why}", "write that of the guest's interface")
    return found


def port(text: str) -> int:
    """One port."""
    found = _formed(values.port, text)
    return _sound(found, port_bounds(_NOWHERE, "port", found))


def ports(text: str) -> PortRange:
    """A port, or a range of ports."""
    found = _formed(values.ports, text)
    return _sound(found, check_ports(Rule(action=Action.ALLOW, port=found)))


def lease_time(text: str) -> int:
    """A lease time, in seconds."""
    found = _formed(values.lease_time, text)
    return _sound(found, check_lease_time(_NOWHERE, found))


def number(text: str) -> int:
    """A whole number; how large it can be, depends on what it is for."""
    return _formed(values.number, text)


def limit(text: str) -> int:
    """New connections a second."""
    found = _formed(values.number, text)
    return _sound(found, check_limit(Rule(action=Action.ALLOW, limit=found)))


def comment(text: str) -> str:
    """The comment of a rule."""
    return _sound(text, check_comment(Rule(action=Action.ALLOW, comment=text)))


def line(text: str) -> str:
    """Any text on one line."""
    return _named(text, one_line, "has control characters", "one line of text")


def title(text: str) -> str:
    """The title of a network."""
    if len(text) > MAX_TITLE:
        raise VnetError(f"it has {len(text)} characters", f"at most {MAX_TITLE} are possible")
    return line(text)


def network_name(text: str) -> str:
    """The name of a network."""
    for trouble, remedy in name_problems(text):
        raise VnetError(f"the name {trouble}", remedy)
    return text


def interface_name(text: str) -> str:
    """The name of a bridge, or of another interface."""
    plain = values.trimmed(text)
    if trouble := interface_name_problem(plain):
        raise VnetError(f"the name {trouble[0]}", trouble[1])
    return plain


def host_label(text: str) -> str:
    """The name of a guest in DHCP: one label."""
    return _named(values.trimmed(text), is_label, "is no host name of a guest", NAME_RULE)


def host_name(text: str) -> str:
    """A host name, or a domain."""
    return _named(values.trimmed(text), is_host_name, "is no host name or domain", NAME_RULE)


def record_name(text: str) -> str:
    """The name of a DNS record."""
    return _named(values.trimmed(text), is_record_name, "is no name of a record", NAME_RULE)


def guest_name(text: str) -> str:
    """What a guest is known by."""
    remedy = "letters, digits, ., _ and -, the first and last a letter or digit"
    return _named(values.trimmed(text), is_guest_name, "is no name of a guest", remedy)


def _formed(read: Reader[Value], text: str) -> Value:
    try:
        return read(text)
    except ValueError as error:
        raise VnetError(str(error)) from None


def _sound(value: Value, problems: Iterable[Problem]) -> Value:
    for problem in problems:
        if problem.severity is Severity.ERROR:
            raise VnetError(problem.message, problem.remedy)
    return value


def _named(text: str, right: Callable[[str], bool], trouble: str, remedy: str) -> str:
    if not right(text):
        raise VnetError(f"{text!r} {trouble}", remedy)
    return text
