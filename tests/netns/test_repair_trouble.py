"""Repairs that fail, that others undo, that several engines see, that are broken off."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.support.eventually import eventually, soon
from tests.support.heard import Heard
from tests.support.inventory import dnsmasqs, inventory, links, processes_here, sysctl
from tests.support.lab import Lab
from tests.support.networks import document, network
from vnet_tui.engine import backoff, repair
from vnet_tui.engine.engine import Engine
from vnet_tui.engine.errors import DriverError
from vnet_tui.engine.steps import AttachPorts, StartDnsmasq, Step
from vnet_tui.engine.views import EventKind, NetworkInfo, State

ONE, TWO = document("one"), document("two", address="10.2.0.1")


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits as in life, but shorter."""
    monkeypatch.setattr(backoff, "FIRST_SECONDS", 0.3)
    monkeypatch.setattr(repair, "RELIEVE_SECONDS", 0.2)


@contextlib.asynccontextmanager
async def running(engine: Engine, *documents: str) -> AsyncIterator[Engine]:
    """An engine that watches these networks run; what runs at the end is stopped."""
    async with engine:
        names = [(await engine.define(text)).name for text in documents or (ONE,)]
        await engine.start(names)
        await engine.watch()
        for name in names:
            await _is_right(engine, name)
        try:
            yield engine
        finally:
            active = [info.uuid for info in await engine.networks() if info.active]
            if active:
                await engine.stop(active)


async def _is_right(engine: Engine, name: str = "one") -> None:
    async def right() -> bool:
        info = await engine.network(name)
        return info.state is State.ACTIVE and not await engine.plan("apply", [name])

    await soon(right, what=f"{name} is still not right")


async def _drifted(engine: Engine, words: str, name: str = "one") -> NetworkInfo:
    """The network once it is shown as drifted, with such a note."""

    async def shown() -> NetworkInfo | None:
        info = await engine.network(name)
        return info if info.state is State.DRIFTED and words in info.note else None

    found = await soon(shown, what=f"{name} isn't shown as drifted because of {words!r}")
    assert found is not None
    return found


async def _sh(command: str) -> None:
    await asyncio.to_thread(subprocess.run, ["sh", "-euc", command], check=True)


def _kill_dnsmasq() -> None:
    for pid, line in processes_here().items():
        if "dnsmasq" in line:
            os.kill(pid, signal.SIGKILL)


class Faults:
    """Lets the first starts of a dnsmasq after :meth:`fail` fail, and counts all steps."""

    def __init__(self) -> None:
        self.left = 0
        self.steps: list[Step] = []

    def __call__(self, _number: int, step: Step) -> None:
        self.steps.append(step)
        if isinstance(step, StartDnsmasq) and self.left:
            self.left -= 1
            raise DriverError("no luck today")


async def test_what_fails_is_tried_again_later_and_that_is_shown(lab: Lab) -> None:
    faults = Faults()
    async with running(Engine(lab.paths, before_step=faults)) as engine:
        heard = Heard(engine)
        faults.left = 3
        _kill_dnsmasq()
        info = await _drifted(engine, "no luck today; next try at ")
        assert info.note.startswith("dnsmasq on vn-one doesn't run; ")
        assert info.active
        assert "gave up repairing until" in await heard.told(EventKind.FAILED)
        assert await heard.told(EventKind.RECOVERED) == "repaired: start dnsmasq on vn-one"
        await _is_right(engine)
        assert faults.left == 0
        # One cause is told once, however often it is tried.
        assert len(heard.of(EventKind.DRIFTED)) == len(heard.of(EventKind.FAILED)) == 1
        assert len(dnsmasqs()) == 1


