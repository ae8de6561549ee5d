"""DHCP options."""

from __future__ import annotations

import re
from collections.abc import Iterator

from vnet_tui.engine.check.names import one_line
from vnet_tui.engine.check.report import at_line, bounds, error, repeated
from vnet_tui.engine.errors import Problem
from vnet_tui.engine.model import DhcpOption, Network

_LAST_NUMBER = {4: 254, 6: 65535}
"""0 and 255 are padding and end in DHCP (RFC 2132, section 3); DHCPv6 has 16 bits (RFC 8415)."""

_NAME = re.compile(r"[a-z][a-z0-9-]{0,63}")


def check_options(network: Network) -> Iterator[Problem]:
    """Options that are told by one of their two names, once."""
    if network.dhcp is None:
        return
    for option in network.dhcp.options:
        yield from _option(option)
    for first, option in repeated(network.dhcp.options, _identity):
        yield error(
            option,
            f"the option {option.name or option.number} is given twice{at_line(first)}",
            "write all its values into one, divided by commas",
        )


def _identity(option: DhcpOption) -> tuple[int, int | str | None]:
    return option.family, option.name or option.number


def _option(option: DhcpOption) -> Iterator[Problem]:
    if (option.number is None) == (not option.name):
        yield error(
            option,
            "an option has number and name"
            if option.name
            else "an option has neither number nor name",
            "give one of the two",
        )
    if option.family not in _LAST_NUMBER:
        yield error(option, f"there is no DHCP of family {option.family}", "4 or 6")
    else:
        yield from bounds(option, "a number", option.number, 1, _LAST_NUMBER[option.family])
    if option.name and not _NAME.fullmatch(option.name):
        yield error(
            option,
            f"{option.name!r} is no name of an option",
            "dnsmasq --help dhcp lists those that it knows",
        )
    if not one_line(option.value):
        yield error(option, "the value has control characters", "one line of text")
