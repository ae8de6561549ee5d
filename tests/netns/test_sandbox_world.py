"""What the sandbox holds: running networks, guests that live on them, an internet, traffic."""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Iterator

import pytest

from tests.support.eventually import eventually
from tests.support.sandbox import ENGINE, Sandbox, Starter
from vnet_tui.sandbox import world
from vnet_tui.sandbox.guests import GUESTS
from vnet_tui.sandbox.traffic import RATE

FOO_GUESTS = sorted(guest.name for guest in GUESTS if guest.network == "Foo")

_ECHO = """
import socket, sys
kind = getattr(socket, "SOCK_" + sys.argv[1])
with socket.socket(socket.AF_INET, kind) as asking:
    asking.settimeout(3)
    asking.connect((sys.argv[2], int(sys.argv[3])))
    asking.sendall(b"marco")
    print(asking.recv(100).decode())
"""

_FETCH = """
import sys, urllib.request
with urllib.request.urlopen(sys.argv[1], timeout=5) as page:
    print(page.read().decode())
"""

_ASK = """
import asyncio
from vnet_tui import client

async def ask():
    connection = await client.open("vnet:///system")
    await connection.stop(["lab"])
    print((await connection.host()).via, *(one.name for one in await connection.networks()))
    await connection.close()

asyncio.run(ask())
"""


@pytest.fixture(params=[False, True], ids=["root", "plain user"])
def sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    starter = Starter(plain=request.param)
    with Sandbox(starter, ENGINE) as made:
        yield made
    starter.close()


def vnet(sandbox: Sandbox, *arguments: str) -> str:
    call = f"import sys; from vnet_tui.cli.main import main; sys.exit(main({list(arguments)!r}))"
    return sandbox.run(f"{sandbox.python} -c {call!r}")


def guest(name: str, command: str) -> str:
    """A shell command as it is run on a guest."""
    return f"nsenter --net=/run/netns/{name} -- {command}"


def lease_of(sandbox: Sandbox, name: str) -> str:
    """The address that a guest has by DHCP; empty while it has none."""
    return sandbox.run(f"head -n 1 /run/vnet-sandbox/{name}.lease 2>/dev/null", check=False)


def wait_for_lease(sandbox: Sandbox, name: str) -> str:
    return eventually(lambda: lease_of(sandbox, name), what=f"a lease of {name}")


def received(sandbox: Sandbox, interface: str) -> int:
    """Bytes in and out of an interface."""
    for line in sandbox.run("cat /proc/net/dev").splitlines():
        name, _, counters = line.partition(":")
        if name.strip() == interface:
            fields = counters.split()
            return int(fields[0]) + int(fields[8])
    raise AssertionError(f"no interface {interface}")


def test_networks_run_and_their_guests_have_names_and_leases(sandbox: Sandbox) -> None:
    for name in FOO_GUESTS:
        wait_for_lease(sandbox, name)
    leases = [line.split() for line in sandbox.run("cat $VNET_STATE_DIR/leases/596*").splitlines()]
    assert sorted(lease[3] for lease in leases) == FOO_GUESTS
    listed = vnet(sandbox, "network-list", "--all")
    states = dict.fromkeys(("Foo", "lab", "dmz"), "active")
    states |= dict.fromkeys(("isolated", "old"), "inactive")
    for name, state in states.items():
        (line,) = (line for line in listed.splitlines() if f" {name} " in line)
        assert f" {state} " in line, listed


def test_guests_reach_the_internet_and_each_other(sandbox: Sandbox) -> None:
    wait_for_lease(sandbox, "web")
    foobar = wait_for_lease(sandbox, "foobar")
    asked = sandbox.run(guest("web", f"busybox nslookup {world.WWW_NAME} 10.0.0.1"))
    assert world.WWW_V4 in asked
    page = sandbox.run(guest("web", f"{sandbox.python} -c '{_FETCH}' http://{world.WWW_V4}/"))
    assert "It works" in page
    for kind in ("STREAM", "DGRAM"):
        echo = guest("web", f"{sandbox.python} -c '{_ECHO}' {kind} {foobar} 321")
        assert sandbox.run(echo) == "marco"
    # The host's own view is the internet's name server too.
    assert world.WWW_V6 in sandbox.run(f"getent ahosts {world.WWW_NAME}")


def test_the_internet_reaches_foobar_by_the_port_of_the_host(sandbox: Sandbox) -> None:
    wait_for_lease(sandbox, "foobar")
    echo = f"{sandbox.python} -c '{_ECHO}' STREAM {world.HOST_V4} {world.OPEN_PORT}"
    ask = guest(world.INTERNET, echo)
    eventually(lambda: sandbox.run(ask, check=False) == "marco", what="the forwarded port")


def test_programs_reach_the_daemon_and_may_change_what_it_has(sandbox: Sandbox) -> None:
    call = shlex.quote(_ASK)
    told = sandbox.run(f"{sandbox.python} -c {call}").split()
    assert told[0] == "sandbox"
    assert sorted(told[1:]) == ["Foo", "dmz", "isolated", "lab", "old"]
    vnet(sandbox, "network-start", "lab")
    # Who asked is in the daemon's log: so it wasn't an engine in the program.
    eventually(
        lambda: ": start lab: " in sandbox.run("cat /run/vnet-sandbox/vnetd.log"), what="a start"
    )


def test_the_daemon_is_the_one_that_made_the_networks(sandbox: Sandbox) -> None:
    holder = sandbox.run("cat /run/vnet/vnetd.lock").strip()
    assert "vnet_tui.daemon.sandboxed" in sandbox.run(f"tr '\\0' ' ' </proc/{holder}/cmdline")
    assert sandbox.run("stat -c %F /run/vnet/vnetd.sock") == "socket"


def test_guests_come_back_when_their_network_does(sandbox: Sandbox) -> None:
    wait_for_lease(sandbox, "mail")
    vnet(sandbox, "network-stop", "Foo")
    sandbox.run("rm /run/vnet-sandbox/mail.lease")
    vnet(sandbox, "network-start", "Foo")
    wait_for_lease(sandbox, "mail")
    ping = guest("mail", "ping -c 1 -W 1 10.0.0.1")
    eventually(lambda: " 0% packet loss" in sandbox.run(ping, check=False), what="an answer")


def test_traffic_flows_within_its_bounds(sandbox: Sandbox) -> None:
    begun = time.monotonic()
    listed = sandbox.run("ip -oneline link show type bridge").splitlines()
    bridges = [line.split(": ")[1] for line in listed]
    assert len(bridges) == 3

    def flowed() -> int:
        return sum(received(sandbox, bridge) for bridge in bridges)

    eventually(lambda: flowed() > 300_000, within=60, what="some traffic")
    elapsed = time.monotonic() - begun
    saved_up = 200_000
    headers = 1.25
    assert flowed() < (saved_up + RATE * elapsed) * headers
    life = sandbox.run("pgrep -o -f vnet_tui.sandbox.life")
    ticks = sandbox.run(f"cat /proc/{life}/stat").rpartition(")")[2].split()
    used = (int(ticks[11]) + int(ticks[12])) / os.sysconf("SC_CLK_TCK")
    starting = 0.5
    assert used < starting + 0.02 * elapsed