async def test_a_dnsmasq_that_doesnt_start_is_told_with_its_last_words(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(Engine(lab.paths)) as engine:
        fake = tmp_path / "bin" / "dnsmasq"
        fake.parent.mkdir()
        fake.write_text("#!/bin/sh\necho 'dnsmasq: the moon is wrong' >&2\nexit 2\n")
        fake.chmod(0o755)
        with monkeypatch.context() as patched:
            patched.setenv("PATH", f"{fake.parent}:{os.environ['PATH']}")
            _kill_dnsmasq()
            await _drifted(engine, "the moon is wrong; next try at ")
        await _is_right(engine)


async def test_one_that_cant_be_mended_keeps_no_other_from_it(lab: Lab) -> None:
    async with running(Engine(lab.paths), ONE, TWO) as engine:
        heard = Heard(engine)
        await _sh(
            "ip link del vn-one; ip link add vn-one type veth peer name other;"
            "ip link set vn-two mtu 1400; nft flush ruleset"
        )
        info = await _drifted(engine, "File exists")
        assert "bridge vn-one is gone" in info.note
        await _is_right(engine, "two")
        assert links()["vn-one"]["kind"] == "veth"
        await _sh("ip link del vn-one")
        await _is_right(engine)
        told = [event.name for event in heard.events if event.kind is EventKind.RECOVERED]
        assert sorted(told) == ["", "one", "two"]


async def test_what_others_keep_undoing_waits_and_users_changes_dont(lab: Lab) -> None:
    async with running(Engine(lab.paths), ONE, TWO) as engine, Engine(lab.paths) as other:
        heard = Heard(engine)
        over = asyncio.Event()

        async def undo() -> None:
            while not over.is_set():
                if "10.1.0.1/24" in str(links()["vn-one"]["addresses"]):
                    await _sh("ip address del 10.1.0.1/24 dev vn-one")
                await asyncio.sleep(0.01)

        rival = asyncio.create_task(undo())
        try:
            info = await _drifted(engine, " times, and undone; next try at ")
            assert "address 10.1.0.1/24 is gone from vn-one" in info.note
            for number in range(6):
                user = engine if number % 2 else other
                async with asyncio.timeout(5):
                    await user.restart(["two"])
            tries = len(heard.of(EventKind.RECOVERED))
            assert tries < 14
        finally:
            over.set()
            await rival
        await _is_right(engine)
        await _is_right(engine, "two")


async def test_report_only_tells_and_touches_nothing(lab: Lab) -> None:
    faults = Faults()
    async with running(Engine(lab.paths, repair=False, before_step=faults), ONE, TWO) as engine:
        heard = Heard(engine)
        faults.steps.clear()
        await _sh(
            "ip link set vn-one mtu 1400; ip address del 10.1.0.1/24 dev vn-one;"
            "echo 1 > /proc/sys/net/ipv4/conf/vn-two/route_localnet; nft flush ruleset"
        )
        _kill_dnsmasq()
        broken = inventory(lab.paths)
        info = await _drifted(engine, "vnet network-apply one mends it")
        assert "MTU 1400 instead of 1500" in info.note
        await _drifted(engine, "vnet network-apply two mends it", "two")
        assert len(heard.of(EventKind.DRIFTED)) == 3
        await engine.reload()
        assert inventory(lab.paths) == broken
        assert faults.steps == []
        await engine.apply("one")
        await _is_right(engine)
        assert "is as it should be again" in await heard.told(EventKind.RECOVERED)
        await engine.apply("two")
        await _is_right(engine, "two")


def test_report_only_can_be_the_hosts_wish(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    assert Engine(lab.paths).repairs
    monkeypatch.setenv("VNET_REPAIR", "report")
    assert not Engine(lab.paths).repairs
    assert Engine(lab.paths, repair=True).repairs


async def test_of_two_engines_one_mends_and_tells(lab: Lab) -> None:
    first, second = Faults(), Faults()
    async with (
        running(Engine(lab.paths, before_step=first)) as engine,
        Engine(lab.paths, before_step=second) as other,
    ):
        await other.watch()
        heard = Heard(other)
        first.steps.clear()
        for times in range(1, 4):
            await _sh("ip link set vn-one mtu 1400; nft flush ruleset")
            await heard.told(EventKind.RECOVERED, times=2 * times)
            await _is_right(engine)
            await _is_right(other)
        assert len(heard.of(EventKind.DRIFTED)) == len(heard.of(EventKind.RECOVERED)) == 6
        assert second.steps == []


async def test_two_engines_that_both_mend_dont_fight(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a lock isn't enough to tell who mends: the second finds nothing to do."""
    monkeypatch.setattr("vnet_tui.engine.guard.Guard.acts", lambda _: True)
    first, second = Faults(), Faults()
    async with (
        running(Engine(lab.paths, before_step=first)) as engine,
        Engine(lab.paths, before_step=second) as other,
    ):
        await other.watch()
        heard = Heard(other)
        first.steps.clear()
        await _sh("ip link set vn-one mtu 1400; nft flush ruleset")
        await heard.told(EventKind.RECOVERED, times=2)
        await _is_right(engine)
        await _is_right(other)
        assert len(first.steps) + len(second.steps) == 2
        assert len(heard.of(EventKind.DRIFTED)) == len(heard.of(EventKind.RECOVERED)) == 2


_DAEMON = "import fcntl, os, sys; f = open(sys.argv[1], 'w'); fcntl.flock(f, fcntl.LOCK_EX); "
_DAEMON += "print(os.getpid(), file=f, flush=True); print(flush=True); sys.stdin.read()"


@contextlib.contextmanager
def _daemon(lab: Lab) -> Iterator[subprocess.Popen[bytes]]:
    """What a daemon holds; it does nothing."""
    lab.paths.run.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-c", _DAEMON, str(lab.paths.daemon_lock)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as made:
        assert made.stdout is not None
        made.stdout.readline()
        try:
            yield made
        finally:
            made.kill()


async def test_an_engine_leaves_it_to_the_daemon_for_as_long_as_there_is_one(lab: Lab) -> None:
    faults = Faults()
    async with running(Engine(lab.paths, before_step=faults)) as engine:
        heard = Heard(engine)
        faults.steps.clear()
        with _daemon(lab):
            await _sh("ip link set vn-one mtu 1400")
            await _drifted(engine, "MTU 1400 instead of 1500")
            await engine.define(TWO)
            assert faults.steps == []
            assert heard.of(EventKind.DRIFTED) == []
        await _is_right(engine)
        assert len(faults.steps) == 1


async def test_what_is_done_to_many_networks_is_mended_once(lab: Lab) -> None:
    names = [f"n{number}" for number in range(30)]
    documents = [document(name, address=f"10.{60 + i}.0.1") for i, name in enumerate(names)]
    runs: list[int] = []

    def count(number: int, _step: Step) -> None:
        if number == 0:
            runs.append(number)

    async with running(Engine(lab.paths, before_step=count), *documents) as engine:
        heard = Heard(engine)
        runs.clear()
        await _sh("nft flush ruleset")
        await heard.told(EventKind.RECOVERED)
        batch = "\n".join(f"link set vn-{name} mtu 1400" for name in names)
        await asyncio.to_thread(
            subprocess.run, ["ip", "-batch", "-"], input=batch.encode(), check=True
        )
        await heard.told(EventKind.RECOVERED, times=31)
        for name in names:
            await _is_right(engine, name)
        assert len(runs) < 6  # on a busy host ip(8) takes longer than one look waits


def test_a_repair_that_is_killed_is_ended_by_the_next_engine(lab: Lab) -> None:
    """Killed when the new bridge is there and its port isn't plugged in yet."""

    def die(_number: int, step: Step) -> None:
        if isinstance(step, AttachPorts):
            os.kill(os.getpid(), signal.SIGKILL)

    async def prepare() -> None:
        async with Engine(lab.paths) as engine:
            await engine.define(ONE)
            await engine.start(["one"])
        lab.guest("web", "vn-one")

    async def mend(before_step: object = None) -> None:
        async with Engine(lab.paths, before_step=die if before_step else None) as engine:
            await engine.adopt()
            await engine.watch()
            os.write(ready, b"!")
            await _is_right(engine)
            await asyncio.Event().wait()

    async def after() -> None:
        async with Engine(lab.paths) as engine:
            await engine.adopt()
            await _is_right(engine)
            assert links()["p-web"]["master"] == "vn-one"
            await engine.stop(["one"])

    asyncio.run(prepare())
    told, ready = os.pipe()
    child = os.fork()
    if child == 0:
        with contextlib.suppress(BaseException):
            asyncio.run(mend(before_step=die))
        os._exit(1)
    assert os.read(told, 1)
    eventually(lambda: (lab.paths.run / "guard.lock").exists())
    subprocess.run(["ip", "link", "del", "vn-one"], check=True)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status)
    assert links()["p-web"]["master"] is None
    asyncio.run(after())


async def test_a_record_that_cant_be_read_leaves_its_network_alone_and_the_others_go_on(
    lab: Lab,
) -> None:
    uuid = network("one").uuid
    assert uuid is not None
    async with running(Engine(lab.paths), ONE, TWO) as engine:
        heard = Heard(engine)
        record = lab.paths.record_file(uuid)
        record.write_text("{}")
        assert str(record) in await heard.told(EventKind.WARNING)
        info = await engine.network("one")
        assert (info.state, info.active) == (State.DAMAGED, False)
        assert "start it to take it up again as it is defined" in info.note
        # The others start, stop and are repaired, and it stays as it is.
        await engine.define(document("three", address="10.3.0.1"))
        await engine.start(["three"])
        await _sh("ip link set vn-two mtu 1400; ip link set vn-one mtu 1400")
        await heard.told(EventKind.RECOVERED)
        await engine.stop(["three", "two"])
        bridge = links()["vn-one"]
        assert (bridge["addresses"], bridge["mtu"]) == (["10.1.0.1/24"], 1400)
        assert len(dnsmasqs()) == 1
        assert "vn-one" in str(inventory(lab.paths)["ruleset"])
        assert sysctl("net/ipv4/ip_forward") == "1"
        # Started again it is what it was, and no process was begun anew.
        (process,) = [pid for pid, line in processes_here().items() if "dnsmasq" in line]
        await engine.start(["one"])
        await _is_right(engine)
        assert links()["vn-one"]["mtu"] == 1500
        assert process in processes_here()
