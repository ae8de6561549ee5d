"""What plans do about a network's vde_switch, on a host in memory."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest

from tests.support.bench import Bench
from tests.support.networks import document, network
from vnet_tui.engine.errors import ConflictError
from vnet_tui.engine.naming import derive_tap_name
from vnet_tui.engine.steps import Step
from vnet_tui.engine.xml import parse

SWITCH = '<switch type="vde" mode="0660"/>'
ONE, VDE = network("one"), network("one", SWITCH)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


async def test_a_switch_is_a_port_of_the_bridge_and_only_its_edits_touch_it(bench: Bench) -> None:
    def taken(steps: list[Step]) -> list[str]:
        return [type(step).__name__ for step in steps]

    await bench.bring([ONE])
    assert taken(await bench.bring([VDE])) == ["StartSwitch", "PlugSwitch", "SaveRecord"]
    (tap,) = (link for link in bench.host.links.links.values() if link.kind == "tun")
    assert (tap.master, tap.up, tap.mtu) == ("vn-one", True, 1500)
    assert VDE.uuid
    restarted = taken(await bench.bring([VDE], recreate=frozenset({VDE.uuid})))
    assert "PlugSwitch" in restarted
    assert not {"StartSwitch", "StopSwitch"} & set(restarted)
    assert bench.host.links.links[tap.name].master == "vn-one"
    other = network("one", '<switch type="vde" mode="0600"/>')
    restart = ["StopSwitch", "StartSwitch", "PlugSwitch", "SaveRecord"]
    assert taken(await bench.bring([other])) == restart
    assert taken(await bench.bring([ONE])) == ["StopSwitch", "SaveRecord"]


async def test_a_switch_that_lost_its_tap_or_ended_is_started_again(bench: Bench) -> None:
    await bench.bring([VDE])
    (spec,) = bench.host.vde.processes.values()
    for killed in (False, True):
        before = bench.host.state()
        del bench.host.links.links[spec.tap]
        if killed:
            bench.host.vde.processes.clear()
        assert await bench.bring([VDE])
        assert bench.host.state() == before


async def test_a_bridges_mtu_is_the_taps_as_far_as_a_switch_can(bench: Bench) -> None:
    for mtu, least in (("9000", 1500), ("1400", 1400)):
        text = document("one", SWITCH).replace('"vn-one"', f'"vn-one" mtu="{mtu}"')
        await bench.bring([parse(text)])
        assert [one.mtu for one in bench.host.links.links.values() if one.kind == "tun"] == [least]


async def test_a_strangers_interface_and_anothers_sockets_are_in_a_switchs_way(
    bench: Bench,
) -> None:
    tap = derive_tap_name(VDE.uuid or UUID(int=0))
    bench.host.links.add(tap, kind="tun")
    with pytest.raises(ConflictError, match=f"an interface called {tap} already"):
        await bench.bring([VDE])
    del bench.host.links.links[tap]
    same = '<switch type="vde" socket="/run/vde/one"/>'
    with pytest.raises(ConflictError, match="are in /run/vde/one, too"):
        await bench.bring([network("one", same), network("two", same, address="10.2.0.1")])
