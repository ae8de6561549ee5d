"""Readings that are made up, and what readings say of every interface."""

from __future__ import annotations

from collections.abc import Mapping

from vnet_tui.engine.readings import NO_READINGS, Counters, Readings


def readings(counters: Mapping[int, Counters]) -> Readings:
    """As if these had been read."""
    places = {index: place for place, index in enumerate(counters)}
    columns = list(zip(*counters.values(), strict=True)) or NO_READINGS.columns
    return Readings(places, columns)


def counters(read: Readings) -> dict[int, Counters | None]:
    """Everything that was read, by index."""
    return {index: read.get(index) for index in read.places}
