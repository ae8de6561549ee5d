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
from vnet_tui.engine.resources import Counters

_LINK_64_ONLY = struct.pack("=BxHII", 0, 0, 0, 1)  # IFLA_STATS_FILTER_BIT(IFLA_STATS_LINK_64)

_STATS = struct.Struct("=IH10x4xI4x4xQQQQ16xQQ")
"""Of nlmsghdr the length and type; of if_stats_msg the interface's index; the header of the only
attribute is passed over; of the counters packets, bytes and (after errors) drops, each received
and sent."""


class LinkStats:
    """Reads counters over one socket, in the network namespace of the thread that makes it."""

    def __init__(self) -> None:
        self._reader = RouteReader()

    def close(self) -> None:
        """Let go of the socket."""
        self._reader.close()

    def read(self) -> dict[int, Counters]:
        """The counters of every interface, by index. Raises DriverError.

        Takes less than a microsecond an interface, and waits while others hold the kernel's lock
        on network configuration (deleting a bridge takes 40 ms): not for the event loop.
        """
        found: dict[int, Counters] = {}
        unpack, size = _STATS.unpack_from, _STATS.size
        try:
            with self._reader.lock:
                self._reader.ask(RTM_GETSTATS, _LINK_64_ONLY)
                while True:
                    data = self._reader.receive()
                    position, last = 0, len(data) - size
                    while position <= last:
                        (length, kind, index, out_packets, in_packets, out_bytes, in_bytes,
                         out_drops, in_drops) = unpack(data, position)  # fmt: skip
                        if kind != RTM_NEWSTATS:
                            break
                        found[index] = (
                            in_bytes, out_bytes, in_packets, out_packets, in_drops, out_drops
                        )  # fmt: skip
                        position += length
                    if position + HEADER.size <= len(data) and ends_dump(data, position):
                        return found
        except OSError as error:
            raise DriverError(f"reading interface counters: {error.strerror}") from error
