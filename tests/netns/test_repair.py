"""What others break of running networks is noticed, told, and mended; with real guests."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from tests.support.dhcp import lease4
from tests.support.eventually import soon
from tests.support.heard import Heard
from tests.support.inventory import inventory, links, processes_here
from tests.support.lab import Lab
from tests.support.networks import document
from vnet_tui.engine.engine import Engine
from vnet_tui.engine.views import EventKind, State
from vnet_tui.sandbox.namespaces import NamedNamespace, veth

MAC = "52:54:00:00:00:77"
OUTSIDE, UPLINK = "198.51.100.1", "198.51.100.2"
ONE = document(
    "one",
    '<switch type="vde" socket="/run/vde/one"/>',
    '<forwarding><incoming><allow port="123" domain="web" destport="321"/></incoming></forwarding>',
)


@pytest.fixture
async def engine(lab: Lab) -> AsyncIterator[Engine]:
    """An engine that watches network ``one`` run; what runs at the end is stopped."""
    async with Engine(lab.paths) as made:
        await made.define(ONE)
        await made.start(["one"])
        await made.watch()
        await _right(made)
        yield made
        await made.stop([info.uuid for info in await made.networks() if info.active])


async def _right(engine: Engine, name: str = "one") -> None:
    """Wait until a network is as it should be, and known to be."""

    async def is_right() -> bool:
        info = await engine.network(name)
        return info.state is State.ACTIVE and not await engine.plan("apply", [name])

    await soon(is_right, what=f"{name} is still not right")


def _sh(command: str) -> None:
    subprocess.run(["sh", "-euc", command], check=True)


def _kill_dnsmasq() -> None:
    for pid, line in processes_here().items():
        if "dnsmasq" in line:
            os.kill(pid, signal.SIGKILL)


def _remove_config(lab: Lab) -> None:
    for directory in lab.paths.dnsmasq.iterdir():
        shutil.rmtree(directory)


def _kill_switch() -> None:
    for pid, line in processes_here().items():
        if "vde_switch" in line:
            os.kill(pid, signal.SIGKILL)


def _tap() -> str:
    return next(name for name in links() if name.startswith("vde-"))


Break = Callable[[Lab], object]

BREAKS: dict[str, tuple[Break, str, str]] = {
    "the bridge is deleted": (
        lambda _: _sh("ip link del vn-one"),
        "bridge vn-one is gone",
        "create bridge vn-one",
    ),
    "the bridge is renamed": (
        lambda _: _sh("printf 'link set vn-one down\\nlink set vn-one name other up' | ip -b -"),
        "its bridge is called other",
        "delete bridge other",
    ),
    "the bridge is brought down": (
        lambda _: _sh("ip link set vn-one down"),
        "bridge vn-one is down",
        "bring up bridge vn-one",
    ),
    "its address is removed": (
        lambda _: _sh("ip address del 10.1.0.1/24 dev vn-one"),
        "address 10.1.0.1/24 is gone from vn-one",
        "add address 10.1.0.1/24 to vn-one",
    ),
    "its MTU is changed": (
        lambda _: _sh("ip link set vn-one mtu 1400"),
        "MTU 1400 instead of 1500",
        "mtu 1400 → 1500",
    ),
    "spanning tree is switched on": (
        lambda _: _sh("ip link set vn-one type bridge stp_state 1"),
        "spanning tree on instead of off",
        "stp True → False",
    ),
    "its mark is removed": (
        lambda _: _sh("ip link set vn-one alias ''"),
        "bridge vn-one has lost its mark",
        "bring up bridge vn-one",
    ),
    "our table is deleted": (
        lambda _: _sh("nft delete table inet vnet"),
        "our firewall rules were changed",
        "write our table anew",
    ),
    "the whole ruleset is flushed": (
        lambda _: _sh("nft flush ruleset"),
        "our firewall rules were changed",
        "write our table anew",
    ),
    "dnsmasq is killed": (
        lambda _: _kill_dnsmasq(),
        "dnsmasq on vn-one doesn't run",
        "start dnsmasq on vn-one",
    ),
    "the files of dnsmasq are removed": (
        _remove_config,
        "the configuration of dnsmasq on vn-one was changed or removed",
        "restart dnsmasq on vn-one",
    ),
    "vde_switch is killed": (
        lambda _: _kill_switch(),
        "vde_switch on vn-one doesn't run",
        "start vde_switch on vn-one",
    ),
    "the interface of vde_switch is deleted": (
        lambda _: _sh(f"ip link del {_tap()}"),
        "vde_switch lost its interface vde-",
        "start vde_switch on vn-one",
    ),
    "the interface of vde_switch is unplugged": (
        lambda _: _sh(f"ip link set {_tap()} nomaster"),
        "of vde_switch isn't a port of vn-one",
        "into vn-one",
    ),
    "a setting of the bridge is changed": (
        lambda _: _sh("echo 0 > /proc/sys/net/ipv4/conf/vn-one/route_localnet"),
        "net.ipv4.conf.vn-one.route_localnet is 0 instead of 1",
        "set net.ipv4.conf.vn-one.route_localnet = 1",
    ),
    "forwarding is switched off": (
        lambda _: _sh("sysctl -qw net.ipv4.ip_forward=0"),
        "net.ipv4.ip_forward is 0 instead of 1",
        "set net.ipv4.ip_forward = 1",
    ),
}


@pytest.mark.parametrize("what", BREAKS)
async def test_what_others_break_is_told_and_mended_and_guests_go_on(
    engine: Engine, lab: Lab, tmp_path: Path, what: str
) -> None:
    do, symptom, repair = BREAKS[what]
    outside = _uplink(lab)
    guest = await _joined(lab, tmp_path)
    await soon(lambda: _answers(guest, OUTSIDE))
    await _right(engine)
    before = _things(lab)
    heard = Heard(engine)
    await asyncio.to_thread(do, lab)
    await heard.hears(EventKind.DRIFTED, symptom)
    await heard.hears(EventKind.RECOVERED, repair)
    await _right(engine)
    await soon(lambda: _is(lab, before), what="something isn't as it was")
    assert not heard.of(EventKind.FAILED, EventKind.WARNING)
    # The guest is still plugged in, is served, and gets out.
    assert links()["p-web"]["master"] == "vn-one"
    assert await asyncio.to_thread(lease4, guest, tmp_path, "web") is not None
    await soon(lambda: _answers(guest, OUTSIDE), what="the guest doesn't get out")
    await soon(lambda: _answers(outside, UPLINK))


async def _is(lab: Lab, things: dict[str, object]) -> bool:
    return _things(lab) == things


def _things(lab: Lab) -> dict[str, object]:
    """What there is, but for the sets in which the firewall's rules count."""
    found = inventory(lab.paths)
    del found["ruleset"]
    return {**found, **links()}


