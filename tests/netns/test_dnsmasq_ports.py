"""Ports that others hold: told before a start exactly when dnsmasq couldn't have them."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

import pytest

from tests.support.dhcp import bridge
from tests.support.eventually import eventually
from tests.support.lab import Lab
from tests.support.sandbox import alive
from vnet_tui.engine.dnsmasq_config import dnsmasq_spec
from vnet_tui.engine.drivers.dnsmasq import Dnsmasq
from vnet_tui.engine.errors import DriverError
from vnet_tui.engine.model import Network
from vnet_tui.engine.resources import DnsmasqSpec
from vnet_tui.engine.xml import parse

FOO = UUID(int=0xF00)
ANY = "0.0.0.0"  # noqa: S104  (inside a test's own namespace)

HOLDER = """
import socket, sys
kind, address, port, *options = sys.argv[1:]
family = socket.AF_INET6 if ":" in address else socket.AF_INET
held = socket.socket(family, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM)
for option in options:
    if option == "v6only":
        held.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    elif option.startswith("device="):
        held.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, option[7:].encode())
    else:
        held.setsockopt(socket.SOL_SOCKET, getattr(socket, option), 1)
held.setsockopt(socket.IPPROTO_IP, 15, 1)  # IP_FREEBIND, for both families
held.bind((address, int(port)))
if kind == "tcp":
    held.listen()
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def holder(*arguments: str) -> Iterator[int]:
    """Another program that holds a port; its pid."""
    command = [sys.executable, "-c", HOLDER, *arguments]
    program = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with program:
        assert program.stdout is not None
        assert program.stdout.readline() == "held\n"
        yield program.pid


def network(*parts: str) -> Network:
    both = """<ip address="10.5.0.1" prefix="24" start="10.5.0.100" end="10.5.0.200"/>
        <ip address="fd00:5::1" prefix="64" start="fd00:5::100" end="fd00:5::1ff"/>"""
    return parse(f"<network><name>foo</name><dhcp>{both}</dhcp>{''.join(parts)}</network>")


def spec(lab: Lab, net: Network) -> DnsmasqSpec:
    made = dnsmasq_spec(net, FOO, "vnet-foo", lab.paths)
    assert made is not None
    return made


@dataclass(frozen=True)
class Case:
    """Who holds what, and whether that is in the way."""

    arguments: tuple[str, ...]
    in_the_way: bool

    def __str__(self) -> str:
        return "-".join(self.arguments)


CASES = [
    Case(("udp", ANY, "53"), True),
    Case(("udp", ANY, "53", "SO_REUSEADDR"), False),
    Case(("udp", ANY, "53", "SO_REUSEPORT"), True),
    Case(("tcp", ANY, "53", "SO_REUSEADDR"), True),
    Case(("udp", "10.5.0.1", "53"), True),
    Case(("tcp", "10.5.0.1", "53"), True),
    Case(("udp", "127.0.0.1", "53"), False),
    Case(("tcp", "127.0.0.53", "53"), False),
    Case(("udp", "::", "53"), True),
    Case(("udp", "::", "53", "v6only"), True),
    Case(("udp", "::1", "53"), False),
    Case(("tcp", "fd00:5::1", "53"), True),
    Case(("udp", ANY, "67"), True),
    Case(("udp", ANY, "67", "SO_REUSEADDR"), False),
    Case(("udp", ANY, "67", "SO_REUSEPORT"), False),
    Case(("udp", ANY, "67", "device=lo"), True),
    Case(("udp", "127.0.0.1", "67"), True),
    Case(("udp", "::", "547"), True),
    Case(("udp", "::", "547", "SO_REUSEADDR"), False),
    Case(("tcp", ANY, "67"), False),
    Case(("udp", ANY, "5353"), False),
]


@pytest.mark.parametrize("case", CASES, ids=str)
async def test_a_holder_is_told_of_when_dnsmasq_could_not_start(lab: Lab, case: Case) -> None:
    driver, net = Dnsmasq(lab.paths), network()
    with holder(*case.arguments) as pid:
        # Before a start neither the bridge nor its addresses are there.
        problems = await driver.port_conflicts(net)
        bridge("vnet-foo", "10.5.0.1/24", "fd00:5::1/64")
        assert await driver.port_conflicts(net) == problems
        if case.in_the_way:
            with pytest.raises(DriverError, match="in use"):
                await driver.start(spec(lab, net))
        else:
            await driver.start(spec(lab, net))
            await driver.stop(spec(lab, net))
        assert bool(problems) is case.in_the_way
        protocol, address, port = case.arguments[:3]
        begin = f"{protocol.upper()} port {port} on {address} is held by python"
        for problem in problems:
            assert problem.message.startswith(begin)
            assert f"(pid {pid})" in problem.message
            assert problem.line in (1, 2)
            assert problem.remedy


async def test_our_own_are_never_in_the_way(lab: Lab) -> None:
    driver, net = Dnsmasq(lab.paths), network()
    bridge("vnet-foo", "10.5.0.1/24", "fd00:5::1/64")
    await driver.start(spec(lab, net))
    assert await driver.port_conflicts(net) == ()
    await driver.stop(spec(lab, net))


async def test_a_port_that_is_not_needed_is_not_in_the_way(lab: Lab) -> None:
    driver = Dnsmasq(lab.paths)
    with holder("udp", ANY, "53"), holder("udp", ANY, "67"):
        silent = parse(
            '<network><name>foo</name><dns enabled="false"/><dhcp enabled="false">'
            '<ip address="10.5.0.1" prefix="24"/></dhcp></network>'
        )
        assert await driver.port_conflicts(silent) == ()
        no_dns = network('<dns enabled="false"/>')
        (only,) = await driver.port_conflicts(no_dns)
        assert "port 67" in only.message


async def test_a_wildcard_dnsmasq_of_the_host_is_named(lab: Lab) -> None:
    """As when the host runs dnsmasq with its default settings, which take every address."""
    lab.paths.run.mkdir()
    pid_file = lab.paths.run / "pid"
    subprocess.run(  # noqa: ASYNC221  (done once it serves)
        ["dnsmasq", "--conf-file=/dev/null", "--no-resolv", f"--pid-file={pid_file}"], check=True
    )
    pid = int(pid_file.read_text())
    try:
        problems = await Dnsmasq(lab.paths).port_conflicts(network())
        assert {problem.message.split(",")[0] for problem in problems} == {
            f"TCP port 53 on 0.0.0.0 is held by dnsmasq (pid {pid})",
            f"TCP port 53 on :: is held by dnsmasq (pid {pid})",
        }
    finally:
        os.kill(pid, 15)
        eventually(lambda: not alive({pid}))
