"""How rules tell the engine of packets: the NFLOG group, and what a prefix says.

Firewall drivers write it into their rules; who reads the group reads it back.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from uuid import UUID

from vnet_tui.engine.terms import Action

LOG_GROUP = 30324
"""The group of nfnetlink_log(7) that only our rules send to; one reader at a time can have it."""

LOG_BYTES = 96
"""So many bytes of a packet are told: two IPv6 headers' worth and the ports behind them."""

LOG_RATE, LOG_BURST = 20, 40
"""At most so many packets a second are told of one network and direction, after so many at once."""

INCOMING, OUTGOING = "incoming", "outgoing"
"""The two policies of a network."""

_PREFIX = re.compile(r"vnet:(?P<network>[0-9a-f]{32}):(?P<direction>in|out):(?P<action>allow|deny)")


@dataclass(frozen=True, slots=True)
class LogMark:
    """Of which network and policy (``incoming``, ``outgoing``) a packet was told, and its fate."""

    network: UUID
    direction: str
    action: Action

    def __str__(self) -> str:
        """The prefix: at most 63 characters, so that both firewalls keep it whole."""
        direction = "in" if self.direction == INCOMING else "out"
        return f"vnet:{self.network.hex}:{direction}:{self.action}"

    @classmethod
    def parse(cls, prefix: str) -> LogMark | None:
        """The mark that a prefix is; None where it isn't one of ours."""
        found = _PREFIX.fullmatch(prefix)
        if found is None:
            return None
        direction = INCOMING if found["direction"] == "in" else OUTGOING
        return cls(UUID(found["network"]), direction, Action(found["action"]))
