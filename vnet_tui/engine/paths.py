"""Where everything that the engine writes goes: two directories, both movable."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uuid import UUID

DEFAULT_STATE_DIR = Path("/var/lib/vnet")
DEFAULT_RUN_DIR = Path("/run/vnet")

SWITCH_SOCKETS = "ctl"
"""The directory of a vde_switch's sockets, in its network's, where the document names none."""

LONGEST_SOCKET_DIRECTORY = 100
"""Bytes in the path of a directory of sockets: ``sun_path`` has 108 (unix(7)), and a vde_switch
adds the name of a socket."""

PID_FILE = "pid"
"""What a process of ours in its network's directory writes its pid to; a hint, which proves
nothing."""


@dataclass(frozen=True, slots=True)
class Paths:
    """The state directory (definitions, leases: kept) and the run directory (gone with a boot)."""

    state: Path = DEFAULT_STATE_DIR
    run: Path = DEFAULT_RUN_DIR

    @classmethod
    def choose(
        cls,
        state: str | None = None,
        run: str | None = None,
        environ: Mapping[str, str] = os.environ,
    ) -> Paths:
        """What was asked for, else VNET_STATE_DIR and VNET_RUN_DIR, else the defaults."""
        return cls(
            Path(state or environ.get("VNET_STATE_DIR") or DEFAULT_STATE_DIR).absolute(),
            Path(run or environ.get("VNET_RUN_DIR") or DEFAULT_RUN_DIR).absolute(),
        )

    @property
    def definitions(self) -> Path:
        """One XML file a network, named by UUID."""
        return self.state / "networks"

    @property
    def autostart(self) -> Path:
        """An empty file a network that starts by itself, named by UUID."""
        return self.state / "autostart"

    @property
    def damaged(self) -> Path:
        """Definitions that could not be read, set aside."""
        return self.state / "damaged"

    @property
    def checkpoints(self) -> Path:
        """The open checkpoint, what became of earlier ones, and definitions that roll-backs
        replaced."""
        return self.state / "checkpoints"

    @property
    def leases(self) -> Path:
        """One lease file of dnsmasq a network, ``UUID.leases``; kept over reboots."""
        return self.state / "leases"

    def lease_file(self, network: UUID) -> Path:
        """The lease file of one network."""
        return self.leases / f"{network}.leases"

    @property
    def records(self) -> Path:
        """One record a running network."""
        return self.run / "networks"

    def record_file(self, network: UUID) -> Path:
        """The record of one network."""
        return self.records / f"{network}.json"

    @property
    def dnsmasq(self) -> Path:
        """One directory a dnsmasq, named by the network's UUID."""
        return self.run / "dnsmasq"

    @property
    def vde(self) -> Path:
        """One directory a vde_switch, named by the network's UUID."""
        return self.run / "vde"

    @property
    def lock(self) -> Path:
        """Locked (flock) by the engine that is changing something."""
        return self.run / "lock"

    @property
    def socket(self) -> Path:
        """Where the daemon listens."""
        return self.run / "vnetd.sock"

    @property
    def daemon_lock(self) -> Path:
        """Locked (flock) by the daemon for as long as it runs; holds its process id."""
        return self.run / "vnetd.lock"

    @property
    def instance(self) -> str:
        """Eight hex digits that tell our marks from those of an engine with another run
        directory: a digest of its path."""
        import hashlib  # it takes 2 ms, and who asks a daemon needs none

        return hashlib.sha256(str(self.run).encode()).hexdigest()[:8]
