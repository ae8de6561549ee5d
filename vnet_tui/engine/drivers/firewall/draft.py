"""One network's part of the table, while it is put together."""

from __future__ import annotations

from dataclasses import dataclass, field

from vnet_tui.engine.drivers.firewall.chains import PolicyChain
from vnet_tui.engine.drivers.firewall.layout import Chain, Lookup, Object
from vnet_tui.engine.resources import NetworkRules


@dataclass(slots=True)
class Draft:
    """What there is so far.

    ``name`` is the UUID in hex, ``bridge`` as nft takes it; with ``logs`` the kernel can tell of
    packets. ``dispatch`` are the network's elements in maps that all share, by map.
    """

    rules: NetworkRules
    name: str
    bridge: str
    logs: bool
    chains: dict[str, Chain] = field(default_factory=dict)
    lookups: dict[str, Lookup] = field(default_factory=dict)
    objects: dict[str, Object] = field(default_factory=dict)
    dispatch: dict[str, str] = field(default_factory=dict)

    def take(self, written: PolicyChain) -> None:
        """A policy's chain, with all that it needs."""
        self.chains[written.chain] = Chain(tuple(written.rules))
        self.lookups.update(written.lookups)
        self.objects.update(written.objects)
