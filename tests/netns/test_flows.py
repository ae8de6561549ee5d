"""Who talks with whom: connections of real guests, counted by the real kernel."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from ipaddress import ip_address

import pytest

from tests.support.eventually import soon
from tests.support.lab import Lab
from vnet_tui.engine.desired import FLOW_ACCOUNTING
from vnet_tui.engine.drivers.sysctl import Sysctl
from vnet_tui.engine.engine import Engine
from vnet_tui.engine.errors import StateError
from vnet_tui.engine.views import Flow
from vnet_tui.sandbox.namespaces import NamedNamespace, veth

UPLINK, OUTSIDE, WEB = "198.51.100.2", "198.51.100.1", "10.0.0.10"
DOCUMENT = f"""
<network>
  <name>foo</name>
  <dhcp>
    <ip address="10.0.0.1" prefix="24"/>
    <ip address="fd00:7::1" prefix="64"/>
    <host mac="52:54:00:00:00:0a" name="web" address="{WEB}"/>
  </dhcp>
  <forwarding>
    <incoming><allow port="8080" protocol="tcp" domain="web" destport="80"/></incoming>
  </forwarding>
</network>
"""

SERVE = """
import socket, sys
server = socket.create_server((sys.argv[1], int(sys.argv[2])))
print("ready", flush=True)
while True:
    one, _ = server.accept()
    size = int(one.recv(64))
    one.sendall(b"x" * size)
"""

FETCH = """
import socket, sys
one = socket.create_connection((sys.argv[1], int(sys.argv[2])), 10)
one.sendall(sys.argv[3].encode())
left = int(sys.argv[3])
while left:
    left -= len(one.recv(min(left, 65536)))
print("fetched", flush=True)
sys.stdin.read()
"""


class Talking:
    """A guest and a machine outside, and programs that hold connections between them."""

    def __init__(self, lab: Lab, engine: Engine) -> None:
        self.engine = engine
        self._programs: list[asyncio.subprocess.Process] = []
        self.web = lab.guest("web", "vnet-foo")
        self.web.run("ip", "address", "add", f"{WEB}/24", "dev", "eth0")
        self.web.run("ip", "route", "add", "default", "via", "10.0.0.1")
        self.outside = lab.machine("outside")
        veth("up0", "eth0", self.outside)
        lab.ip("address", "add", f"{UPLINK}/24", "dev", "up0")
        self.outside.run("ip", "address", "add", f"{OUTSIDE}/24", "dev", "eth0")
        self.outside.run("ip", "route", "add", "10.0.0.0/24", "via", UPLINK)

    async def serve(self, machine: NamedNamespace, address: str, port: int) -> None:
        await self._start(machine, SERVE, address, str(port))

    async def fetch(self, machine: NamedNamespace, address: str, port: int, size: int) -> None:
        """Get so many bytes, and keep the connection."""
        await self._start(machine, FETCH, address, str(port), str(size))

    async def _start(self, machine: NamedNamespace, program: str, *arguments: str) -> None:
        """Run until it says that it is ready, or done."""
        made = await asyncio.create_subprocess_exec(
            *machine.command(sys.executable, "-c", program, *arguments),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        self._programs.append(made)
        assert made.stdout is not None
        async with asyncio.timeout(10):
            assert await made.stdout.readline()

    async def end(self) -> None:
        """End all programs."""
        for program in self._programs:
            program.kill()
            await program.wait()

    async def flow(self, opened: str) -> Flow:
        found = [flow for flow in (await self.engine.flows("foo")).flows if flow.opened == opened]
        assert len(found) == 1, "\n".join(map(str, found))
        return found[0]


@pytest.fixture
async def talking(lab: Lab) -> AsyncIterator[Talking]:
    async with Engine(lab.paths) as engine:
        await engine.define(DOCUMENT)
        with pytest.raises(StateError, match="doesn't run"):
            await engine.flows("foo")
        await engine.start(["foo"])
        assert (await engine.flows("foo")).flows == ()
        made = Talking(lab, engine)
        yield made
        await made.end()
        await engine.stop(["foo"])


async def test_a_download_is_counted_towards_the_guest(talking: Talking) -> None:
    await talking.serve(talking.outside, OUTSIDE, 443)
    await talking.fetch(talking.web, OUTSIDE, 443, 1_000_000)
    flow = await talking.flow("out")
    assert (str(flow.guest), str(flow.peer), flow.peer_port) == (WEB, OUTSIDE, 443)
    assert (flow.protocol, flow.state, flow.asked) == ("tcp", "established", None)
    assert flow.in_bytes is not None
    assert 1_000_000 < flow.in_bytes < 1_100_000
    assert flow.out_bytes is not None
    assert flow.out_bytes < 200_000


async def test_a_forwarded_connection_tells_where_it_was_asked_for(talking: Talking) -> None:
    await talking.serve(talking.web, WEB, 80)
    await talking.fetch(talking.outside, UPLINK, 8080, 500_000)
    flow = await talking.flow("in")
    assert (str(flow.guest), flow.guest_port, str(flow.peer)) == (WEB, 80, OUTSIDE)
    assert (flow.asked, flow.asked_port) == (ip_address(UPLINK), 8080)
    assert flow.out_bytes is not None
    assert flow.out_bytes > 500_000


async def test_rates_come_with_the_second_look(talking: Talking) -> None:
    await talking.engine.flows("foo")
    await talking.serve(talking.outside, OUTSIDE, 443)
    await talking.fetch(talking.web, OUTSIDE, 443, 1_000_000)

    async def rate() -> float | None:
        return (await talking.flow("out")).in_bits

    assert (await soon(rate, what="a rate") or 0) > 500_000


async def test_other_traffic_of_the_host_is_not_told(talking: Talking) -> None:
    await talking.serve(talking.outside, OUTSIDE, 443)
    made = await asyncio.create_subprocess_exec(
        sys.executable, "-c", FETCH, OUTSIDE, "443", "1000",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert made.stdout is not None
    assert await made.stdout.readline()
    assert (await talking.engine.flows("foo")).flows == ()
    made.kill()
    await made.wait()


async def test_only_as_many_as_asked_for_the_busiest_first(talking: Talking) -> None:
    await talking.serve(talking.outside, OUTSIDE, 443)
    for size in (1_000, 300_000, 20_000):
        await talking.fetch(talking.web, OUTSIDE, 443, size)
    told = await talking.engine.flows("foo", 2)
    assert told.total == 3
    amounts = [flow.in_bytes or 0 for flow in told.flows]
    assert len(amounts) == 2
    assert amounts[0] > 300_000 > amounts[1] > 20_000


async def test_counting_ends_with_the_last_network(lab: Lab) -> None:
    sysctl = Sysctl(lab.paths)
    async with Engine(lab.paths) as engine:
        await engine.define(DOCUMENT)
        await engine.start(["foo"])
        before = sysctl.read(FLOW_ACCOUNTING)
        assert before == "0"
        await engine.flows("foo")
        assert sysctl.read(FLOW_ACCOUNTING) == "1"
        assert not await engine.plan("apply", ["foo"])
        await engine.restart(["foo"])
        assert sysctl.read(FLOW_ACCOUNTING) == "1"
        await engine.stop(["foo"])
        assert sysctl.read(FLOW_ACCOUNTING) == before
