"""vnetd from its start to its end: one at a time, given sockets, signals, what it tells whom."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.daemon import VNETD, Daemon, environment
from tests.support.eventually import eventually
from tests.support.inventory import dnsmasqs, links
from tests.support.lab import Lab
from tests.support.networks import document
from tests.support.raw import Raw
from vnet_tui import client
from vnet_tui.engine.errors import ConnectionLostError

WEB = document("web")


def test_a_second_one_is_refused_and_the_first_goes_on(lab: Lab) -> None:
    with Daemon(lab.paths) as first:
        second = subprocess.run(
            VNETD, env=environment(lab.paths), capture_output=True, text=True, timeout=20
        )
        assert second.returncode == 1
        assert f"vnetd runs already on {lab.paths.run} (pid {first.process.pid})" in second.stderr
        with Raw(lab.paths.socket) as asking:
            assert asking.call("Host")["parameters"]


def test_a_killed_ones_socket_is_replaced_and_what_ran_is_adopted(lab: Lab) -> None:
    daemon = Daemon(lab.paths)
    daemon.start()
    with Raw(lab.paths.socket) as asking:
        asking.call("Create", {"xml": WEB})
    before = links()["vn-web"], dnsmasqs()
    daemon.end(signal.SIGKILL)
    assert lab.paths.socket.exists()
    assert (links()["vn-web"], dnsmasqs()) == before
    with daemon, Raw(lab.paths.socket) as asking:
        (web,) = asking.call("Networks")["parameters"]["result"]
        assert (web["name"], web["state"], web["persistent"]) == ("web", "active", False)
        assert (links()["vn-web"], dnsmasqs()) == before
        asking.call("Stop", {"refs": ["web"]})


def test_sigterm_ends_it_in_order_and_networks_go_on(lab: Lab) -> None:
    daemon = Daemon(lab.paths)
    daemon.start()
    with Raw(lab.paths.socket) as asking, Raw(lab.paths.socket) as listening:
        asking.call("Create", {"xml": WEB})
        assert listening.call("Events", more=True) == {"continues": True, "parameters": {}}
        assert daemon.stop() == 0
        assert listening.reply() == {"parameters": {}}  # the stream ended, it didn't break off
        assert listening.is_cut()
        assert asking.is_cut()
    assert not lab.paths.socket.exists()
    assert links()["vn-web"]["up"]
    assert len(dnsmasqs()) == 1
    with Daemon(lab.paths), Raw(lab.paths.socket) as asking:
        asking.call("Stop", {"refs": ["web"]})


def test_a_change_in_progress_is_finished_and_answered_before_the_end(lab: Lab) -> None:
    with Daemon(lab.paths) as daemon, Raw(lab.paths.socket) as asking:
        for number in range(20):
            asking.call("Define", {"xml": document(f"n{number}", address=f"10.{number}.0.1")})
        names = [f"n{number}" for number in range(20)]
        assert "progress" in asking.call("Start", {"refs": names}, more=True)["parameters"]
        daemon.process.terminate()
        reply = asking.reply()
        while reply.get("continues"):
            reply = asking.reply()
        assert {one["state"] for one in reply["parameters"]["result"]} == {"active"}
        assert daemon.stop() == 0
    assert len(dnsmasqs()) == 20
    with Daemon(lab.paths), Raw(lab.paths.socket) as asking:
        assert asking.call("Stop", {"refs": names}) == {"parameters": {}}


def test_a_killed_clients_change_goes_to_its_end(lab: Lab) -> None:
    asks = (
        "import asyncio, os, signal; from vnet_tui import client\n"
        "async def main():\n"
        "    made = await client.open('vnet:///system')\n"
        "    die = lambda progress: os.kill(os.getpid(), signal.SIGKILL)\n"
        "    await made.start(['web'], on_progress=die)\n"
        "asyncio.run(main())\n"
    )
    with Daemon(lab.paths), Raw(lab.paths.socket) as asking:
        asking.call("Define", {"xml": WEB})
        ended = subprocess.run([sys.executable, "-c", asks], env=environment(lab.paths), timeout=20)
        assert ended.returncode == -signal.SIGKILL

        def runs() -> bool:
            web = asking.call("Network", {"ref": "web"})["parameters"]["result"]
            return bool(web["state"] == "active")

        eventually(runs)
        assert len(dnsmasqs()) == 1
        assert asking.call("Plan", {"verb": "apply", "refs": ["web"]}) == {
            "parameters": {"result": {"steps": []}}
        }
        messages = [one["message"] for one in asking.call("PastEvents")["parameters"]["result"]]
        assert "runs" in messages
        asking.call("Stop", {"refs": ["web"]})


def test_a_socket_that_is_given_is_served(lab: Lab, tmp_path: Path) -> None:
    path = tmp_path / "given.sock"
    give = 'exec 3<&0 </dev/null; LISTEN_PID=$$ LISTEN_FDS=1 exec "$@"'  # sd_listen_fds(3)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as given:
        given.bind(str(path))
        given.listen()
        daemon = Daemon(lab.paths, program=["sh", "-c", give, "sh", *VNETD], stdin=given)
        with Raw(path) as asking:
            asking.ask("Host")  # it waits for whoever will listen
            daemon.start()
            assert asking.reply()["parameters"]["result"]["via"] == "daemon"
            assert not lab.paths.socket.exists()
            assert daemon.stop() == 0
    assert path.exists()  # it is the giver's


def test_the_service_manager_is_told(lab: Lab, tmp_path: Path) -> None:
    address = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.settimeout(10)
        manager.bind(str(address))
        with Daemon(lab.paths, environ={"NOTIFY_SOCKET": str(address)}) as daemon:
            assert manager.recv(1000) == b"READY=1"
            daemon.process.send_signal(signal.SIGHUP)
            assert manager.recv(1000).startswith(b"RELOADING=1\nMONOTONIC_USEC=")
            assert manager.recv(1000) == b"READY=1"
            eventually(lambda: "read the definitions again" in daemon.said)
        assert manager.recv(1000) == b"STOPPING=1"


def test_changes_are_logged_in_the_journal_with_who_and_what(lab: Lab, tmp_path: Path) -> None:
    address = tmp_path / "journal"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journal:
        journal.settimeout(10)
        journal.bind(str(address))
        with (
            Daemon(lab.paths, "--journal", str(address)) as daemon,
            Raw(lab.paths.socket) as asking,
        ):
            asking.call("Define", {"xml": WEB})
            entry = journal.recv(1 << 20).decode().splitlines()
            asking.call("Stop", {"refs": ["web"]})
            refused = journal.recv(1 << 20).decode().splitlines()
        assert "root (uid" not in daemon.said  # it isn't told twice
    who = f"root (uid 0, pid {os.getpid()})"
    assert f"VNET_WHO={who}" in entry
    assert {"VNET_VERB=define", "VNET_NETWORKS=web", "VNET_RESULT=done", "PRIORITY=6"} <= {*entry}
    assert "SYSLOG_IDENTIFIER=vnetd" in entry
    assert f"MESSAGE={who}: define web" in entry
    assert {"VNET_RESULT=failed", "VNET_ERROR=not running: web", "PRIORITY=4"} <= {*refused}


async def test_without_a_daemon_asking_for_it_says_how_to_start_it(lab: Lab) -> None:
    with pytest.raises(ConnectionLostError, match="systemctl start vnetd"):
        await client.open("vnet:///system", paths=lab.paths)


async def test_without_a_word_it_is_the_daemon_where_it_answers(lab: Lab) -> None:
    with Daemon(lab.paths):
        made = await client.open(paths=lab.paths)
        assert (await made.host()).via == "daemon"
        await made.close()
    made = await client.open(paths=lab.paths)
    assert (await made.host()).via == "embedded"
    await made.close()
