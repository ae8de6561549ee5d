"""Samples without what nobody looks at. Pure.

Of a thousand networks with seven ports each, a sample with all ports is three megabytes a second;
of most networks their own figures are enough.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from uuid import UUID

from vnet_tui.engine.views import NetworkTraffic, Sample


def brief(sample: Sample, detailed: frozenset[UUID]) -> Sample:
    """A sample that tells ports, rules and guests only of the networks in ``detailed``."""
    return replace(sample, networks=_Brief(sample.networks, detailed))


class _Brief(Mapping[UUID, NetworkTraffic]):
    """The networks of a sample, each made when it is asked for."""

    __slots__ = ("_detailed", "_whole")

    def __init__(self, whole: Mapping[UUID, NetworkTraffic], detailed: frozenset[UUID]) -> None:
        self._whole = whole
        self._detailed = detailed

    def __getitem__(self, network: UUID) -> NetworkTraffic:
        whole = self._whole[network]
        if network in self._detailed:
            return whole
        return NetworkTraffic(
            traffic=whole.traffic, ports={}, port_count=whole.port_count, detailed=False
        )

    def __iter__(self) -> Iterator[UUID]:
        return iter(self._whole)

    def __len__(self) -> int:
        return len(self._whole)
