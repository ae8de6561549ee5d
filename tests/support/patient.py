"""A running network on a host with an uplink, and what of it works, found out with packets."""

from __future__ import annotations

import socket
import struct
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from tests.support.lab import Lab
from tests.support.packets import Fate, Packets, Probe, visiting
from vnet_tui.engine.doctor.explain import Explanation, Query
from vnet_tui.engine.doctor.visit import answer
from vnet_tui.engine.doctor.ways import (
    ADVERTISING,
    ARP,
    BRIDGED,
    DHCP,
    DHCP6,
    DNS,
    NEIGHBOURS,
    WAY_OUT,
)
from vnet_tui.engine.engine import Engine
from vnet_tui.sandbox.namespaces import NamedNamespace, veth

FORWARD = "allow tcp+udp 123 → web:321"

FOO = """<network><name>foo</name><bridge name="vnet-foo"/>
<dns domain="foo.test"/>
<dhcp>
  <ip address="10.0.0.1" prefix="24" start="10.0.0.100" end="10.0.0.200"/>
  <ip address="fd00:a::1" prefix="64" start="fd00:a::100" end="fd00:a::200"/>
  <host name="web" address="10.0.0.10"/>
  <host name="web" address="fd00:a::10"/>
</dhcp>
<forwarding><incoming><allow port="123" domain="web" destport="321"/></incoming></forwarding>
</network>"""

HOST = ("198.51.100.1", "2001:db8::1")
OUTSIDE = ("198.51.100.2", "2001:db8::2")
WEB = ("10.0.0.10", "fd00:a::10")
MAIL = ("10.0.0.11", "fd00:a::11")
GATEWAY = ("10.0.0.1", "fd00:a::1")
_SECONDS = 0.6
"""How long a question waits for its answer: all machines are in one kernel."""


