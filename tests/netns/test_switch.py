"""Networks with a vde_switch: guests that plug into it, what others do to it, what is refused."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from tests.support.daemon import need_other_users
from tests.support.dhcp import lease4
from tests.support.eventually import eventually, soon
from tests.support.heard import Heard
from tests.support.inventory import inventory, links, processes_here, switches
from tests.support.lab import Lab
from tests.support.networks import document
from vnet_tui.engine.engine import Engine
from vnet_tui.engine.errors import ConflictError, StepFailedError
from vnet_tui.engine.paths import Paths
from vnet_tui.engine.views import Disturbance, EventKind
from vnet_tui.sandbox.namespaces import NamedNamespace, mount_tmpfs

MAC = "52:54:00:00:00:99"
PATHS = Paths(state=Path("/run/state"), run=Path("/run/vnet"))
"""Short enough for the sockets of a switch, unlike a test's directory; /run is its own."""


def _with(attributes: str = "") -> str:
    return document("one", f'<switch type="vde" {attributes}/>')


@pytest.fixture
async def engine(lab: Lab) -> AsyncIterator[Engine]:
    """An engine whose networks are stopped at the end."""
    async with Engine(PATHS) as made:
        yield made
        if active := [info.uuid for info in await made.networks() if info.active]:
            await made.stop(active)


def _sockets() -> Path:
    (found,) = PATHS.vde.glob("*/ctl")
    return found


def _is_socket(path: str) -> bool:
    return Path(path).is_socket()


def _plugged(lab: Lab, name: str = "virtual") -> NamedNamespace:
    """A machine whose ``eth0`` is a tap, as that of a virtual machine, plugged into the switch."""
    machine = lab.machine(name)
    _plug(machine)
    return machine


def _plug(machine: NamedNamespace) -> None:
    machine.run("vde_plug2tap", "--daemon", f"--sock={_sockets()}", "eth0")
    eventually(lambda: "eth0" in machine.run("ip", "link").stdout, what="the tap")
    machine.run("ip", "link", "set", "eth0", "address", MAC, "up")


async def _lease(machine: NamedNamespace, tmp_path: Path) -> str:
    offer = await asyncio.to_thread(lease4, machine, tmp_path, machine.name)
    assert offer is not None
    machine.run("ip", "address", "replace", f"{offer.address}/24", "dev", "eth0")
    return offer.address


async def _answers(machine: NamedNamespace, address: str) -> bool:
    asked = ("ping", "-c", "1", "-W", "1", address)
    return (await asyncio.to_thread(machine.run, *asked, check=False)).returncode == 0


async def test_guests_of_the_switch_are_guests_of_the_network_and_again_when_it_was_killed(
    engine: Engine, lab: Lab, tmp_path: Path
) -> None:
    before = inventory(PATHS)
    await engine.define(_with())
    await engine.start(["one"])
    await engine.watch()
    (tap,) = (name for name in links() if name.startswith("vde-"))
    wired = lab.guest("wired", "vn-one")
    assert "vde_switch" in [one.name for one in await engine.guests("one") if one.port == tap]
    virtual = _plugged(lab)
    address = await _lease(wired, tmp_path)
    mine = await _lease(virtual, tmp_path)
    assert await _answers(virtual, address)
    guests = {guest.mac: guest for guest in await engine.guests("one")}
    assert (guests[MAC].port, str(guests[MAC].addresses[0])) == (tap, mine)
    assert "vde" not in str(await engine.doctor("one", patience=0))
    async for sample in engine.samples():
        traffic = sample.networks[(await engine.network("one")).uuid]
        if traffic.ports.keys() == {tap, "p-wired"}:
            break
    heard = Heard(engine)
    (pid,) = (pid for pid, line in processes_here().items() if "vde_switch" in line)
    os.kill(pid, signal.SIGKILL)
    await heard.hears(EventKind.RECOVERED, "start vde_switch on vn-one")
    assert not heard.of(EventKind.FAILED)

    async def unplugged() -> bool:
        return "eth0" not in virtual.run("ip", "link").stdout

    await soon(unplugged)
    _plug(virtual)
    assert await _lease(virtual, tmp_path) == mine
    assert await _answers(virtual, address)
    await engine.stop(["one"])
    lab.ip("link", "del", "p-wired")
    after = inventory(PATHS)
    assert {**after, "files": []} == before  # names of guests are kept for a while


async def test_members_of_the_group_plug_in_and_nobody_else(engine: Engine) -> None:
    need_other_users()
    await engine.define(_with('group="nogroup" mode="0660"'))
    await engine.start(["one"])
    with _plug_as("nobody", "nogroup") as member:

        async def theirs() -> bool:
            return "nobody" in {path.owner() for path in _sockets().iterdir()}

        await soon(theirs)
    assert member.returncode == 0
    with _plug_as("daemon", "daemon") as stranger:
        _, said = await asyncio.to_thread(stranger.communicate)
    assert b"Permission denied" in said


def _plug_as(user: str, group: str) -> subprocess.Popen[bytes]:
    """A client that is plugged in until its input ends."""
    become = ("setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups")
    return subprocess.Popen(
        [*become, "vde_plug", str(_sockets())], stdin=subprocess.PIPE, stderr=subprocess.PIPE
    )


@pytest.mark.parametrize("left", ["*/ctl/ctl", "*/ctl", "*"])
async def test_sockets_that_somebody_removes_are_made_again(engine: Engine, left: str) -> None:
    await engine.define(_with())
    await engine.start(["one"])
    await engine.watch()
    assert not await engine.plan("apply", ["one"])
    heard = Heard(engine)
    await asyncio.to_thread(_remove, left)
    await heard.hears(EventKind.DRIFTED, "vde_switch lost its interface vde-")
    await heard.hears(EventKind.RECOVERED, "start vde_switch on vn-one")
    assert _is_socket(str(_sockets() / "ctl"))
    assert len(switches()) == 1
    assert not heard.of(EventKind.FAILED)