def _uplink(lab: Lab) -> NamedNamespace:
    outside = lab.machine("outside")
    veth("up0", "eth0", outside)
    lab.ip("address", "add", f"{UPLINK}/24", "dev", "up0")
    outside.run("ip", "address", "add", f"{OUTSIDE}/24", "dev", "eth0")
    return outside


async def _joined(lab: Lab, tmp_path: Path) -> NamedNamespace:
    guest = lab.guest("web", "vn-one", mac=MAC)
    offer = await asyncio.to_thread(lease4, guest, tmp_path, "web")
    assert offer is not None
    guest.run("ip", "address", "add", f"{offer.address}/24", "dev", "eth0")
    guest.run("ip", "route", "add", "default", "via", "10.1.0.1")
    return guest


async def _answers(guest: NamedNamespace, address: str) -> bool:
    asked = ("ping", "-c", "1", "-W", "1", address)
    done = await asyncio.to_thread(guest.run, *asked, check=False)
    return done.returncode == 0


DUAL = """<network><name>dual</name><bridge name="vn-dual"/>
<dhcp><ip address="10.5.0.1" prefix="24"/><ip address="fd00:5::1" prefix="64"/></dhcp>
<forwarding mode="route"/></network>"""


@pytest.mark.parametrize(
    "command",
    [
        "ip address del fd00:5::1/64 dev vn-dual",
        "echo 1 > /proc/sys/net/ipv6/conf/vn-dual/disable_ipv6",
        "sysctl -qw net.ipv6.conf.all.disable_ipv6=1",
        "echo 1 > /proc/sys/net/ipv6/conf/vn-dual/accept_ra",
        "sysctl -qw net.ipv6.conf.all.forwarding=0",
        "ip link set vn-dual mtu 1000",
        "ip link del vn-dual",
    ],
)
async def test_what_others_do_to_ipv6_is_mended_too(engine: Engine, lab: Lab, command: str) -> None:
    await engine.define(DUAL)
    await engine.start(["dual"])
    await _right(engine, "dual")
    before = {**inventory(lab.paths), "links": links()["vn-dual"]}
    heard = Heard(engine)
    await asyncio.to_thread(_sh, command)
    await heard.told(EventKind.RECOVERED)
    await _right(engine, "dual")
    assert {**inventory(lab.paths), "links": links()["vn-dual"]} == before
    assert not heard.of(EventKind.FAILED)


async def test_what_is_asked_for_isnt_drift(engine: Engine, lab: Lab) -> None:
    lab.guest("web", "vn-one")
    heard = Heard(engine)
    await engine.stop(["one"])
    await engine.start(["one"])
    assert links()["p-web"]["master"] is None
    lab.ip("link", "set", "p-web", "master", "vn-one")
    await engine.restart(["one"])
    await engine.define(ONE.replace('prefix="24"', 'prefix="25"').replace("200", "120"))
    await engine.apply("one")
    await _right(engine)
    await asyncio.to_thread(_sh, "ip link set vn-one mtu 1400")
    await heard.told(EventKind.RECOVERED)
    assert len(heard.of(EventKind.DRIFTED)) == 1
    assert links()["p-web"]["master"] == "vn-one"


async def test_what_administrators_add_is_left_alone(engine: Engine, lab: Lab) -> None:
    heard = Heard(engine)
    additions = """
        ip address add 10.99.0.1/24 dev vn-one
        ip route add 10.98.0.0/24 via 10.1.0.7
        ip link add tap9 type veth peer name other
        ip link set tap9 master vn-one
        nft add table inet theirs
        nft add chain inet theirs forward '{ type filter hook forward priority 5; }'
    """
    await asyncio.to_thread(_sh, additions)
    await asyncio.to_thread(_sh, "ip link set vn-one mtu 1400")
    await heard.told(EventKind.RECOVERED)
    await _right(engine)
    assert len(heard.of(EventKind.DRIFTED)) == 1
    assert links()["vn-one"]["addresses"] == ["10.1.0.1/24", "10.99.0.1/24"]
    assert links()["tap9"]["master"] == "vn-one"
    assert '"table": "theirs"' in str(inventory(lab.paths)["ruleset"])
    routes = await asyncio.to_thread(subprocess.check_output, ["ip", "route"], text=True)
    assert "10.98.0.0/24 via 10.1.0.7" in routes
