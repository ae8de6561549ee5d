"""Bridges, addresses and ports in a real kernel: what is asked for is what is there then."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Network, ip_interface, ip_network
from pathlib import Path
from typing import Any

import pytest

from tests.support.lab import Lab
from vnet_tui.engine.drivers.links import Happened, LinkChange, Links, LinkWatch, ports
from vnet_tui.engine.errors import DriverError
from vnet_tui.engine.resources import BridgeSettings, BridgeSpec

SETTINGS = BridgeSettings(mac="02:00:00:00:00:0a", mtu=1400, stp=False, forward_delay=0)
SPEC = BridgeSpec(name="br-a", mark="vnet:mark of ours", settings=SETTINGS)


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


def batch(*commands: str) -> None:
    subprocess.run(["ip", "-batch", "-"], input="\n".join(commands), check=True, text=True)


def disable_ipv6(interface: str) -> None:
    Path(f"/proc/sys/net/ipv6/conf/{interface}/disable_ipv6").write_text("1")


def shown(*words: str) -> list[dict[str, Any]]:
    """What ip(8) says, as an independent witness."""
    run = subprocess.run(["ip", "-j", "-d", *words], check=True, capture_output=True, text=True)
    return list(json.loads(run.stdout))


async def test_a_bridge_comes_as_it_was_asked_for(lab: Lab) -> None:
    async with await Links.open() as links:
        await links.create_bridge(SPEC)
        assert "UP" not in shown("link", "show", "br-a")[0]["flags"]
        await links.mark_bridge(SPEC)
        found = (await links.snapshot()).links["br-a"]
    witness = shown("link", "show", "br-a")[0]
    assert witness["address"] == SETTINGS.mac
    assert witness["mtu"] == 1400
    assert witness["ifalias"] == SPEC.mark
    assert "UP" in witness["flags"]
    assert witness["linkinfo"]["info_data"]["forward_delay"] == 0
    assert witness["linkinfo"]["info_data"]["stp_state"] == 0
    assert found.index == witness["ifindex"]
    assert (found.kind, found.alias, found.up, found.carrier) == (
        "bridge", SPEC.mark, True, False
    )  # fmt: skip
    assert found.settings == SETTINGS
    assert found.master is None


async def test_a_name_that_is_taken_is_an_error_that_says_so(lab: Lab) -> None:
    ip("link", "add", "br-a", "type", "bridge")
    before = shown("link", "show", "br-a")
    async with await Links.open() as links:
        with pytest.raises(DriverError, match="creating bridge br-a: File exists"):
            await links.create_bridge(SPEC)
    assert shown("link", "show", "br-a") == before


@pytest.mark.parametrize("mtu", [1280, 1500, 9000, 65535])
async def test_ports_do_not_change_the_mtu(lab: Lab, mtu: int) -> None:
    spec = replace(SPEC, settings=replace(SETTINGS, mtu=mtu))
    async with await Links.open() as links:
        await links.create_bridge(spec)
        await links.mark_bridge(spec)
        ip("link", "add", "small", "mtu", "1300", "type", "veth", "peer", "name", "far")
        await links.attach("br-a", ("small",))
        found = (await links.snapshot()).links
    assert found["br-a"].settings == spec.settings
    assert found["small"].master == "br-a"


async def test_spanning_tree_and_its_delay_go_together(lab: Lab) -> None:
    on = replace(SETTINGS, stp=True, forward_delay=15)
    async with await Links.open() as links:
        with pytest.raises(DriverError, match="forward delay can't be 1 s") as refused:
            await links.create_bridge(replace(SPEC, settings=replace(on, forward_delay=1)))
        assert "2 to 30 s" in refused.value.remedy
        assert "br-a" not in (await links.snapshot()).links
        await links.create_bridge(replace(SPEC, settings=on))
        await links.mark_bridge(replace(SPEC, settings=on))
        assert (await links.snapshot()).links["br-a"].settings == on
        await links.change_bridge("br-a", on, SETTINGS)
        assert (await links.snapshot()).links["br-a"].settings == SETTINGS
        await links.change_bridge("br-a", SETTINGS, on)
        assert (await links.snapshot()).links["br-a"].settings == on


async def test_a_change_that_fails_leaves_all_as_it_was(lab: Lab) -> None:
    multicast = replace(SETTINGS, mtu=2000, stp=True, forward_delay=4, mac="01:00:5e:00:00:01")
    async with await Links.open() as links:
        await links.create_bridge(SPEC)
        await links.mark_bridge(SPEC)
        with pytest.raises(DriverError, match="changing bridge br-a: Cannot assign"):
            await links.change_bridge("br-a", SETTINGS, multicast)
        assert (await links.snapshot()).links["br-a"].settings == SETTINGS


async def test_a_change_keeps_ports_and_addresses(lab: Lab) -> None:
    address = ip_interface("10.1.0.1/24")
    async with await Links.open() as links:
        await links.create_bridge(SPEC)
        await links.mark_bridge(SPEC)
        await links.add_address("br-a", address)
        one, two = lab.guest("one", "br-a"), lab.guest("two", "br-a")
        one.run("ip", "address", "add", "10.1.0.2/24", "dev", "eth0")
        two.run("ip", "address", "add", "10.1.0.3/24", "dev", "eth0")
        new = BridgeSettings(mac="02:00:00:00:00:0b", mtu=1450, stp=False, forward_delay=3)
        await links.change_bridge("br-a", SETTINGS, new)
        snapshot = await links.snapshot()
        assert one.run("ping", "-c1", "-W2", "10.1.0.3").returncode == 0
        assert one.run("ping", "-c1", "-W2", "10.1.0.1").returncode == 0
    assert snapshot.links["br-a"].settings == new
    assert address in snapshot.links["br-a"].addresses
    assert [link.name for link in ports(snapshot, "br-a")] == ["p-one", "p-two"]


async def test_deleting_is_for_bridges_only_and_may_come_twice(lab: Lab) -> None:
    ip("link", "add", "cable", "type", "veth", "peer", "name", "end")
    async with await Links.open() as links:
        await links.create_bridge(SPEC)
        await links.delete_bridge("br-a")
        await links.delete_bridge("br-a")
        with pytest.raises(DriverError, match="deleting bridge cable: it is no bridge but veth"):
            await links.delete_bridge("cable")
        assert {"cable", "end", "lo"} == set((await links.snapshot()).links)


async def test_a_bridge_that_was_taken_down_is_raised(lab: Lab) -> None:
    async with await Links.open() as links:
        with pytest.raises(DriverError, match="bringing bridge br-a up: there is no interface"):
            await links.raise_bridge("br-a")
        ip("link", "add", "br-a", "type", "bridge")
        assert not (await links.snapshot()).links["br-a"].up
        await links.raise_bridge("br-a")
        assert (await links.snapshot()).links["br-a"].up


async def test_attaching_passes_over_what_is_gone_and_what_others_took(lab: Lab) -> None:
    ip("link", "add", "br-b", "type", "bridge")
    ip("link", "add", "one", "type", "veth", "peer", "name", "two")
    ip("link", "set", "two", "master", "br-b")
    async with await Links.open() as links:
        await links.create_bridge(SPEC)
        await links.attach("br-a", ("nobody", "two", "one"))
        snapshot = await links.snapshot()
    assert [link.name for link in ports(snapshot, "br-a")] == ["one"]
    assert [link.name for link in ports(snapshot, "br-b")] == ["two"]


async def test_attaching_what_can_be_no_port_detaches_the_others_again(lab: Lab) -> None:
    ip("link", "add", "one", "type", "veth", "peer", "name", "two")
    async with await Links.open() as links:
        await links.create_bridge(SPEC)
        with pytest.raises(DriverError, match="attaching lo to bridge br-a: "):
            await links.attach("br-a", ("one", "lo"))
        assert ports(await links.snapshot(), "br-a") == ()


async def test_addresses_of_both_families_serve_at_once(lab: Lab) -> None:
    four, six = ip_interface("10.1.0.1/24"), ip_interface("fd00:1::1/64")
    async with await Links.open() as links:
        await links.create_bridge(SPEC)
        await links.mark_bridge(SPEC)
        for address in (four, six, four, six):
            await links.add_address("br-a", address)
        snapshot = await links.snapshot()
        assert {four, six} <= snapshot.links["br-a"].addresses
        infos = {info["local"]: info for info in shown("addr", "show", "br-a")[0]["addr_info"]}
        assert infos["10.1.0.1"]["broadcast"] == "10.1.0.255"
        assert "tentative" not in infos["fd00:1::1"]  # though the bridge has no carrier
        for address in (four, six, four, six):
            await links.remove_address("br-a", address)
        assert not {four, six} & (await links.snapshot()).links["br-a"].addresses
        await links.delete_bridge("br-a")
        await links.remove_address("br-a", four)
        with pytest.raises(
            DriverError, match=r"adding address 10\.1\.0\.1/24 to br-a: there is no"
        ):
            await links.add_address("br-a", four)


async def test_ipv6_switched_off_on_the_bridge_is_told(lab: Lab) -> None:
    async with await Links.open() as links:
        await links.create_bridge(SPEC)
        disable_ipv6("br-a")
        with pytest.raises(DriverError, match=r"adding address fd00::1/64 to br-a: .*IPv6"):
            await links.add_address("br-a", ip_interface("fd00::1/64"))


async def test_a_snapshot_has_the_routes_of_the_main_table_only(lab: Lab) -> None:
    ip("link", "add", "up0", "type", "veth", "peer", "name", "far")
    ip("link", "set", "up0", "up")
    ip("addr", "add", "192.0.2.2/24", "dev", "up0")
    ip("route", "add", "default", "via", "192.0.2.1")
    ip("route", "add", "unreachable", "10.66.0.0/16")
    ip(
        "route",
        "add",
        "198.51.100.0/24",
        "nexthop",
        "via",
        "192.0.2.3",
        "nexthop",
        "via",
        "192.0.2.4",
    )
    ip("route", "add", "203.0.113.0/24", "dev", "up0", "table", "1000")
    ip("-6", "route", "add", "2001:db8::/32", "dev", "up0")
    async with await Links.open() as links:
        routes = (await links.snapshot()).routes
    by_destination = {route.destination: route for route in routes}
    default = by_destination[ip_network("0.0.0.0/0")]
    assert (default.device, default.gateway) == ("up0", IPv4Address("192.0.2.1"))
    assert by_destination[ip_network("192.0.2.0/24")].protocol == 2
    assert by_destination[ip_network("10.66.0.0/16")].device is None
    several = by_destination[ip_network("198.51.100.0/24")]
    assert (several.device, several.gateway) == ("up0", IPv4Address("192.0.2.3"))
    assert by_destination[ip_network("2001:db8::/32")].device == "up0"
    assert ip_network("203.0.113.0/24") not in by_destination
    assert not any(
        isinstance(route.destination, IPv6Network) and route.destination.is_multicast
        for route in routes
    )


async def test_a_snapshot_agrees_with_ip_about_many_interfaces(lab: Lab) -> None:
    commands: list[str] = []
    for n in range(200):
        commands += [
            f"link add b{n} type bridge",
            f"addr add 10.{n}.0.1/24 dev b{n}",
            f"link add v{n} type veth peer name w{n}",
            f"link set v{n} master b{n}",
        ]
    batch(*commands)
    async with await Links.open() as links:
        snapshot = await links.snapshot()
    witness = {link["ifname"]: link for link in shown("addr", "show")}
    assert set(snapshot.links) == set(witness)
    for name, link in snapshot.links.items():
        told = witness[name]
        assert link.index == told["ifindex"]
        assert link.master == told.get("master")
        assert link.kind == told.get("linkinfo", {}).get("info_kind", "")
        assert {str(address) for address in link.addresses} == {
            f"{info['local']}/{info['prefixlen']}" for info in told["addr_info"]
        }


async def test_a_host_that_never_rests_is_looked_at_too(lab: Lab) -> None:
    batch(*(f"link add d{n} type veth peer name e{n}" for n in range(100)))
    commands = "\n".join(f"link add x{n} type veth peer name y{n}" for n in range(400))
    busy = await asyncio.create_subprocess_exec("ip", "-batch", "-", stdin=asyncio.subprocess.PIPE)
    assert busy.stdin is not None
    async with await Links.open() as links:
        busy.stdin.write(commands.encode())
        busy.stdin.close()
        while busy.returncode is None:
            snapshot = await links.snapshot()
            assert {f"{end}{n}" for end in "de" for n in range(100)} <= set(snapshot.links)
        assert await busy.wait() == 0
        assert len((await links.snapshot()).links) == 1 + 2 * 100 + 2 * 400


async def test_what_a_bridge_has_learned(lab: Lab) -> None:
    async with await Links.open() as links:
        await links.create_bridge(SPEC)
        await links.mark_bridge(SPEC)
        one = lab.guest("one", "br-a", mac="02:00:00:00:01:01")
        two = lab.guest("two", "br-a", mac="02:00:00:00:01:02")
        one.run("ip", "address", "add", "10.1.0.2/24", "dev", "eth0")
        two.run("ip", "address", "add", "10.1.0.3/24", "dev", "eth0")
        one.run("ping", "-c1", "-W2", "10.1.0.3")
        index = (await links.snapshot()).links["br-a"].index
        expected = {"02:00:00:00:01:01": "p-one", "02:00:00:00:01:02": "p-two"}
        assert await links.forwarding_database("br-a") == expected
        assert await links.forwarding_database(index) == expected
        assert await links.forwarding_database("nobody") == {}


async def heard(watch: LinkWatch, happened: Happened, name: str) -> LinkChange:
    """The next change of a kind, within a deadline."""
    async with asyncio.timeout(5):
        async for change in watch:
            if change.happened is happened and change.name == name:
                return change
    raise AssertionError


async def test_what_changes_is_heard_in_terms_of_ports(lab: Lab) -> None:
    async with await Links.open() as links:
        await links.create_bridge(SPEC)
        await links.mark_bridge(SPEC)
        async with await links.watch() as watch:
            ip("link", "add", "one", "type", "veth", "peer", "name", "two")
            assert (await heard(watch, Happened.ADDED, "one")).master is None
            ip("link", "set", "one", "master", "br-a")
            assert (await heard(watch, Happened.ATTACHED, "one")).master == "br-a"
            ip("link", "set", "one", "nomaster")
            assert (await heard(watch, Happened.DETACHED, "one")).master == "br-a"
            ip("link", "set", "one", "master", "br-a")
            await heard(watch, Happened.ATTACHED, "one")
            ip("addr", "add", "10.1.0.1/24", "dev", "br-a")
            await heard(watch, Happened.ADDRESSES, "br-a")
            ip("link", "set", "br-a", "alias", "of somebody else")
            await heard(watch, Happened.CHANGED, "br-a")
            ip("link", "del", "two")
            assert (await heard(watch, Happened.DETACHED, "one")).master == "br-a"
            await heard(watch, Happened.REMOVED, "one")
            await links.delete_bridge("br-a")
            await heard(watch, Happened.REMOVED, "br-a")


async def test_a_watch_that_was_too_slow_says_so_and_goes_on(lab: Lab) -> None:
    async with await Links.open() as links, await links.watch() as watch:
        batch(*(f"link set lo alias a{n}" for n in range(4000)))
        await heard(watch, Happened.MISSED, "")
        ip("link", "add", "late", "type", "bridge")
        await heard(watch, Happened.ADDED, "late")


def test_looking_needs_no_pyroute2_and_no_routing_table(lab: Lab) -> None:
    """In a namespace where not even the loopback was ever up, the kernel has no tables yet."""
    program = (
        "import asyncio, sys\n"
        "from vnet_tui.engine.drivers.links import Links\n"
        "async def main():\n"
        "    async with await Links.open() as links:\n"
        "        snapshot = await links.snapshot()\n"
        "        assert set(snapshot.links) == {'lo'}, snapshot\n"
        "        assert snapshot.routes == (), snapshot\n"
        "asyncio.run(main())\n"
        "assert not [name for name in sys.modules if name.startswith('pyroute2')]\n"
    )
    subprocess.run(["unshare", "--net", sys.executable, "-c", program], check=True)


async def test_drivers_tell_the_speed_of_links_that_have_one(lab: Lab) -> None:
    """A veth says 10 Gb/s (``drivers/net/veth.c``); the loopback interface has none."""
    batch("link add speedy type veth peer name other", "link set speedy up", "link set other up")
    async with await Links.open() as links:
        assert await links.speeds(("speedy", "lo", "nowhere")) == {"speedy": 10e9}
