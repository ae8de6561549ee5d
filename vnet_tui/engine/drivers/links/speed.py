"""How fast a link is, as its driver tells: the ``ETHTOOL_GSET`` request of ``ethtool(8)``.

Not ``/sys/class/net/*/speed``, which is about the network namespace that sysfs was mounted in.
Constants and ``struct ethtool_cmd`` are those of ``include/uapi/linux/ethtool.h``.
"""

from __future__ import annotations

import fcntl
import os
import socket
import struct
from array import array
from collections.abc import Iterable
from contextlib import suppress

_SIOCETHTOOL = 0x8946  # include/uapi/linux/sockios.h
_GSET = 0x00000001
_COMMAND = struct.Struct("=I8xH14xH14x")  # the command, and the lower and the upper half of Mb/s
_REQUEST = struct.Struct("@16sP16x")  # struct ifreq: a name, and where the command is
_UNKNOWN = (0, 0xFFFF, 0xFFFFFFFF)


def link_speeds(names: Iterable[str]) -> dict[str, float]:
    """Bits a second of those of these interfaces that tell it, in the network namespace of the
    calling thread. Blocks while others hold the kernel's lock on network configuration."""
    found = {}
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW) as asking:
        for name in names:
            command = array("B", _COMMAND.pack(_GSET, 0, 0))
            where, _ = command.buffer_info()
            with suppress(OSError):  # it is gone, or its driver has no such thing as a speed
                fcntl.ioctl(asking, _SIOCETHTOOL, _REQUEST.pack(os.fsencode(name), where))
                _, low, high = _COMMAND.unpack(command)
                if (speed := high << 16 | low) not in _UNKNOWN:
                    found[name] = speed * 1e6
    return found
