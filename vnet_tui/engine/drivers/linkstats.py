"""Counters of all interfaces in one question to the kernel: RTM_GETSTATS.

Structures are those of ``include/uapi/linux/if_link.h``: ``struct if_stats_msg`` and
``struct rtnl_link_stats64``.
"""

from __future__ import annotations

import struct

from vnet_tui.engine.drivers.netlink import (
    HEADER,
    RTM_GETSTATS,
    RTM_NEWSTATS,
    RouteReader,
    ends_dump,
)
from vnet_tui.engine.errors import DriverError
from vnet_tui.engine.readings import NO_READINGS, Readings

_LINK_64_ONLY = struct.pack("=BxHII", 0, 0, 0, 1)  # IFLA_STATS_FILTER_BIT(IFLA_STATS_LINK_64)

# A message is nlmsghdr (16 bytes), if_stats_msg (12), the header of the one attribute (4) and the
# counters (8 each). Places in units of two, four and eight bytes:
_KIND = 2
_LENGTH, _INDEX = 0, 5
_SENT_AND_RECEIVED = {"bytes": (7, 6), "packets": (5, 4), "drops": (11, 10)}
_COLUMNS = [place for places in _SENT_AND_RECEIVED.values() for place in places]
_MESSAGE = 16 + 12 + 4 + 8 * 8


class LinkStats:
    """Reads counters over one socket, in the network namespace of the thread that makes it."""

    def __init__(self) -> None:
        self._reader = RouteReader()
        self._indexes = b""
        self._places: dict[int, int] = {}

    def close(self) -> None:
        """Let go of the socket."""
        self._reader.close()

    def read(self) -> Readings:
        """The counters of every interface. Raises DriverError.

        Takes half a microsecond an interface, and waits while others hold the kernel's lock on
        network configuration (deleting a bridge takes 40 ms): not for the event loop.
        """
        try:
            with self._reader.lock:
                self._reader.ask(RTM_GETSTATS, _LINK_64_ONLY)
                return self._columns(*self._rest())
        except OSError as error:
            raise DriverError(f"reading interface counters: {error.strerror}") from error

    def _rest(self) -> tuple[bytes, int]:
        """All messages of the answer, end to end, and the length of each: they have only one."""
        parts = []
        length = 0
        while True:
            data = self._reader.receive()
            if not length:
                if ends_dump(data, 0):
                    return b"", 0
                length = HEADER.unpack_from(data)[0]
            end = len(data) // length * length
            parts.append(data[:end])
            if end < len(data) and ends_dump(data, end):
                return b"".join(parts), length

    def _columns(self, data: bytes, length: int) -> Readings:
        """Views of the answer; nothing is done for each interface unless there are others now."""
        if not data:
            return NO_READINGS
        count = len(data) // length
        whole = memoryview(data)
        words = whole.cast("I")
        same = (
            length >= _MESSAGE
            and length % 8 == 0
            and words[_LENGTH :: length // 4].tobytes() == struct.pack("=I", length) * count
            and whole.cast("H")[_KIND :: length // 2].tobytes()
            == struct.pack("=H", RTM_NEWSTATS) * count
        )
        if not same:
            raise DriverError("reading interface counters: the kernel's answer has another form")
        indexes = words[_INDEX :: length // 4].tobytes()
        if indexes != self._indexes:
            found = memoryview(indexes).cast("I")
            self._places = {index: place for place, index in enumerate(found)}
            self._indexes = indexes
        counters = whole.cast("Q")
        return Readings(self._places, [counters[place :: length // 8] for place in _COLUMNS])
