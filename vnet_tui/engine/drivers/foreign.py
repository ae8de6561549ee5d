"""The firewall tables of others, as their own tools list them. Nothing here changes anything."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from vnet_tui.engine.drivers.firewall import libnftables
from vnet_tui.engine.drivers.firewall.layout import FAMILY, TABLE
from vnet_tui.engine.drivers.firewall.nft_program import NftProgram
from vnet_tui.engine.drivers.ipset import IpSet, read_sets
from vnet_tui.engine.errors import VnetError

_FAMILIES = ("ip", "ip6", "inet", "arp", "bridge", "netdev")
"""The families of tables that packets of guests go through."""

_MATCH_SET = re.compile(r" --match-set (\S+) ")

_SECONDS = 10
"""How long a tool may take: one that waits for a lock that is never given back isn't waited for."""

_EBTABLES = ("ebtable_filter", "ebtable_nat", "ebtable_broute")

_PROC_NAMES = {4: "ip_tables_names", 6: "ip6_tables_names"}
"""Which legacy tables there are. The tools are only asked where there are some, since the kernel
makes the tables that it is asked for."""


@dataclass(frozen=True, slots=True)
class NftListing:
    """One table of nft's: its objects (libnftables-json(5)), and as nft prints it with handles."""

    objects: list[dict[str, Any]]
    text: str


@dataclass(frozen=True, slots=True)
class Save:
    """What iptables-save(8) printed for an address family, or ebtables-save for bridges (0);
    ``tool`` changes what it shows, and ``legacy`` tells that it isn't part of what nft lists."""

    version: int
    tool: str
    legacy: bool
    text: str


@dataclass(frozen=True, slots=True)
class Foreign:
    """All tables but ours; ``unread`` says what couldn't be read and why. ``programs`` are the
    firewall managers that are installed, ``sets`` those of ipset's that iptables' rules name."""

    nft: tuple[NftListing, ...] = ()
    saves: tuple[Save, ...] = ()
    unread: tuple[str, ...] = ()
    programs: frozenset[str] = frozenset()
    sets: Mapping[str, IpSet] = field(default_factory=dict)


class _Lister(Protocol):
    def listing(self, command: str, *, as_json: bool) -> str: ...

    def close(self) -> None: ...


def read_foreign() -> Foreign:
    """What there is in the network namespace of the calling thread. Blocks: tens of ms.

    Raises nothing: what can't be read is told.
    """
    unread: list[str] = []
    nft = tuple(_nft(unread))
    saves = tuple(_saves(nft, unread))
    programs = frozenset(name for name in ("ufw", "firewall-cmd") if shutil.which(name))
    return Foreign(nft, saves, tuple(unread), programs, _sets(saves, unread))


def _sets(saves: tuple[Save, ...], unread: list[str]) -> Mapping[str, IpSet]:
    names = frozenset(name for save in saves for name in _MATCH_SET.findall(save.text))
    try:
        return read_sets(names) if names else {}
    except OSError as error:
        unread.append(f"the sets of ipset: {error.strerror}")
        return {}


def _nft(unread: list[str]) -> list[NftListing]:
    lister = _lister()
    if lister is None:
        return []
    found = []
    try:
        tables = json.loads(lister.listing("list tables", as_json=True))["nftables"]
        for item in tables:
            table = item.get("table")
            if table is None or table["family"] not in _FAMILIES:
                continue
            family, name = table["family"], table["name"]
            if (family, name) == (FAMILY, TABLE):
                continue
            command = f"list table {family} {name}"
            try:
                objects = json.loads(lister.listing(command, as_json=True))["nftables"]
                found.append(NftListing(objects, lister.listing(command, as_json=False)))
            except (VnetError, ValueError, KeyError) as error:
                unread.append(f"nft {command}: {error}")
    except (VnetError, ValueError, KeyError) as error:
        unread.append(f"nft list tables: {error}")
    finally:
        lister.close()
    return found


def _lister() -> _Lister | None:
    library = libnftables.load()
    if library is not None:
        return libnftables.Libnftables(library)
    program = shutil.which("nft")
    return NftProgram(program) if program is not None else None


def _saves(nft: tuple[NftListing, ...], unread: list[str]) -> list[Save]:
    found = []
    for version, prefix in ((4, "iptables"), (6, "ip6tables")):
        family = "ip" if version == 4 else "ip6"
        if any(_family(listing) == family for listing in nft):
            found += _save(version, prefix, "nft", unread)
        if _legacy_tables(version):
            found += _save(version, prefix, "legacy", unread)
    if any(_family(listing) == "bridge" for listing in nft):
        found += _save(0, "ebtables", "nft", unread)
    if _legacy_ebtables():
        found += _save(0, "ebtables", "legacy", unread)
    return found


def _family(listing: NftListing) -> str:
    families = (one["table"]["family"] for one in listing.objects if "table" in one)
    return next(families, "")


def _legacy_tables(version: int) -> bool:
    try:
        return bool(Path("/proc/thread-self/net", _PROC_NAMES[version]).read_text().strip())
    except OSError:
        return False


def _legacy_ebtables() -> bool:
    """Whether any table of ebtables' may be there; the kernel tells of its modules only."""
    try:
        loaded = Path("/proc/modules").read_text()
    except OSError:
        return False
    return any(f"{table} " in loaded for table in _EBTABLES)


def _save(version: int, prefix: str, kind: str, unread: list[str]) -> list[Save]:
    program = shutil.which(f"{prefix}-{kind}-save")
    if program is None:
        if kind == "legacy":
            unread.append(f"there are legacy tables, but {prefix}-legacy-save isn't installed")
        return []
    try:
        done = subprocess.run(
            [program], capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        unread.append(f"{program}: {error}")
        return []
    if done.returncode:
        unread.append(f"{program}: {done.stderr.strip()}")
        return []
    return [Save(version, _tool(prefix, kind), kind == "legacy", done.stdout)]


def _tool(prefix: str, kind: str) -> str:
    """The shortest name of the program that changes these tables: alternatives make
    ``iptables`` one of the two."""
    plain = shutil.which(prefix)
    if plain is not None:
        real = Path(plain).resolve().name
        if real == f"xtables-{kind}-multi":
            return prefix
    return f"{prefix}-{kind}"
