"""Guests that ask for addresses and names with real clients."""

from __future__ import annotations

import secrets
import socket
import struct
import subprocess
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

from tests.support.lab import Lab
from vnet_tui.sandbox.namespaces import NamedNamespace, inside, veth

TYPES = {"A": 1, "CNAME": 5, "PTR": 12, "MX": 15, "TXT": 16, "AAAA": 28, "SRV": 33}
"""DNS record types (RFC 1035 and successors)."""

_TELL = """#!/bin/sh
case "$1" in
bound|renew) : ;;
*) exit 0 ;;
esac
for name in ip mask router dns domain lease mtu ntpsrv; do
    eval "value=\\$$name"
    echo "$name=$value"
done
"""

_TELL6 = """#!/bin/sh
case "$reason" in
BOUND6|RENEW6|REBIND6) echo "address=$new_ip6_address"; echo "dns=$new_dhcp6_name_servers" ;;
esac
exit 0
"""


@dataclass(frozen=True)
class Offer:
    """What a DHCP server gave: an address, and options by udhcpc's names."""

    address: str
    options: dict[str, str]


def guest6(lab: Lab, name: str, bridge: str, *, mac: str) -> NamedNamespace:
    """A guest like :meth:`Lab.guest`'s whose IPv6 addresses work at once."""
    made = lab.machine(name)
    made.run("sysctl", "-qw", "net.ipv6.conf.default.accept_dad=0")
    veth(f"p-{name}", "eth0", made, bridge=bridge, mac=mac)
    return made


def bridge(name: str, *addresses: str) -> None:
    """A bridge like ours, up, with addresses that work at once."""
    ip = "ip"
    subprocess.run([ip, "link", "add", name, "type", "bridge", "forward_delay", "0"], check=True)
    for key, value in (("accept_dad", "0"), ("accept_ra", "0")):
        Path(f"/proc/sys/net/ipv6/conf/{name}/{key}").write_text(value)
    subprocess.run([ip, "link", "set", name, "up"], check=True)
    for address in addresses:
        at_once = ["nodad"] if ":" in address else []
        subprocess.run([ip, "address", "add", address, "dev", name, *at_once], check=True)


def lease4(
    guest: NamedNamespace, directory: Path, hostname: str = "", *, seconds: int = 5
) -> Offer | None:
    """Ask for a lease with udhcpc; None where there is no answer. The address isn't set."""
    script = directory / "udhcpc.script"
    script.write_text(_TELL)
    script.chmod(0o755)
    named = ["-x", f"hostname:{hostname}"] if hostname else []
    # The names of options that aren't asked for by default.
    wanted = ["-O", "mtu", "-O", "ntpsrv"]
    done = guest.run(
        *("busybox", "udhcpc", "-i", "eth0", "-n", "-q", "-f", "-t", str(seconds), "-T", "1"),
        *("-s", str(script), *named, *wanted),
        check=False,
    )
    if done.returncode:
        return None
    pairs = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
    return Offer(pairs.pop("ip"), pairs)


def release4(guest: NamedNamespace, address: str, mac: str, server: str) -> None:
    """Give a lease back: a DHCPRELEASE (RFC 2131, section 4.4.6) as udhcpc sends it."""
    hardware = bytes.fromhex(mac.replace(":", ""))
    message = struct.pack("!4BIHH", 1, 1, 6, 0, secrets.randbits(32), 0, 0)
    message += IPv4Address(address).packed + bytes(12) + hardware.ljust(16, b"\0") + bytes(192)
    options = b"\x63\x82\x53\x63" + b"\x35\x01\x07"
    options += b"\x36\x04" + IPv4Address(server).packed + b"\x3d\x07\x01" + hardware + b"\xff"
    guest.run("ip", "address", "replace", f"{address}/24", "dev", "eth0")
    with inside(guest.name), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sending:
        sending.bind((address, 68))
        sending.sendto(message + options, (server, 67))


def lease6(guest: NamedNamespace, directory: Path, hostname: str = "") -> Offer:
    """Ask for a DHCPv6 lease with dhclient, whose DUID is made from its MAC (DUID-LL)."""
    script = directory / "dhclient.script"
    script.write_text(_TELL6)
    script.chmod(0o755)
    config = directory / f"dhclient-{guest.name}.conf"
    config.write_text(f'send fqdn.fqdn "{hostname}";\n' if hostname else "")
    files = directory / f"dhclient-{guest.name}"
    done = guest.run(
        *("dhclient", "-6", "-1", "-D", "LL", "-cf", str(config), "-sf", str(script)),
        *("-lf", f"{files}.leases", "-pf", f"{files}.pid", "eth0"),
    )
    guest.run("dhclient", "-6", "-x", "-pf", f"{files}.pid", "-lf", f"{files}.leases", "eth0")
    pairs = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
    return Offer(pairs.pop("address"), pairs)


def resolve(
    guest: NamedNamespace, server: str, name: str, type_: str = "A", *, port: int = 53
) -> list[str]:
    """What a DNS server answers a guest, as texts; empty where the name has no such record."""
    family = socket.AF_INET6 if ":" in server else socket.AF_INET
    with inside(guest.name), socket.socket(family, socket.SOCK_DGRAM) as asking:
        asking.settimeout(3)
        number = secrets.randbits(16)
        header = struct.pack("!6H", number, 0x0100, 1, 0, 0, 1)
        labels = [label.encode() for label in name.split(".")]
        question = b"".join(bytes([len(label)]) + label for label in labels) + b"\0"
        asking.connect((server, port))
        large = struct.pack("!BHHIH", 0, 41, 4096, 0, 0)  # answers up to 4 KiB (RFC 6891)
        asking.send(header + question + struct.pack("!HH", TYPES[type_], 1) + large)
        answer = asking.recv(65536)
    assert struct.unpack("!H", answer[:2])[0] == number
    return _answers(answer, TYPES[type_])


def _answers(message: bytes, wanted: int) -> list[str]:
    questions, count = struct.unpack("!HH", message[4:8])
    position = 12
    for _ in range(questions):
        position = _name(message, position)[1] + 4
    found = []
    for _ in range(count):
        _, position = _name(message, position)
        kind, _, _, length = struct.unpack("!HHIH", message[position : position + 10])
        position += 10
        if kind == wanted:
            found.append(_data(message, kind, position, length))
        position += length
    return found


def _data(message: bytes, kind: int, start: int, length: int) -> str:
    data = message[start : start + length]
    if kind == TYPES["A"]:
        return str(IPv4Address(data))
    if kind == TYPES["AAAA"]:
        return str(IPv6Address(data))
    if kind == TYPES["TXT"]:
        text, position = b"", 0
        while position < length:
            size = data[position]
            text += data[position + 1 : position + 1 + size]
            position += 1 + size
        return text.decode()
    numbers = {TYPES["MX"]: 1, TYPES["SRV"]: 3}.get(kind, 0)
    values = struct.unpack(f"!{numbers}H", data[: 2 * numbers])
    return " ".join([*map(str, values), _name(message, start + 2 * numbers)[0]])


def _name(message: bytes, position: int) -> tuple[str, int]:
    """A name and the place after it; names may go on elsewhere (RFC 1035, section 4.1.4)."""
    labels, end = [], 0
    while size := message[position]:
        if size & 0xC0:
            end = end or position + 2
            position = struct.unpack("!H", message[position : position + 2])[0] & 0x3FFF
            continue
        labels.append(message[position + 1 : position + 1 + size].decode())
        position += 1 + size
    return ".".join(labels), end or position + 1
