"""Everything of a test's host that an engine may change, to compare before and after."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

from tests.support.lab import processes_in
from vnet_tui.engine.paths import Paths

_OURS = {"lock", "guard.lock", "events.jsonl", "denials.jsonl"}
"""Files of the run directory that belong to no network."""

_SYSCTLS = ("net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding")


def _output(*argv: str) -> str:
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout


def links() -> dict[str, dict[str, object]]:
    """Interfaces by name, with what matters of them."""
    found = {}
    for link in json.loads(_output("ip", "-j", "-d", "address")):
        kind = link.get("linkinfo", {}).get("info_kind")
        found[link["ifname"]] = {
            "kind": kind,
            "alias": link.get("ifalias"),
            "master": link.get("master"),
            # The kernel makes one up whenever a tap is made.
            "mac": link.get("address") if kind != "tun" else None,
            "mtu": link.get("mtu"),
            "up": "UP" in link["flags"],
            "addresses": sorted(
                f"{info['local']}/{info['prefixlen']}"
                for info in link["addr_info"]
                if info["scope"] != "link"
            ),
        }
    return found


def sysctl(key: str) -> str:
    """The value of a kernel setting, by its path under /proc/sys."""
    return Path("/proc/sys", key).read_text().strip()


def processes_here() -> dict[int, str]:
    """The other processes of this host, by id, with their command lines."""
    return processes_in({Path("/proc/thread-self/ns/net").stat().st_ino})


def dnsmasqs() -> list[str]:
    """The command lines of the dnsmasq processes of this host."""
    lines = processes_here().values()
    return sorted(_without_index(line) for line in lines if "dnsmasq" in line)


def switches() -> list[str]:
    """The command lines of the vde_switch processes of this host."""
    return sorted(line for line in processes_here().values() if "vde_switch" in line)


def _without_index(text: str) -> str:
    """The name of a configuration file ends in its bridge's index, which no undo brings back."""
    return re.sub(r"-\d+\.conf", ".conf", text)


def ruleset() -> dict[str, object]:
    """Everything in nftables, without what differs between equal rulesets: handles, counters, and
    the order of everything but the rules of a chain."""
    objects: list[str] = []
    chains: dict[str, list[str]] = {}
    for entry in json.loads(_output("nft", "-j", "list", "ruleset"))["nftables"]:
        ((kind, value),) = entry.items()
        if kind == "metainfo":
            continue
        if "elem" in value:
            value["elem"] = sorted(value["elem"], key=json.dumps)
        text = re.sub(r'"(handle|packets|bytes)": \d+', r'"\1": 0', json.dumps(value))
        if kind == "rule":
            where = f"{value['family']} {value['table']} {value['chain']}"
            chains.setdefault(where, []).append(text)
        else:
            objects.append(f"{kind} {text}")
    return {"objects": sorted(objects), **chains} if objects else {}


def inventory(paths: Paths) -> dict[str, object]:
    """The state that an undo has to bring back, and the files of the run directory."""
    return {
        "links": links(),
        "ruleset": ruleset(),
        "sysctls": {key: sysctl(key) for key in _SYSCTLS},
        "dnsmasqs": dnsmasqs(),
        "switches": switches(),
        "sockets": sorted(map(str, Path("/run/vde").glob("*/*"))),
        "files": sorted(
            _without_index(str(path.relative_to(paths.run)))
            for path in paths.run.rglob("*")
            if path.is_file() and path.name not in _OURS
        ),
    }
