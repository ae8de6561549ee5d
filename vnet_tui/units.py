"""Numbers for people: three digits and a unit, in cells whose width never changes.

Every function that fills a table's cell gives text of one fixed width, right-aligned, whatever
the number, so that a column of live figures doesn't move. Units are decimal (SI): 1 kb/s is
1,000 bits a second, as network equipment counts.
"""

from __future__ import annotations

import time

RATE_WIDTH = 9
"""The width of :func:`bit_rate` and :func:`packet_rate`, in cells: ``12.4 Mb/s``."""

SIZE_WIDTH = 7
"""The width of :func:`byte_size` and :func:`packet_count`, in cells: ``12.4 GB``."""

_PREFIXES = " kMGTPE"


def bit_rate(bits: float) -> str:
    """Bits a second: ``12.4 Mb/s``, `` 812 kb/s``, ``   0  b/s``."""
    return _scaled(bits, "b/s")


def short_rate(bits: float) -> str:
    """Bits a second in five cells, where the unit is plain: `` 4.1M``, `` 812k``, ``   0 ``."""
    number, prefix = _split(bits)
    return f"{number:>4}{prefix}"


def byte_rate(octets: float) -> str:
    """Bytes a second: ``12.4 MB/s``."""
    return _scaled(octets, "B/s")


def packet_rate(packets: float) -> str:
    """Packets a second: `` 1.2 kp/s``."""
    return _scaled(packets, "p/s")


def byte_size(octets: float) -> str:
    """An amount of bytes: `` 1.2 GB``."""
    return _scaled(octets, "B")


def packet_count(packets: float) -> str:
    """An amount of packets (or of anything that is counted): `` 1.2 M ``, `` 812   ``."""
    number, prefix = _split(packets)
    return f"{number:>4} {prefix} "


def duration(seconds: float) -> str:
    """A span of time in its two or three leading digits: ``41 min``, ``2 h 05``, ``3 d 04 h``."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min"
    if whole < 86400:
        return f"{whole // 3600} h {whole % 3600 // 60:02}"
    return f"{whole // 86400} d {whole % 86400 // 3600:02} h"


def clock(moment: float) -> str:
    """Seconds since 1970 as a local time of day: ``09:14:05``."""
    return time.strftime("%H:%M:%S", time.localtime(moment))


def _scaled(value: float, unit: str) -> str:
    number, prefix = _split(value)
    return f"{number:>4} {prefix}{unit}"


def _split(value: float) -> tuple[str, str]:
    """At most four characters of number, and the prefix of its unit.

    One decimal below 100 of a prefixed unit, none above: ``9.9``, ``99.9``, ``100``, ``999``.
    """
    value = max(0.0, value)
    if value < 999.5:
        return f"{value:.0f}", " "
    for prefix in _PREFIXES[1:]:
        value /= 1000
        if value < 99.95:
            return f"{value:.1f}", prefix
        if value < 999.5:
            return f"{value:.0f}", prefix
    return "999", _PREFIXES[-1]
