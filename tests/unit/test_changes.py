"""Changes on a host in memory: plans converge, failures are undone, crashes are ended."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Mapping
from dataclasses import replace
from ipaddress import ip_interface, ip_network
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from tests.support.bench import Bench
from tests.support.networks import document, network
from vnet_tui.engine.errors import (
    ConflictError,
    StepFailedError,
    VnetError,
)
from vnet_tui.engine.model import Network
from vnet_tui.engine.resources import BridgeSettings, Route
from vnet_tui.engine.steps import AddAddress, MarkBridge, SetFirewall, Step, StopDnsmasq
from vnet_tui.engine.subnets import in_use
from vnet_tui.engine.xml import parse


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


ONE = network("one", address="10.1.0.1")
TWO = network(
    "two",
    '<dns domain="two.test"/>',
    address="10.2.0.1",
    forwarding="route",
)
SWITCH = '<switch type="vde" mode="0660"/>'
VDE = network("one", SWITCH)
ALONE = network("alone", address="10.3.0.1", forwarding="isolated")


async def test_the_same_twice_is_an_empty_plan(bench: Bench) -> None:
    assert await bench.bring([ONE, TWO, ALONE])
    assert await bench.bring([ONE, TWO, ALONE]) == []


async def test_stopping_all_leaves_the_host_as_it_was(bench: Bench) -> None:
    untouched = bench.host.state()
    await bench.bring([ONE, TWO])
    assert bench.host.sysctl.values["net/ipv4/ip_forward"] == "1"
    await bench.bring([])
    assert bench.host.state() == untouched


async def test_forwarding_that_was_on_before_stays_on(bench: Bench) -> None:
    bench.host.sysctl.values["net/ipv4/ip_forward"] = "1"
    await bench.bring([ONE])
    await bench.bring([])
    assert bench.host.sysctl.values["net/ipv4/ip_forward"] == "1"


async def test_an_isolated_network_needs_no_forwarding(bench: Bench) -> None:
    await bench.bring([ALONE])
    assert bench.host.sysctl.values["net/ipv4/ip_forward"] == "0"


async def test_a_changed_rule_touches_only_the_firewall_and_the_record(bench: Bench) -> None:
    await bench.bring([ONE, TWO])
    edited = network("one", '<forwarding><outgoing><deny port="25"/></outgoing></forwarding>')
    taken = [type(step).__name__ for step in await bench.bring([edited, TWO])]
    assert taken == ["SetFirewall", "SaveRecord"]


async def test_an_edit_of_one_finds_what_another_left(bench: Bench) -> None:
    await bench.bring([ONE, TWO])
    assert ONE.uuid
    assert TWO.uuid
    bench.host.records.records.pop(TWO.uuid)
    await bench.bring([network("one", address="10.5.0.1")], services=frozenset({ONE.uuid}))
    assert TWO.uuid not in bench.host.dnsmasq.processes
    assert ONE.uuid in bench.host.dnsmasq.processes


async def test_a_new_reservation_doesnt_restart_dnsmasq(bench: Bench) -> None:
    await bench.bring([ONE])
    edited = parse(
        document("one").replace(
            "</dhcp>", '<host mac="52:54:00:00:00:01" name="web" address="10.1.0.9"/></dhcp>'
        )
    )
    change, _ = await bench.bring([edited])
    assert getattr(change, "restarts", None) is False


async def test_a_restart_keeps_the_ports(bench: Bench) -> None:
    await bench.bring([ONE])
    bench.host.links.add("tap0", master="vn-one")
    assert ONE.uuid
    await bench.bring([ONE], recreate=frozenset({ONE.uuid}))
    assert bench.host.links.links["tap0"].master == "vn-one"


async def test_an_address_that_an_administrator_added_stays(bench: Bench) -> None:
    await bench.bring([ONE])
    by_hand = ip_interface("192.168.77.1/24")
    await bench.host.links.add_address("vn-one", by_hand)
    await bench.bring([network("one", address="10.9.0.1")])
    addresses = bench.host.links.links["vn-one"].addresses
    assert addresses == {by_hand, ip_interface("10.9.0.1/24")}


async def test_an_interface_of_that_name_is_a_conflict_and_nothing_is_touched(
    bench: Bench,
) -> None:
    bench.host.links.add("vn-one", kind="dummy")
    before = bench.host.state()
    with pytest.raises(ConflictError) as caught:
        await bench.bring([ONE, TWO])
    assert "there is a dummy interface called vn-one" in str(caught.value)
    assert bench.host.state() == before


async def test_a_flushed_table_is_written_anew(bench: Bench) -> None:
    await bench.bring([ONE])
    bench.host.firewall.flushed = True
    (step,) = await bench.bring([ONE])
    assert getattr(step, "rewrite", None) is True
    assert not bench.host.firewall.flushed


@pytest.mark.parametrize("times", [1, 2])
async def test_a_table_that_is_flushed_during_a_change_is_written_once_more(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    await bench.bring([ONE])
    firewall, written = bench.host.firewall, bench.host.firewall.set
    flushes = iter([True] * times)

    async def set_and_flushed(step: SetFirewall) -> None:
        await written(step)
        firewall.flushed = next(flushes, False)

    monkeypatch.setattr(firewall, "set", set_and_flushed)
    changed = network("one", address="10.5.0.1")
    if times == 1:
        await bench.bring([changed])
        assert not firewall.flushed
        assert await bench.bring([changed]) == []
        return
    with pytest.raises(StepFailedError, match="another program may be changing the same things"):
        await bench.bring([changed])
    assert await bench.bring([ONE]) == []


def _scenarios() -> Mapping[str, tuple[list[Network], list[Network]]]:
    return {
        "start three": ([], [ONE, TWO, ALONE]),
        "stop three": ([ONE, TWO, ALONE], []),
        "one more": ([ONE], [ONE, TWO]),
        "another bridge name": (
            [ONE],
            [parse(document("one").replace("vn-one", "vn-uno"))],
        ),
        "other settings": (
            [ONE, TWO],
            [parse(document("one").replace('"vn-one"', '"vn-one" mtu="1400" stp="true"')), TWO],
        ),
        "another subnet": ([ONE], [network("one", address="10.8.0.1")]),
        "exchange": ([ONE, TWO], [ALONE]),
        "start with a switch": ([TWO], [VDE, TWO]),
        "stop with a switch": ([VDE, TWO], [TWO]),
        "add a switch": ([ONE], [VDE]),
        "take the switch out": ([VDE, TWO], [ONE, TWO]),
        "another socket of the switch": (
            [VDE],
            [network("one", '<switch type="vde" socket="/run/elsewhere"/>')],
        ),
        "a switch, another bridge name": (
            [VDE],
            [parse(document("one", SWITCH).replace("vn-one", "vn-uno"))],
        ),
    }


@pytest.mark.parametrize("name", _scenarios())
async def test_a_failure_at_any_step_is_undone(bench: Bench, name: str) -> None:
    first, second = _scenarios()[name]
    await bench.bring(first)
    bench.host.links.add("tap0", master="vn-one" if "vn-one" in bench.host.links.links else None)
    before = copy.deepcopy(bench.host.state())
    failures = 0
    while True:
        bench.fail_at = failures
        try:
            steps = await bench.bring(second)
        except StepFailedError as error:
            failed = error
        else:
            break
        assert (failed.cause, failed.left) == ("injected", ())
        assert bench.host.state() == before
        failures += 1
    assert failures == len(steps) > 0


@pytest.mark.parametrize("name", _scenarios())
async def test_a_kill_at_any_step_leaves_one_or_the_other(tmp_path: Path, name: str) -> None:
    first, second = _scenarios()[name]
    killed_at = 0
    while True:
        bench = Bench(tmp_path / str(killed_at))
        await bench.bring(second)
        new = bench.host.state()
        await bench.bring(first)
        old = bench.host.state()
        bench.kill_at = killed_at
        try:
            await bench.bring(second)
            break
        except StepFailedError:
            await bench.revive()
        assert bench.host.state() in (old, new), f"killed at step {killed_at}"
        killed_at += 1
    assert killed_at > 0


async def test_a_change_goes_on_to_its_end_before_its_cancelled_caller_does(bench: Bench) -> None:
    begun = asyncio.Event()
    bench.on_step = lambda _: begun.set()
    bench.host.pace = 0.001
    caller = asyncio.ensure_future(bench.bring([ONE, TWO]))
    await begun.wait()
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    bench.on_step = lambda _: None
    assert len(bench.host.records.records) == 2
    assert await bench.bring([ONE, TWO]) == []


async def test_closing_waits_for_the_change_and_lets_no_other_begin(bench: Bench) -> None:
    begun = asyncio.Event()
    bench.on_step = lambda _: begun.set()
    bench.host.pace = 0.001
    first = asyncio.ensure_future(bench.bring([ONE]))
    second = asyncio.ensure_future(bench.bring([ONE, TWO]))
    await begun.wait()
    await bench.changes.close()
    assert len(bench.host.records.records) == 1
    await first
    with pytest.raises(VnetError, match="the engine was closed"):
        await second


async def test_a_change_that_is_broken_off_itself_is_ended_by_the_next_engine(
    bench: Bench,
) -> None:
    """As asyncio.run does at the second Ctrl-C: it cancels all tasks, the innermost too."""
    untouched = bench.host.state()

    def break_off(step: Step) -> None:
        if isinstance(step, AddAddress):
            for task in asyncio.all_tasks():
                task.cancel()

    bench.on_step = break_off
    bench.host.pace = 0.001
    with pytest.raises(asyncio.CancelledError):
        await asyncio.ensure_future(bench.bring([ONE, TWO]))
    assert bench.host.state() != untouched
    bench.on_step = lambda _: None
    await bench.revive()
    assert bench.host.state() == untouched


async def test_an_edit_into_a_conflict_touches_nothing(bench: Bench) -> None:
    await bench.bring([ONE, TWO])
    bench.host.links.add("up0")
    bench.host.links.add("br0", kind="bridge")
    bench.host.links.routes.append(
        Route(destination=ip_network("172.30.0.0/16"), device="up0", gateway=None, protocol=3)
    )
    before = bench.host.state()
    moved = parse(document("one", address="172.30.1.1").replace('"vn-one"', '"br0"'))
    with pytest.raises(ConflictError) as caught:
        await bench.bring([moved, TWO])
    assert "one can't run as defined: something is in the way" in str(caught.value)
    assert "one: there is a bridge interface called br0 already" in str(caught.value)
    assert "one: 172.30.1.0/24 overlaps the host's route to 172.30.0.0/16" in str(caught.value)
    assert bench.host.state() == before


async def test_the_routes_of_a_vpn_for_everything_are_in_nobodys_way(bench: Bench) -> None:
    bench.host.links.add("tun0")
    for half in ("0.0.0.0/1", "128.0.0.0/1", "8000::/1", "2000::/3"):
        bench.host.links.routes.append(
            Route(destination=ip_network(half), device="tun0", gateway=None, protocol=3)
        )
    assert await bench.bring([ONE])
    snapshot = await bench.host.links.snapshot()
    assert ip_network("128.0.0.0/1") not in in_use(snapshot)


async def test_a_bridge_whose_mark_was_written_over_is_still_ours(bench: Bench) -> None:
    untouched = bench.host.state()
    await bench.bring([ONE])
    marked = bench.host.links.links["vn-one"]
    bench.host.links.links["vn-one"] = replace(marked, alias="the office's")
    assert [type(step) for step in await bench.bring([ONE])] == [MarkBridge]
    assert bench.host.links.links["vn-one"] == marked
    bench.host.links.links["vn-one"] = replace(marked, alias="the office's")
    await bench.bring([])
    assert bench.host.state() == untouched


async def test_a_stranger_in_the_place_of_our_bridge_is_told_and_spared(bench: Bench) -> None:
    await bench.bring([ONE])
    del bench.host.links.links["vn-one"]
    bench.host.links.add("vn-one", kind="bridge")
    before = bench.host.state()
    with pytest.raises(ConflictError, match="there is a bridge interface called vn-one already"):
        await bench.bring([ONE])
    assert bench.host.state() == before
    await bench.bring([])
    assert list(bench.host.links.links) == ["vn-one"]


async def test_what_runs_isnt_refused_for_what_came_into_its_way_since(bench: Bench) -> None:
    await bench.bring([ONE])
    bench.host.links.add("up0")
    bench.host.links.routes.append(
        Route(destination=ip_network("10.0.0.0/8"), device="up0", gateway=None, protocol=3)
    )
    assert ONE.uuid
    assert await bench.bring([ONE], recreate=frozenset({ONE.uuid}))


async def test_a_recovery_leaves_what_it_cant_mend_and_says_so(bench: Bench) -> None:
    await bench.bring([ONE])
    bench.kill_at = 3
    with pytest.raises(StepFailedError):
        await bench.bring([ONE, TWO])
    del bench.host.links.links["vn-one"]
    bench.host.links.add("vn-one", kind="dummy")  # in the way of making it again
    told: list[str] = []
    await bench.revive(told.append)
    assert any("create bridge vn-one: vn-one exists" in one for one in told)
    assert "vn-two" not in bench.host.links.links
    await bench.bring([])  # a stop isn't held up by it


async def test_a_recovery_spares_a_bridge_that_somebody_else_made_since(bench: Bench) -> None:
    bench.kill_at = 0
    with pytest.raises(StepFailedError):
        await bench.bring([ONE])
    bench.host.links.add("vn-one", kind="bridge")
    settings = BridgeSettings(mac="02:00:00:00:00:99", mtu=1500, stp=False, forward_delay=0)
    bench.host.links.links["vn-one"] = replace(bench.host.links.links["vn-one"], settings=settings)
    await bench.revive()
    assert "vn-one" in bench.host.links.links


async def test_the_files_of_a_dnsmasq_that_was_killed_go_with_its_network(bench: Bench) -> None:
    await bench.bring([ONE])
    bench.host.dnsmasq.processes.clear()
    taken = await bench.bring([])
    assert [step.spec.network for step in taken if isinstance(step, StopDnsmasq)] == [ONE.uuid]


@st.composite
def some_networks(draw: st.DrawFn) -> list[Network]:
    return [
        network(
            name,
            *draw(st.sampled_from([(), (SWITCH,), ('<switch type="vde"/>',)])),
            address=f"10.{number}.{draw(st.integers(0, 1))}.1",
            forwarding=draw(st.sampled_from(["nat", "route", "isolated"])),
        )
        for number, name in enumerate(("a", "b", "c"), start=1)
        if draw(st.booleans())
    ]


@settings(max_examples=60, deadline=None)
@given(some_networks(), some_networks())
async def test_any_state_leads_to_any_other_and_back(
    tmp_path_factory: pytest.TempPathFactory, first: list[Network], second: list[Network]
) -> None:
    bench = Bench(tmp_path_factory.mktemp("host"))
    empty = bench.host.state()
    await bench.bring(first)
    one = bench.host.state()
    await bench.bring(second)
    assert await bench.bring(second) == []
    await bench.bring(first)
    assert bench.host.state() == one
    await bench.bring([])
    assert bench.host.state() == empty
