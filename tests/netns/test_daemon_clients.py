"""Who may do what at the daemon, and clients that are many, slow, or lose their daemon."""

from __future__ import annotations

import asyncio
import contextlib
import grp
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.support.daemon import Daemon, environment, need_other_users
from tests.support.eventually import soon
from tests.support.lab import Lab
from tests.support.networks import document
from tests.support.raw import MANAGER, Raw
from vnet_tui import client
from vnet_tui.daemon.hosted import Hosted
from vnet_tui.daemon.listening import listening, only_daemon
from vnet_tui.daemon.rights import Rights
from vnet_tui.daemon.server import Limits, Server
from vnet_tui.engine.errors import ConnectionLostError, StateError
from vnet_tui.engine.paths import Paths
from vnet_tui.engine.views import EventKind

WEB = document("web")
STRANGER = 61_234
"""A user id that nobody has."""

BECOME = (
    "import json, os, sys; sys.path.insert(0, sys.argv[1])\n"
    "from pathlib import Path; from tests.support.raw import Raw\n"
    "gid, *groups = json.loads(sys.argv[3]); os.setgroups(groups)\n"
    f"os.setgid(gid); os.setuid({STRANGER})\n"
)
"""Turns into the stranger when all is imported, which he might not be allowed to do."""

ASK = (
    "with Raw(Path(sys.argv[2])) as daemon:\n"
    "    for method, parameters in (('Networks', {}), ('Undefine', {'ref': 'web'})):\n"
    "        reply = daemon.call(method, parameters)\n"
    "        told = reply['parameters']\n"
    "        print(reply.get('error', 'done'), told.get('message'), told.get('remedy'))\n"
    "    print(daemon.call('org.varlink.service.GetInfo')['parameters']['product'])\n"
)


@pytest.fixture
def paths(lab: Lab) -> Paths:
    """Where other users get to the socket: pytest keeps its own directories to itself."""
    need_other_users()
    return Paths(state=lab.paths.state, run=Path("/run/of-test"))


def as_stranger(code: str, paths: Paths, gid: int, groups: list[int]) -> list[str]:
    """The command that runs this code as another user."""
    root = str(Path(__file__).parents[2])
    ids = json.dumps([gid, *groups])
    return [sys.executable, "-c", BECOME + code, root, str(paths.socket), ids]


