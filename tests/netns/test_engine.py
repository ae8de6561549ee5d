"""The engine on a real kernel: what it makes, what it leaves, what a failure or a kill costs."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from tests.support.inventory import dnsmasqs, inventory, links, sysctl
from tests.support.lab import Lab
from tests.support.networks import document
from vnet_tui.engine.apply import BeforeStep
from vnet_tui.engine.engine import Engine
from vnet_tui.engine.errors import (
    ConflictError,
    DriverError,
    StateError,
    StepFailedError,
    StoreError,
    UnsupportedError,
    VnetError,
)
from vnet_tui.engine.steps import Step
from vnet_tui.engine.views import Disturbance, EventKind, State
from vnet_tui.sandbox.namespaces import mount_tmpfs

FOO = (Path(__file__).parents[2] / "vnet_tui/examples/foo.xml").read_text()
DUAL = document(
    "dual", '<dhcp><ip address="10.5.0.1" prefix="24"/><ip address="fd00:5::1" prefix="64"/></dhcp>'
).replace(
    '<dhcp><ip address="10.1.0.1" prefix="24"\n  start="10.1.0.100" end="10.1.0.200"/></dhcp>', ""
)


async def test_a_network_starts_and_stops_without_a_trace(lab: Lab) -> None:
    before = inventory(lab.paths)
    async with Engine(lab.paths) as engine:
        await engine.define(FOO)
        (foo,) = await engine.start(["Foo"])
        assert (foo.state, foo.id) == (State.ACTIVE, 1)
        assert foo.bridge
        bridge = links()[foo.bridge]
        assert bridge["addresses"] == ["10.0.0.1/24"]
        assert bridge["up"]
        assert len(dnsmasqs()) == 1
        assert sysctl("net/ipv4/ip_forward") == "1"
        await engine.stop(["Foo"])
    assert inventory(lab.paths) == before


async def test_calls_in_processes_of_their_own_see_one_another(lab: Lab) -> None:
    async with Engine(lab.paths) as first:
        await first.define(FOO)
        await first.start(["Foo"])
    running = inventory(lab.paths)
    async with Engine(lab.paths) as second:
        (foo,) = await second.networks()
        assert foo.active
        assert not await second.plan("apply", ["Foo"])
        with pytest.raises(StateError, match="running already"):
            await second.start(["Foo"])
        assert inventory(lab.paths) == running
        await second.stop(["Foo"])


async def test_many_start_as_one_batch_and_a_conflict_starts_none(lab: Lab) -> None:
    async with Engine(lab.paths) as engine:
        names = [f"n{number}" for number in range(5)]
        for number, name in enumerate(names):
            await engine.define(document(name, address=f"10.{50 + number}.0.1"))
        await engine.start(names[:4])
        assert len(dnsmasqs()) == 4
        await engine.stop(names[:4])
        lab.ip("link", "add", "vn-n3", "type", "veth", "peer", "name", "other")
        before = inventory(lab.paths)
        with pytest.raises(ConflictError, match="veth interface called vn-n3"):
            await engine.start(names)
        assert inventory(lab.paths) == before


async def test_an_address_of_the_host_is_in_the_way(lab: Lab) -> None:
    lab.ip("link", "add", "up0", "type", "veth", "peer", "name", "other")
    lab.ip("address", "add", "10.0.0.77/16", "dev", "up0")
    lab.ip("link", "set", "up0", "up")
    async with Engine(lab.paths) as engine:
        await engine.define(FOO)
        with pytest.raises(ConflictError) as caught:
            await engine.start(["Foo"])
    assert "10.0.0.0/24 overlaps the host's address 10.0.0.77/16 on up0" in str(caught.value)


async def test_what_it_cant_run_yet_it_refuses_to_start_by_name(lab: Lab) -> None:
    tunnel = FOO.replace("<dhcp", '<listen address="172.31.0.5" port="1234"/><dhcp', 1)
    before = inventory(lab.paths)
    async with Engine(lab.paths) as engine:
        await engine.define(tunnel)
        assert "<listen" in await engine.xml("Foo")
        with pytest.raises(UnsupportedError, match="<listen>"):
            await engine.start(["Foo"])
    assert inventory(lab.paths) == before


async def test_an_edit_is_live_and_touches_only_what_it_changes(lab: Lab) -> None:
    async with Engine(lab.paths) as engine:
        await engine.define(FOO)
        await engine.start(["Foo"])
        lab.guest("one", "vnet-foo")
        (process,) = dnsmasqs()
        defined = await engine.define(FOO.replace('port="25"', 'port="26"'))
        assert defined.pending
        plan = await engine.plan("apply", ["Foo"])
        assert plan.disturbs is Disturbance.LIVE
        assert not (await engine.apply("Foo")).pending
        assert dnsmasqs() == [process]
        assert links()["p-one"]["master"] == "vnet-foo"
        await engine.stop(["Foo"])


async def test_a_plan_for_a_document_stores_nothing_and_does_nothing(lab: Lab) -> None:
    before = inventory(lab.paths)
    async with Engine(lab.paths) as engine:
        new = await engine.plan_document(FOO)
        assert "create bridge vnet-foo" in [step.text for step in new.steps]
        assert not await engine.networks()
        assert inventory(lab.paths) == before
        await engine.define(FOO)
        await engine.start(["Foo"])
        assert not await engine.plan_document(FOO)
        wider = await engine.plan_document(FOO.replace("10.0.0.254", "10.0.0.200"))
        assert wider.disturbs is Disturbance.RESTARTS_SERVICES
        assert not (await engine.network("Foo")).pending
        away = await engine.plan("stop", ["Foo"])
        assert away.disturbs is Disturbance.DISCONNECTS_GUESTS
        await engine.stop(["Foo"])


async def test_a_definition_is_replaced_only_if_it_is_the_one_that_was_read(lab: Lab) -> None:
    async with Engine(lab.paths) as first, Engine(lab.paths) as second:
        await first.define(FOO)
        read = await first.xml("Foo", inactive=True)
        theirs = read.replace('port="25"', 'port="26"')
        await second.define(theirs, replacing=read)
        with pytest.raises(StateError, match="was changed since you read it"):
            await first.define(read.replace('port="25"', 'port="27"'), replacing=read)
        assert await first.xml("Foo", inactive=True) == theirs
        await second.undefine("Foo")
        with pytest.raises(StateError, match="was removed since you read it"):
            await first.define(theirs, replacing=theirs)
        assert not await first.networks()


async def test_rules_that_wait_for_their_guest_are_counted(lab: Lab) -> None:
    async with Engine(lab.paths) as engine:
        await engine.define(FOO)
        assert (await engine.network("Foo")).waiting == 0
        (started,) = await engine.start(["Foo"])
        assert started.waiting == 1
        assert [info.waiting for info in await engine.networks()] == [1]
        known = '<host mac="52:54:00:00:00:01" name="foobar" address="10.0.0.9"/>\n  </dhcp>'
        await engine.define(FOO.replace("</dhcp>", known))
        assert (await engine.apply("Foo")).waiting == 0
        await engine.stop(["Foo"])


async def test_a_restart_keeps_guests_attached(lab: Lab) -> None:
    async with Engine(lab.paths) as engine:
        await engine.define(FOO)
        (started,) = await engine.start(["Foo"])
        lab.guest("one", "vnet-foo")
        (restarted,) = await engine.restart(["Foo"])
        assert restarted.id == started.id
        assert links()["p-one"]["master"] == "vnet-foo"
        await engine.stop(["Foo"])


async def test_a_transient_network_lives_in_the_run_directory_only(lab: Lab) -> None:
    async with Engine(lab.paths) as engine:
        created = await engine.create(FOO)
        assert not created.persistent
        assert not list(lab.paths.definitions.glob("*.xml"))
        await engine.stop(["Foo"])
        assert await engine.networks() == ()
        assert not list(lab.paths.leases.glob("*"))


async def test_one_that_cant_start_by_itself_doesnt_keep_the_others_from_it(lab: Lab) -> None:
    tunnel = FOO.replace("<dhcp", '<listen address="172.31.0.5" port="1234"/><dhcp', 1)
    lab.ip("link", "add", "vn-dual", "type", "bridge")
    async with Engine(lab.paths) as engine:
        for text in (ONE, DUAL, tunnel):
            defined = await engine.define(text)
            await engine.set_autostart(defined.uuid, True)
        assert [info.name for info in await engine.start_autostart()] == ["one"]
        told = {
            event.name: event.message
            for event in await engine.past_events()
            if event.kind is EventKind.FAILED
        }
        assert told.keys() == {"dual", "Foo"}
        assert "there is a bridge interface called vn-dual already" in told["dual"]
        assert "<listen>" in told["Foo"]
        assert await engine.start_autostart() == ()
        await engine.stop(["one"])


async def test_an_mtu_that_ipv6_doesnt_work_with_comes_and_goes(lab: Lab) -> None:
    def with_mtu(mtu: int) -> str:
        return ONE.replace('"vn-one"', f'"vn-one" mtu="{mtu}"')

    before = inventory(lab.paths)
    async with Engine(lab.paths) as engine:
        await engine.define(with_mtu(576))
        await engine.start(["one"])
        for mtu in (1500, 1000):
            assert links()["vn-one"]["mtu"] != mtu
            await engine.define(with_mtu(mtu))
            await engine.apply("one")
            assert links()["vn-one"]["mtu"] == mtu
            assert not await engine.plan("apply", ["one"])
            if mtu == 1500:
                assert sysctl("net/ipv6/conf/vn-one/disable_ipv6") == "1"
            await engine.restart(["one"])
        await engine.stop(["one"])
    assert inventory(lab.paths) == before


# A host that others meddle with


async def test_a_run_directory_that_somebody_removed_costs_a_restart(lab: Lab) -> None:
    async with Engine(lab.paths) as engine:
        await engine.define(ONE)
        await engine.start(["one"])
    shutil.rmtree(lab.paths.run)
    async with Engine(lab.paths) as engine:
        assert [info.active for info in await engine.networks()] == [False]
        await engine.start(["one"])
        assert len(dnsmasqs()) == 1
        assert not await engine.plan("apply", ["one"])
    shutil.rmtree(lab.paths.run)
    async with Engine(lab.paths) as engine:
        await engine.define(DUAL)
        await engine.start(["dual"])  # what the other left is taken away with it
        assert len(dnsmasqs()) == 1
    await _end(lab)


async def test_nothing_is_left_of_services_that_were_killed(lab: Lab) -> None:
    before = inventory(lab.paths)
    async with Engine(lab.paths) as engine:
        await engine.define(SWITCHED)
        await engine.start(["one"])
        for directory in (lab.paths.dnsmasq, lab.paths.vde):
            (pid,) = directory.glob("*/pid")
            os.kill(int(pid.read_text()), signal.SIGKILL)
        await engine.stop(["one"])
    assert inventory(lab.paths) == before


async def test_a_full_run_directory_fails_a_change_wholly_or_not_at_all(lab: Lab) -> None:
    lab.paths.run.mkdir(parents=True)
    mount_tmpfs(lab.paths.run, "size=64k")
    told = []
    async with Engine(lab.paths) as engine:
        await engine.define(ONE)
        before = inventory(lab.paths)
        for free in range(0, 64 << 10, 4 << 10):
            with _only(free, lab.paths.run):
                try:
                    await engine.start(["one"])
                except VnetError as error:
                    told.append(error)
            if (await engine.network("one")).active:
                break
            assert inventory(lab.paths) == before
        await engine.stop(["one"])
        assert inventory(lab.paths) == before
    assert {type(error) for error in told} == {StoreError, StepFailedError}
    assert all("No space left on device" in str(error) for error in told)


@contextlib.contextmanager
def _only(free: int, directory: Path) -> Iterator[None]:
    """A file system that has only so many bytes left, in whole pages."""
    fill = directory / "fill"
    with fill.open("wb", buffering=0) as file:
        with contextlib.suppress(OSError):
            while file.write(bytes(4096)):
                pass
        file.truncate(max(0, file.tell() - free))
    try:
        yield
    finally:
        fill.unlink()


async def test_a_run_directory_that_is_none_is_told(lab: Lab) -> None:
    async with Engine(lab.paths) as engine:
        await engine.define(ONE)
        shutil.rmtree(lab.paths.run)
        lab.paths.run.write_text("a file")
        for change in (engine.start(["one"]), engine.undefine("one")):
            with pytest.raises(StoreError, match="can't use the run directory"):
                await change


# Faults


async def _start(engine: Engine) -> None:
    await engine.start(["one", "dual"])


async def _stop(engine: Engine) -> None:
    await engine.stop(["one", "dual"])


async def _restart(engine: Engine) -> None:
    await engine.restart(["one"])


async def _edit(engine: Engine) -> None:
    await engine.apply("one")


ONE = document("one", address="10.41.0.1")
SWITCHED = document("one", '<switch type="vde" socket="/run/vde/one"/>', address="10.41.0.1")
EDITED = document(
    "one",
    '<switch type="vde" socket="/run/vde/other" mode="0660"/>',
    '<forwarding><outgoing><deny port="25"/></outgoing></forwarding>',
    address="10.42.0.1",
).replace('"vn-one"', '"vn-one" mtu="1400"')

SCENARIOS: dict[str, Callable[[Engine], Awaitable[None]]] = {
    "start": _start,
    "stop": _stop,
    "restart": _restart,
    "edit": _edit,
}


async def _prepare(lab: Lab, scenario: str) -> None:
    async with Engine(lab.paths) as engine:
        await engine.define(SWITCHED)
        await engine.define(DUAL)
        if scenario != "start":
            await engine.start(["one", "dual"])
            lab.guest("guest", "vn-one")
        if scenario == "edit":
            await engine.define(EDITED)


class _Fault:
    """Fails, or kills this process, before step ``at``."""

    def __init__(self, at: int, *, kill: bool) -> None:
        self.at = at
        self.kill = kill

    def __call__(self, number: int, step: Step) -> None:
        if number != self.at:
            return
        if self.kill:
            os.kill(os.getpid(), signal.SIGKILL)
        raise DriverError("injected")


async def _try(lab: Lab, scenario: str, fault: BeforeStep | None) -> None:
    async with Engine(lab.paths, before_step=fault) as engine:
        await SCENARIOS[scenario](engine)


@pytest.mark.parametrize("scenario", SCENARIOS)
async def test_a_failure_at_any_step_leaves_the_host_as_it_was(lab: Lab, scenario: str) -> None:
    await _prepare(lab, scenario)
    before = inventory(lab.paths)
    step = 0
    while True:
        try:
            await _try(lab, scenario, _Fault(step, kill=False))
        except StepFailedError as error:
            failed = error
        else:
            break
        assert failed.left == ()
        assert inventory(lab.paths) == before, f"after a failure at step {step}: {failed}"
        step += 1
    assert step > 3
    await _end(lab)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_kill_at_any_step_is_ended_by_the_next_engine(lab: Lab, scenario: str) -> None:
    asyncio.run(_prepare(lab, scenario))
    before = inventory(lab.paths)
    step = 0
    while _killed(lab, scenario, step):
        asyncio.run(_adopt(lab))
        after = inventory(lab.paths)
        if after != before:
            # Only while the records are written is the change already complete.
            asyncio.run(_is_complete(lab, scenario))
            break
        step += 1
    assert step > 3
    asyncio.run(_end(lab))


def _killed(lab: Lab, scenario: str, step: int) -> bool:
    """Run a scenario in another process, which is killed at a step; False if it was not."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            asyncio.run(_try(lab, scenario, _Fault(step, kill=True)))
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True
    assert os.WEXITSTATUS(status) == 0
    return False


async def _adopt(lab: Lab) -> None:
    async with Engine(lab.paths) as engine:
        await engine.adopt()


async def _is_complete(lab: Lab, scenario: str) -> None:
    async with Engine(lab.paths) as engine:
        active = {info.name for info in await engine.networks() if info.active}
        assert active == (set() if scenario == "stop" else {"one", "dual"})
        for name in active:
            assert not await engine.plan("apply", [name])


async def _end(lab: Lab) -> None:
    """Stop what runs, and see that then nothing is left."""
    async with Engine(lab.paths) as engine:
        active = [info.uuid for info in await engine.networks() if info.active]
        if active:
            await engine.stop(active)
    left = inventory(lab.paths)
    assert left["dnsmasqs"] == left["switches"] == []
    assert left["ruleset"] == {}
    assert left["files"] == []
    assert not [name for name in links() if name.startswith(("vn-", "vde-"))]
    assert left["sockets"] == []