class Patient:
    """The host, its network ``foo``, the guests ``web`` and ``mail``, the machine ``outside``."""

    def __init__(self, lab: Lab, engine: Engine) -> None:
        self.lab = lab
        self.engine = engine
        self.outside = self._outside()
        self._web: NamedNamespace | None = None
        self._mail: NamedNamespace | None = None
        self._packets: Packets | None = None

    @property
    def packets(self) -> Packets:
        """Probes between the machines."""
        assert self._packets is not None
        return self._packets

    @property
    def web(self) -> NamedNamespace:
        """The guest."""
        assert self._web is not None
        return self._web

    @property
    def mail(self) -> NamedNamespace:
        """The other guest."""
        assert self._mail is not None
        return self._mail

    async def start(self, document: str = FOO) -> None:
        """Define and start the network, and plug in its guest."""
        await self.engine.define(document)
        await self.engine.start(["foo"])
        self._web = web = self._guest("web", WEB)
        self._mail = mail = self._guest("mail", MAIL)
        machines = {"host": None, "web": web, "mail": mail}
        self._packets = packets = Packets({**machines, "outside": self.outside})
        packets.listen("web", 321, 443)
        packets.listen("outside", 443)
        packets.listen("mail", 443)

    async def close(self) -> None:
        """Stop the network and close sockets."""
        if self._packets is not None:
            self._packets.close()
        await self.engine.stop(["foo"])

    async def explain(self, queries: Sequence[Query]) -> list[Explanation]:
        """The answers to many questions about the host as it is now."""
        subject = await self.engine._subject("foo")
        return [answer(query, subject, self.engine.paths) for query in queries]

    def broken(self) -> set[str]:
        """What doesn't work now, in the doctor's words; found out with packets."""
        # Who was asked in vain before is asked again at once, and not a second later.
        for family in ("-4", "-6"):
            self.lab.ip(family, "neigh", "flush", "all")
            for machine in (self.web, self.mail, self.outside):
                machine.run("ip", family, "neigh", "flush", "dev", "eth0")
        tests = {
            DHCP: [self._dhcp4()],
            DNS: [self._dns(gateway, tcp) for gateway in GATEWAY for tcp in (False, True)],
            ARP: [self._finds(0)],
            NEIGHBOURS: [self._finds(1)],
            ADVERTISING: [self._advertised()],
            DHCP6: [self._dhcp6()],
            WAY_OUT: self._probes("web", OUTSIDE, 443),
            FORWARD: self._probes("outside", HOST, 123),
            BRIDGED: self._probes("web", MAIL, 443),
        }
        return {what for what, works in tests.items() if not all(works)}

    def _guest(self, name: str, addresses: tuple[str, str]) -> NamedNamespace:
        made = self.lab.machine(name)
        for key in ("accept_dad", "accept_ra"):
            made.run("sysctl", "-qw", f"net.ipv6.conf.default.{key}=0")
        veth(f"p-{name}", "eth0", made, bridge="vnet-foo")
        for address, route in zip(addresses, GATEWAY, strict=True):
            length = "/64" if ":" in address else "/24"
            made.run("ip", "address", "add", address + length, "dev", "eth0")
            made.run("ip", "route", "add", "default", "via", route)
        return made

    def _probes(self, who: str, to: tuple[str, str], port: int) -> list[bool]:
        probes = [Probe(who, protocol, one, port) for one in to for protocol in ("tcp", "udp")]
        return [answer.fate is Fate.PASS for answer in self.packets.probe(probes)]

    def _dhcp4(self) -> bool:
        """A DHCPDISCOVER from a socket of the guest's gets an offer."""
        hardware = bytes.fromhex("020000000099")
        message = struct.pack("!4BIHH", 1, 1, 6, 0, 4711, 0, 0x8000) + bytes(16)
        message += hardware.ljust(16, b"\0") + bytes(192)
        message += b"\x63\x82\x53\x63\x35\x01\x01\xff"
        with visiting(self.web), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            asking.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            asking.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            asking.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"eth0")
            asking.bind(("", 68))
            asking.settimeout(_SECONDS)
            asking.sendto(message, ("255.255.255.255", 67))
            with suppress(TimeoutError):
                return asking.recv(2048)[4:8] == struct.pack("!I", 4711)
        return False

    def _dns(self, server: str, tcp: bool) -> bool:
        """The guest's name can be asked for."""
        question = struct.pack("!6H", 1, 0x0100, 1, 0, 0, 0) + b"\3web\3foo\4test\0\0\1\0\1"
        family = socket.AF_INET6 if ":" in server else socket.AF_INET
        kind = socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM
        with visiting(self.web), socket.socket(family, kind) as asking:
            asking.settimeout(_SECONDS)
            with suppress(OSError):
                asking.connect((server, 53))
                asking.sendall(struct.pack("!H", len(question)) + question if tcp else question)
                return bool(asking.recv(512))
        return False

    def _finds(self, which: int) -> bool:
        """The guest, asked to forget the host, finds it again: by ARP (0), or for IPv6 (1)."""
        family, option = ((socket.AF_INET, "-4"), (socket.AF_INET6, "-6"))[which]
        self.web.run("ip", option, "neigh", "flush", "dev", "eth0")
        with visiting(self.web), socket.socket(family, socket.SOCK_DGRAM) as asking:
            asking.settimeout(_SECONDS)
            with suppress(OSError):
                asking.connect((GATEWAY[which], 9))
                asking.send(b"anybody there?")
                asking.recv(64)
        found = self.web.run("ip", option, "neigh", "show", GATEWAY[which], "dev", "eth0").stdout
        return "lladdr" in found

    def _advertised(self) -> bool:
        """A router solicitation (RFC 4861, section 4.1) gets an advertisement."""
        with (
            visiting(self.web),
            socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6) as asking,
        ):
            index = socket.if_nametoindex("eth0")
            asking.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
            asking.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
            # Nothing but advertisements (struct icmp6_filter, RFC 3542, section 3.2).
            wanted = [0xFFFFFFFF] * 8
            wanted[134 // 32] &= ~(1 << (134 % 32)) & 0xFFFFFFFF
            asking.setsockopt(socket.IPPROTO_ICMPV6, 1, struct.pack("=8I", *wanted))
            asking.settimeout(_SECONDS)
            asking.sendto(struct.pack("!BBHI", 133, 0, 0, 0), ("ff02::2", 0, 0, index))
            with suppress(TimeoutError):
                return asking.recv(2048)[0] == 134
        return False

    def _dhcp6(self) -> bool:
        """A SOLICIT (RFC 8415, section 8) gets an answer."""
        client = struct.pack("!HHHH", 1, 10, 3, 1) + bytes.fromhex("020000000099")
        message = struct.pack("!I", 1 << 24 | 4711) + client
        message += struct.pack("!HHIII", 3, 12, 1, 0, 0) + struct.pack("!HHH", 8, 2, 0)
        with visiting(self.web), socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as asking:
            index = socket.if_nametoindex("eth0")
            asking.bind(("::", 546))
            asking.settimeout(_SECONDS)
            asking.sendto(message, ("ff02::1:2", 547, 0, index))
            with suppress(TimeoutError):
                return asking.recv(2048)[1:4] == message[1:4]
        return False

    def _outside(self) -> NamedNamespace:
        """The machine beyond the uplink, by which everything goes."""
        outside = self.lab.machine("outside")
        for key in ("accept_dad", "accept_ra"):
            Path(f"/proc/sys/net/ipv6/conf/default/{key}").write_text("0")
            outside.run("sysctl", "-qw", f"net.ipv6.conf.default.{key}=0")
        veth("uplink", "eth0", outside)
        for here, there in zip(HOST, OUTSIDE, strict=True):
            length = "/64" if ":" in here else "/24"
            self.lab.ip("address", "add", here + length, "dev", "uplink")
            outside.run("ip", "address", "add", there + length, "dev", "eth0")
            self.lab.ip("route", "add", "default", "via", there)
        return outside


def run(commands: str) -> None:
    """Run commands as a person would paste them."""
    subprocess.run(["sh", "-euc", commands], check=True, capture_output=True)
