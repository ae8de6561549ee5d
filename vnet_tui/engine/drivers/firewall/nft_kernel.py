"""Whether the kernel can do nftables: the library alone is no use."""

from __future__ import annotations

from pathlib import Path

from vnet_tui.engine.drivers.firewall.generation import Generation

_CAP_NET_ADMIN = 1 << 12  # linux/capability.h


def in_kernel() -> bool:
    """Whether it answers. True as well where only those with more rights than ours may ask."""
    if not _may_ask():
        return True
    try:
        generation = Generation()
    except OSError:
        return False
    try:
        return generation.read() is not None
    finally:
        generation.close()


def _may_ask() -> bool:
    for line in Path("/proc/thread-self/status").read_text().splitlines():
        if line.startswith("CapEff:"):
            return bool(int(line.split()[1], 16) & _CAP_NET_ADMIN)
    return False
