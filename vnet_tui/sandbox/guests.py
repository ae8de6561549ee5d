"""The guests of the sandbox: network namespaces, plugged into bridges, with a real DHCP client."""

from __future__ import annotations

import errno
import fcntl
import socket
import struct
from dataclasses import dataclass
from pathlib import Path

from vnet_tui.sandbox.namespaces import NETNS_DIR, NamedNamespace, veth

_SIOCGIFFLAGS = 0x8913
_SIOCBRADDIF = 0x89A2
_IFF_UP = 0x1
_IFREQ = "16sh22x"
_IFREQ_INDEX = "16si20x"


@dataclass(frozen=True, slots=True)
class Guest:
    """A guest by name, the network that it is on, and the MAC of its interface ``eth0``."""

    name: str
    network: str
    mac: str

    @property
    def port(self) -> str:
        """The host's end of its cable, named as if it were the tap of a virtual machine."""
        return f"tap-{self.name}"


GUESTS = (
    Guest("foobar", "Foo", "52:54:00:f0:00:01"),
    Guest("web", "Foo", "52:54:00:f0:00:02"),
    Guest("mail", "Foo", "52:54:00:f0:00:03"),
    Guest("builder", "lab", "52:54:00:f0:00:04"),
    Guest("shop", "dmz", "52:54:00:f0:00:05"),
)


@dataclass(frozen=True, slots=True)
class Lease:
    """What a guest was told by DHCP; ``router`` and ``dns`` are empty where it wasn't told any."""

    address: str
    router: str
    dns: str


def make(guest: Guest) -> None:
    """Make a guest with its cable, the host's end of which is a port of nothing yet."""
    namespace = NamedNamespace(guest.name)
    veth(guest.port, "eth0", namespace, mac=guest.mac)


def plug(guest: Guest, bridge: str) -> None:
    """Put the host's end of a guest's cable into a bridge (``SIOCBRADDIF``).

    It stays where it is if it is a port already. OSError when there is no such bridge.
    """
    index = socket.if_nametoindex(guest.port)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        try:
            fcntl.ioctl(control, _SIOCBRADDIF, struct.pack(_IFREQ_INDEX, bridge.encode(), index))
        except OSError as error:
            if error.errno != errno.EBUSY:
                raise


def bridge_index(bridge: str) -> int | None:
    """The index of a bridge that is there and up, by which it is told from a later namesake."""
    try:
        index = socket.if_nametoindex(bridge)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
            answer = fcntl.ioctl(control, _SIOCGIFFLAGS, struct.pack(_IFREQ, bridge.encode(), 0))
    except OSError:
        return None
    flags: int = struct.unpack(_IFREQ, answer)[1]
    return index if flags & _IFF_UP else None


def install_client_script(directory: Path) -> Path:
    """Write the script that DHCP clients run where it can be executed; where it is."""
    script = directory / "dhcp-client"
    script.write_bytes(Path(__file__).with_name("dhcp-client.sh").read_bytes())
    script.chmod(0o755)
    return script


def client_command(guest: Guest, script: Path) -> list[str]:
    """The argument list of a guest's DHCP client, which stays and renews its lease."""
    namespace = f"--net={NETNS_DIR / guest.name}"
    return [
        *("nsenter", namespace, "--", "udhcpc", "-f", "-i", "eth0", "-s", str(script)),
        *("-x", f"hostname:{guest.name}", "-t", "3", "-T", "1", "-A", "1"),
    ]


def lease_file(guest: Guest, directory: Path) -> Path:
    """Where a guest's DHCP client writes what it was told."""
    return directory / f"{guest.name}.lease"


def read_lease(guest: Guest, directory: Path) -> Lease | None:
    """What a guest was told by DHCP, or None while it has no address."""
    try:
        fields = lease_file(guest, directory).read_text().splitlines()
    except FileNotFoundError:
        return None
    address, router, dns = fields
    return Lease(address, router, dns)
