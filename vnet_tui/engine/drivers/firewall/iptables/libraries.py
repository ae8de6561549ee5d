"""What python-iptables needs of the host: libraries, their extensions, and to be found quickly."""

from __future__ import annotations

import ctypes
import ctypes.util
import importlib.util
import os
import sys
from pathlib import Path
from typing import Any

from vnet_tui.engine.drivers.firewall.iptables import kernel

_SONAMES = {"xtables": "libxtables.so.12", "ip4tc": "libip4tc.so.2", "ip6tc": "libip6tc.so.2"}
_PACKAGES = {"xtables": "libxtables12", "ip4tc": "libip4tc2", "ip6tc": "libip6tc2"}
_EXTENSIONS = ("multiport", "conntrack", "addrtype", "comment", "limit")


def lacking() -> str:
    """What of it this host hasn't, in words; empty where it has everything."""
    if importlib.util.find_spec("iptc") is None:
        return "the Python package python-iptables is not installed"
    for name, soname in _SONAMES.items():
        try:
            ctypes.CDLL(soname)
        except OSError:
            return f"the library {soname} is missing (Debian: {_PACKAGES[name]})"
    directory = extensions()
    if directory is None:
        return "the extensions of iptables are missing (Debian: iptables)"
    for name in _EXTENSIONS:
        if not (directory / f"libxt_{name}.so").exists():
            return f"{directory} has no libxt_{name}.so (Debian: iptables)"
    return ""


def can_log() -> bool:
    """Whether rules can tell of packets here, by NFLOG."""
    return kernel.target_known(4, "NFLOG", 0)


def can_limit() -> bool:
    """Whether rules can have a limit here."""
    return kernel.match_known(4, "hashlimit", _HASHLIMIT)


_HASHLIMIT = 3
"""The revision of hashlimit that takes more than ten thousand a second."""


def can_count() -> bool:
    """Whether rules can count by guest here, in sets."""
    return (
        _has("set")
        and _has("SET")
        and kernel.match_known(4, "set", _SET_COUNTS)
        and kernel.target_known(4, "SET", _SET_COUNTS - 1)
    )


_SET_COUNTS = 4
"""The revision of the match ``set`` in which it looks at 64 bits of counters."""


def _has(extension: str) -> bool:
    directory = extensions()
    return directory is not None and (directory / f"libxt_{extension}.so").exists()


def extensions() -> Path | None:
    """Where the extensions are: XTABLES_LIBDIR, or ``xtables`` beside the library."""
    if chosen := os.environ.get("XTABLES_LIBDIR"):
        return Path(chosen)
    ctypes.CDLL(_SONAMES["xtables"])
    for line in Path("/proc/self/maps").read_text().splitlines():
        library = Path(line.split(maxsplit=5)[-1])
        if library.name.startswith("libxtables.so"):
            directory = library.parent / "xtables"
            return directory if directory.is_dir() else None
    return None


def import_iptc() -> Any:
    """python-iptables. Only for a process that does nothing else.

    Left to itself it asks ldconfig, gcc and ld where libraries are, and loads distutils (with all
    of setuptools) to learn where packages are: that takes four times as long as all else.
    """
    if (directory := extensions()) is not None:
        os.environ["XTABLES_LIBDIR"] = str(directory)
    known = _SONAMES | {"c": "libc.so.6"}
    ctypes.util.find_library = lambda name: known.get(name)
    sys.modules["distutils"] = None  # type: ignore[assignment]
    import iptc

    return iptc
