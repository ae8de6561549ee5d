"""The files of our dnsmasqs in the run directory: one directory each, named by the network.

The configuration's name holds a digest of its content, so that the command line of a process
proves what it was told.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from pathlib import Path
from uuid import UUID

from vnet_tui.engine.dnsmasq_config import HOSTS_FILE, RESERVATIONS_FILE
from vnet_tui.engine.paths import Paths
from vnet_tui.engine.resources import DnsmasqSpec

_CONFIG_NAME = re.compile(r"dnsmasq-([0-9a-f]{16})\.conf")
_BRIDGE = re.compile(r"^interface=(.+)$", re.MULTILINE)


class Files:
    """Writes, reads and removes them."""

    def __init__(self, paths: Paths) -> None:
        self._paths = paths

    @property
    def root(self) -> Path:
        """The directory that holds one a network."""
        return self._paths.dnsmasq

    def directory(self, network: UUID) -> Path:
        """Where the files of one network are."""
        return self.root / str(network)

    def write(self, spec: DnsmasqSpec) -> Path:
        """All files of a dnsmasq; gives back the configuration's path. Raises OSError."""
        directory = self.directory(spec.network)
        self._paths.leases.mkdir(parents=True, exist_ok=True)
        directory.mkdir(parents=True, exist_ok=True)
        for made in (self.root, directory):
            made.chmod(0o755)  # dnsmasq reads them when it isn't root any more
        self.write_lists(spec)
        config = directory / f"dnsmasq-{_digest(spec.config)}.conf"
        _replace(config, spec.config)
        return config

    def write_lists(self, spec: DnsmasqSpec) -> None:
        """The files that dnsmasq reads again when it is told to. Raises OSError."""
        directory = self.directory(spec.network)
        _replace(directory / RESERVATIONS_FILE, spec.reservations)
        _replace(directory / HOSTS_FILE, spec.hosts)

    def read(self, config: Path, network: UUID) -> DnsmasqSpec:
        """What a process was told that was started with ``config``.

        Where the file doesn't say that any more the configuration is empty: like no other.
        """
        directory = self.directory(network)
        text = _text(config)
        bridge = _BRIDGE.search(text)
        named = _CONFIG_NAME.fullmatch(config.name)
        return DnsmasqSpec(
            network=network,
            bridge=bridge[1] if bridge else "",
            config=text if named and named[1] == _digest(text) else "",
            reservations=_text(directory / RESERVATIONS_FILE),
            hosts=_text(directory / HOSTS_FILE),
        )

    def keep_only(self, config: Path) -> None:
        """Remove the configurations that came before this one."""
        for other in config.parent.glob("dnsmasq-*.conf"):
            if other != config:
                other.unlink(missing_ok=True)

    def remove(self, network: UUID) -> None:
        """Remove all files of one network; its leases aren't among them."""
        shutil.rmtree(self.directory(network), ignore_errors=True)


def _digest(text: str) -> str:
    return hashlib.sha256(_encode(text)).hexdigest()[:16]


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8", "surrogateescape")
    except OSError:
        return ""


def _replace(path: Path, text: str) -> None:
    """Write a file that a reader never sees half of; it needn't survive a power cut."""
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_bytes(_encode(text))
    temporary.chmod(0o644)
    os.replace(temporary, path)  # noqa: PTH105  (the return value of Path.replace isn't wanted)