def _remove(pattern: str) -> None:
    (path,) = PATHS.vde.glob(pattern)
    if path.is_socket():
        path.unlink()
    else:
        shutil.rmtree(path)


async def test_an_edit_of_the_switch_touches_nothing_else(engine: Engine, lab: Lab) -> None:
    await engine.define(document("one"))
    await engine.start(["one"])
    lab.guest("wired", "vn-one")
    before = {key: value for key, value in inventory(PATHS).items() if key == "dnsmasqs"}
    await engine.define(_with('mode="0660" group="root"'))
    assert (await engine.plan("apply", ["one"])).disturbs is Disturbance.LIVE
    await engine.apply("one")
    assert _sockets().joinpath("ctl").stat().st_mode & 0o777 == 0o660
    await engine.define(_with('socket="/run/mine/one"'))
    plan = await engine.plan("apply", ["one"])
    assert plan.disturbs is Disturbance.DISCONNECTS_GUESTS
    assert [step.text.split(" vde-")[0] for step in plan.steps] == [
        "stop vde_switch on vn-one",
        "start vde_switch on vn-one",
        "plug vde_switch",
        "record one as changed",
    ]
    await engine.apply("one")
    assert _is_socket("/run/mine/one/ctl")
    await engine.define(document("one"))
    await engine.apply("one")
    assert not [name for name in links() if name.startswith("vde-")]
    assert not _is_socket("/run/mine/one/ctl")
    assert inventory(PATHS)["dnsmasqs"] == before["dnsmasqs"]
    assert links()["p-wired"]["master"] == "vn-one"


async def test_what_a_switch_cant_take_is_told_by_the_doctor(engine: Engine) -> None:
    await engine.define(_with().replace('"vn-one"', '"vn-one" mtu="9000"'))
    await engine.start(["one"])
    (told,) = [one for one in await engine.doctor("one", patience=0) if "vde" in one.where]
    assert "takes 1500 bytes, the bridge 9000" in told.message
    assert not told.commands


async def test_a_restart_leaves_guests_on_the_switch_plugged_in(
    engine: Engine, lab: Lab, tmp_path: Path
) -> None:
    await engine.define(_with())
    await engine.start(["one"])
    virtual = _plugged(lab)
    await _lease(virtual, tmp_path)
    await engine.restart(["one"])
    assert await _answers(virtual, "10.1.0.1")
    await engine.define(_with().replace("vn-one", "vn-other"))
    await engine.apply("one")
    assert await _answers(virtual, "10.1.0.1")


def _occupy() -> None:
    directory = Path("/run/vde/one")
    directory.mkdir(parents=True)
    directory.joinpath("precious").touch(mode=0o600)


def _hide_tun() -> None:
    mount_tmpfs(Path("/dev/net"))


REFUSED: dict[str, tuple[str, Callable[[], object], str]] = {
    "no device": ("", _hide_tun, "needs /dev/net/tun, .* modprobe tun"),
    "no such group": ('group="nosuch"', lambda: None, "no group called nosuch"),
    "a directory of others": ('socket="/run/vde/one"', _occupy, "holds other .* precious"),
    "a file": ('socket="/dev/null"', lambda: None, "can't be in /dev/null: Not a directory"),
}


@pytest.mark.parametrize("what", REFUSED)
async def test_what_is_in_a_switchs_way_is_told_before_anything_is_touched(
    engine: Engine, what: str
) -> None:
    attributes, harm, told = REFUSED[what]
    harm()
    await engine.define(_with(attributes))
    before = inventory(PATHS)
    with pytest.raises(ConflictError, match=told) as caught:
        await engine.start(["one"])
    assert [problem.line > 0 for problem in caught.value.problems] == [True]
    assert inventory(PATHS) == before


async def test_another_switch_in_the_directory_is_told_and_left_alone(engine: Engine) -> None:
    await engine.define(_with('socket="/run/theirs"'))
    await asyncio.to_thread(Path("/run/theirs").mkdir)
    with socket.socket(socket.AF_UNIX) as theirs:
        theirs.bind("/run/theirs/ctl")
        theirs.listen()
        with pytest.raises(ConflictError, match="another vde_switch listens in /run/theirs"):
            await engine.start(["one"])
    assert _is_socket("/run/theirs/ctl")
    await engine.start(["one"])  # nobody listens there any more


async def test_a_program_that_isnt_installed_is_told(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    which = shutil.which
    monkeypatch.setattr(
        "shutil.which", lambda name, path: None if name == "vde_switch" else which(name, path=path)
    )
    await engine.define(_with())
    with pytest.raises(ConflictError, match=r"vde_switch isn't installed .*package vde2"):
        await engine.start(["one"])


async def test_a_path_that_is_too_long_is_told(lab: Lab) -> None:
    async with Engine(Paths(state=PATHS.state, run=Path("/run") / ("x" * 60))) as engine:
        await engine.define(_with())
        with pytest.raises(ConflictError, match="has 110 bytes; at most 100 fit"):
            await engine.start(["one"])


async def test_a_switch_that_ends_as_it_begins_fails_the_start_wholly(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = inventory(PATHS)
    monkeypatch.setattr(
        "vnet_tui.engine.drivers.vde.driver.Vde._arguments",
        lambda *_: ["--sock=/run/vde/one", "--group=nosuch"],
    )
    await engine.define(_with())
    with pytest.raises(StepFailedError, match="No such group 'nosuch'"):
        await engine.start(["one"])
    assert inventory(PATHS) == before