def ask(paths: Paths, gid: int, groups: list[int]) -> list[str]:
    """What a stranger in these groups is told, line by line."""
    done = subprocess.run(
        as_stranger(ASK, paths, gid, groups),
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_groups_decide_who_reads_and_who_changes(paths: Paths) -> None:
    games, mail = (grp.getgrnam(name) for name in ("games", "mail"))
    options = ("--change-group", games.gr_name, "--read-group", mail.gr_name)
    refused = f"{MANAGER}.NotPermittedError"
    with Daemon(paths, *options):
        nobody = ask(paths, STRANGER, [])
        assert [line.split()[0] for line in nobody] == [refused, refused, "vnetd"]
        assert "the group games (to change) or the group mail (to read)" in nobody[0]
        reader = ask(paths, STRANGER, [mail.gr_gid])
        assert reader[0].startswith("done")
        assert reader[1].startswith(f"{refused} you may read, and Undefine changes")
        assert "adduser USER games" in reader[1]
        by_main_group = ask(paths, mail.gr_gid, [])
        assert by_main_group == reader
        changer = ask(paths, STRANGER, [mail.gr_gid, games.gr_gid])
        assert changer[0].startswith("done")
        assert changer[1].startswith(f"{MANAGER}.NotFoundError there is no network 'web'")


def test_anyone_may_read_where_that_is_so_configured(paths: Paths) -> None:
    with Daemon(paths, "--anyone-may-read", "--change-group", "no-such-group"):
        told = ask(paths, STRANGER, [])
        assert told[0].startswith("done")
        assert told[1].startswith(f"{MANAGER}.NotPermittedError")


def test_one_user_leaves_room_for_others(paths: Paths) -> None:
    hold = (
        "held = [Raw(Path(sys.argv[2])) for _ in range(300)]\n"
        "print(held[-1].reply()['error'], flush=True)\n"
        "sys.stdin.read()\n"
    )
    with Daemon(paths):
        greedy = subprocess.Popen(
            as_stranger(hold, paths, STRANGER, []),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert greedy.stdout
        assert greedy.stdout.readline().strip() == f"{MANAGER}.BusyError"
        with Raw(paths.socket) as other:
            assert other.call("Host")["parameters"]
        greedy.communicate()


# Streams


@pytest.fixture
async def server(lab: Lab) -> AsyncIterator[Server]:
    """A daemon's server in this process, impatient."""
    limits = Limits(stalled=2.0, first_call=1.5, idle=3.0)
    with only_daemon(lab.paths), listening(lab.paths.socket) as socket:
        async with Hosted(lab.paths) as engine:
            made = Server(engine, Rights(), limits)
            await made.serve(socket)
            yield made
            await made.close()


async def test_a_reader_who_stops_reading_is_cut_and_slows_nobody(lab: Lab, server: Server) -> None:
    engine = server.api
    assert isinstance(engine, Hosted)
    await engine.define(WEB)
    stalled = await asyncio.to_thread(Raw, lab.paths.socket)
    await asyncio.to_thread(stalled.call, "Events", None, more=True)
    remote = await client.open("vnet:///system", paths=lab.paths)
    events = remote.events()
    await remote.networks()
    slowest = 0.0
    for number in range(400):
        began = time.monotonic()
        engine.bus.tell(EventKind.WARNING, None, "", f"{number} " + "x" * 1900)
        event = await asyncio.wait_for(anext(events), 5)
        assert event.message.startswith(f"{number} ")
        slowest = max(slowest, time.monotonic() - began)
    assert slowest < 1.0

    async def cut() -> bool:
        return len(server.clients) == 2  # the stream and the call of the other

    await soon(cut, within=10, what="the end of who doesn't read")
    stalled.close()
    await remote.close()


async def test_a_slow_reader_is_told_how_many_events_he_missed(lab: Lab, server: Server) -> None:
    engine = server.api
    assert isinstance(engine, Hosted)
    slow = await asyncio.to_thread(Raw, lab.paths.socket)
    await asyncio.to_thread(slow.call, "Events", None, more=True)
    for _ in range(10):
        for _ in range(80):
            engine.bus.tell(EventKind.WARNING, None, "", "x" * 1900)
        await asyncio.sleep(0)  # so that the engine's own queue doesn't lose any
        await asyncio.sleep(0)
    heard = skipped = 0
    while heard + skipped < 800:
        reply = await asyncio.to_thread(slow.reply)
        heard += 1
        skipped += reply["parameters"].get("skipped", 0)
    assert skipped > 100
    slow.close()


async def test_who_says_nothing_or_half_of_it_is_cut(lab: Lab, server: Server) -> None:
    silent, half, idle = [await asyncio.to_thread(Raw, lab.paths.socket) for _ in range(3)]
    await asyncio.to_thread(half.call, "Host")
    half.send(b'{"method": "io.vnet.')
    began = time.monotonic()
    await asyncio.to_thread(idle.call, "Host")
    assert await asyncio.to_thread(silent.is_cut)
    assert await asyncio.to_thread(half.is_cut)
    assert time.monotonic() - began < 3.0
    await asyncio.to_thread(idle.call, "Host")
    assert await asyncio.to_thread(idle.is_cut)
    assert time.monotonic() - began > 3.0
    for one in (silent, half, idle):
        one.close()


async def test_one_encoding_serves_all_readers(lab: Lab, server: Server) -> None:
    method = server.methods["Samples"]
    engine = server.api
    assert isinstance(engine, Hosted)
    sample = await anext(engine.samples())
    assert server.encoded(method, sample) is server.encoded(method, sample)
    method = server.methods["Networks"]
    await engine.define(WEB)
    told = server.encoded(method, await engine.networks())
    assert server.encoded(method, await engine.networks()) is told
    await engine.set_autostart("web", True)
    assert b'"autostart":true' in server.encoded(method, await engine.networks())


# Clients that lose their daemon


@pytest.fixture
def daemon(lab: Lab) -> Iterator[Daemon]:
    with Daemon(lab.paths) as running:
        yield running


async def test_calls_and_streams_survive_a_restart_of_the_daemon(lab: Lab, daemon: Daemon) -> None:
    made = await client.open("vnet:///system", paths=lab.paths)
    events, samples = made.events(), made.samples()
    await made.define(WEB)
    assert (await asyncio.wait_for(anext(events), 5)).kind is EventKind.DEFINED
    await asyncio.wait_for(anext(samples), 5)
    waiting = asyncio.ensure_future(anext(events))
    await asyncio.to_thread(daemon.stop)
    await asyncio.to_thread(daemon.start)
    warning = await asyncio.wait_for(waiting, 10)
    assert warning.kind is EventKind.WARNING
    assert "the daemon was away" in warning.message
    (web,) = await made.networks()
    assert (await made.set_autostart(web.uuid, True)).autostart
    assert (await asyncio.wait_for(anext(events), 5)).kind is EventKind.AUTOSTART
    assert await asyncio.wait_for(anext(samples), 5)
    await made.close()


async def test_a_daemon_that_is_gone_is_told_in_time(lab: Lab, daemon: Daemon) -> None:
    made = await client.open("vnet:///system", paths=lab.paths)
    await made.networks()
    await asyncio.to_thread(daemon.stop)
    began = time.monotonic()
    with pytest.raises(ConnectionLostError, match="no daemon answers"):
        await made.define(WEB)
    assert time.monotonic() - began < 6
    await made.close()


async def test_ended_streams_leave_no_connection(lab: Lab, server: Server) -> None:
    made = await client.open("vnet:///system", paths=lab.paths)
    for _ in range(20):
        events = made.events()
        await made.networks()
        await events.aclose()  # type: ignore[attr-defined]
    task = asyncio.ensure_future(anext(made.samples()))
    await made.networks()
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task

    async def few() -> bool:
        return len(server.clients) <= 2

    await soon(few)
    await made.close()


async def test_a_checkpoint_belongs_to_all_connections_of_a_client(
    lab: Lab, daemon: Daemon
) -> None:
    first = await client.open("vnet:///system", paths=lab.paths)
    second = await client.open("vnet:///system", paths=lab.paths)
    checkpoint = await first.open_checkpoint(60)
    await asyncio.gather(
        first.define(WEB), first.define(document("shop", address="10.2.0.1")), first.networks()
    )
    with pytest.raises(StateError) as refused:
        await second.set_autostart("web", True)
    assert f"root (uid 0, pid {os.getpid()})" in str(refused.value)
    await second.confirm(checkpoint.id)
    assert (await second.set_autostart("web", True)).autostart
    await first.close()
    await second.close()


def test_environment_names_the_daemon(lab: Lab, daemon: Daemon) -> None:
    code = (
        "import asyncio; from vnet_tui import client\n"
        "async def main():\n"
        "    made = await client.open(); print((await made.host()).via); await made.close()\n"
        "asyncio.run(main())\n"
    )
    for uri, via in (
        ("", "daemon"),
        ("vnet:///embedded", "embedded"),
        ("vnet:///system", "daemon"),
    ):
        done = subprocess.run(
            [sys.executable, "-c", code],
            env=environment(lab.paths, {"VNET_URI": uri}),
            capture_output=True,
            text=True,
        )
        assert done.stdout.strip() == via, done.stderr


def test_a_list_of_networks_loads_nothing_that_it_doesnt_need(lab: Lab, daemon: Daemon) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "vnet_tui.cli.main", "network-list", "--all"],
        env=environment(lab.paths),
        capture_output=True,
        text=True,
    )
    assert done.stdout.lstrip().startswith("Name"), done.stderr
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "vnet_tui.client.remote" in loaded
    dear = {"asyncio", "textual", "rich", "pyroute2", "iptc", "lxml", "asyncinotify", "argparse"}
    assert not loaded & (dear | {"vnet_tui.engine.engine", "vnet_tui.engine.model"})
