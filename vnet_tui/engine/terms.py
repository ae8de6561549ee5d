"""The terms that documents and what callers see have in common.

They are apart from the model because whoever only asks a daemon needs them and nothing more of it.
"""

from __future__ import annotations

from enum import StrEnum
from ipaddress import (
    IPv4Address,
    IPv4Interface,
    IPv4Network,
    IPv6Address,
    IPv6Interface,
    IPv6Network,
)

Address = IPv4Address | IPv6Address
Interface = IPv4Interface | IPv6Interface
Subnet = IPv4Network | IPv6Network


class Mode(StrEnum):
    """How a network reaches beyond its bridge."""

    ISOLATED = "isolated"
    NAT = "nat"
    ROUTE = "route"


class Action(StrEnum):
    """What a rule or a default does with a new connection."""

    ALLOW = "allow"
    DENY = "deny"
