"""How many rules of each network wait for their guest."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from vnet_tui.engine.followed import followed
from vnet_tui.engine.guests import find_guest
from vnet_tui.engine.leases import read_leases
from vnet_tui.engine.model import Network
from vnet_tui.engine.paths import Paths
from vnet_tui.engine.resources import RunRecord
from vnet_tui.engine.views import Lease

FORGET = 1000
"""What was counted of more networks than these, beside those that are asked about, is dropped."""


class Waiting:
    """Counts them, and counts again only where a document or a lease is another than before."""

    def __init__(self, paths: Paths) -> None:
        self._paths = paths
        self._counted: dict[UUID, tuple[Network, tuple[Lease, ...], int]] = {}

    def counts(self, running: Mapping[UUID, tuple[RunRecord, Network]]) -> Mapping[UUID, int]:
        """Of networks that run; those without rules that follow guests are left out."""
        if len(self._counted) > FORGET + len(running):
            self._counted.clear()
        counted = {}
        for uuid, (_, network) in running.items():
            if domains := followed(network):
                leases = read_leases(self._paths, uuid)
                known = self._counted.get(uuid)
                if known is None or known[0] is not network or known[1] != leases:
                    unknown = {name for name in domains if not find_guest(network, leases, name)}
                    count = sum(domains[name] for name in unknown)
                    known = (network, leases, count)
                counted[uuid] = known
        self._counted.update(counted)
        return {uuid: count for uuid, (_, _, count) in counted.items()}
