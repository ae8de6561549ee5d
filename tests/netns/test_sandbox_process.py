"""The sandbox as a process: what goes in and comes out, and that nothing of it is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.eventually import eventually
from tests.support.sandbox import Sandbox, Starter, alive, members, stop
from vnet_tui.sandbox import namespaces, world


@pytest.fixture(params=[False, True], ids=["root", "plain user"])
def starter(request: pytest.FixtureRequest) -> Iterator[Starter]:
    made = Starter(plain=request.param)
    yield made
    made.close()


def links() -> str:
    return subprocess.run(["ip", "link"], check=True, capture_output=True, text=True).stdout


def mounts() -> str:
    return Path("/proc/thread-self/mountinfo").read_text()


def pids() -> set[str]:
    return {entry.name for entry in Path("/proc").iterdir() if entry.name.isdigit()}


def environment_of(pid: str) -> str:
    try:
        return Path(f"/proc/{pid}/environ").read_text()
    except OSError:
        return ""  # it ended while we looked


def test_the_exit_status_comes_out(starter: Starter) -> None:
    assert starter.run("sh", "-c", "exit 7").returncode == 7


def test_a_signal_that_ended_the_command_is_told_as_shells_do(starter: Starter) -> None:
    assert starter.run("sh", "-c", "kill -KILL $$").returncode == 128 + signal.SIGKILL


def test_the_command_is_root_of_a_place_of_its_own(starter: Starter) -> None:
    script = "id -u; echo $$; echo $VNET_SANDBOX $VNET_STATE_DIR $VNET_RUN_DIR; ls /run"
    done = starter.run("sh", "-c", script)
    uid, pid, settings, *run = done.stdout.split("\n")
    assert uid == "0"
    assert int(pid) < 1000  # of a pid namespace that has just begun
    assert settings == "1 /run/vnet-state /run/vnet"
    assert run[:2] == ["netns", "vnet-sandbox"]


def test_nothing_is_left_when_the_command_ends(starter: Starter) -> None:
    before = links(), mounts(), pids()
    marker = f"SANDBOX_OF_TEST={os.getpid()}"
    left_behind = "sleep 1000 & setsid sleep 1000 & true"
    done = starter.run("sh", "-c", left_behind, environment=dict([marker.split("=")]))
    assert done.returncode == 0, done.stderr
    assert links() == before[0]
    assert mounts() == before[1]
    assert not {pid for pid in pids() - before[2] if marker in environment_of(pid)}


def test_all_ends_when_the_outer_process_is_killed(starter: Starter) -> None:
    with Sandbox(starter) as sandbox:
        sandbox.run("setsid sleep 1000 & true")
        eventually(lambda: "udhcpc" in sandbox.run("ps -eo args"), what="a DHCP client")
        inside = sandbox.processes()
        assert len(inside) > 5
        stop(sandbox.process, signal.SIGKILL)
        eventually(lambda: not alive(inside), what="the end of all processes")


def test_a_request_to_end_reaches_the_command(starter: Starter) -> None:
    script = "trap 'exit 5' TERM; echo ready; while :; do sleep 0.05; done"
    process = subprocess.Popen(
        starter.command("sh", "-c", script),
        env=starter.environment,
        cwd="/",
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        assert stop(process, signal.SIGTERM) == 5


def test_a_request_to_end_while_it_is_built_ends_it(starter: Starter) -> None:
    process = subprocess.Popen(
        starter.command("echo", "never"),
        env={**starter.environment, "BARE_SANDBOX": "waits"},
        cwd="/",
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "waiting\n"
        inside = members(process.pid)
        assert inside
        assert stop(process, signal.SIGTERM) == 128 + signal.SIGTERM
        eventually(lambda: not alive(inside), what="the end of all processes")


def test_orphans_are_collected(starter: Starter) -> None:
    with Sandbox(starter) as sandbox:
        orphan = sandbox.run("sh -c 'sleep 0.1 & echo $!'")
        assert sandbox.run(f"cut -d' ' -f4 /proc/{orphan}/stat") == "1"
        eventually(
            lambda: sandbox.run(f"test -e /proc/{orphan} || echo gone") == "gone",
            what="the collection of an orphan",
        )


def test_a_command_that_is_not_there(starter: Starter) -> None:
    done = starter.run("/no/such/program")
    assert done.returncode == 127
    assert done.stderr == "vnet-tui: /no/such/program: No such file or directory\n"


def test_the_program_that_was_called_speaks() -> None:
    call = "import sys; from vnet_tui.cli.main import main; sys.exit(main(sys.argv[1:]))"
    starter = Starter(plain=False)
    done = subprocess.run(
        [starter.python, "-c", call, "sandbox", "--", "/no/such/program"],
        env=starter.environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 127
    assert done.stderr == "vnet: /no/such/program: No such file or directory\n"


def test_networks_that_do_not_start_are_told_as_the_daemon_said(starter: Starter) -> None:
    # A directory is where the daemon's lock should be.
    code = (
        "import sys; from pathlib import Path; from vnet_tui.sandbox import launch, networks\n"
        "def starter(directory):\n"
        "    Path('/run/vnet/vnetd.lock').mkdir(parents=True)\n"
        "    return networks.engine_starter(directory)\n"
        "sys.exit(launch.launch(['echo', 'never'], starter))\n"
    )
    done = subprocess.run(
        [*starter.prefix, "-c", code], env=starter.environment, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith(
        "vnet-tui: building the sandbox failed: its networks didn't start: "
        "can't use the run directory /run/vnet: Is a directory"
    )


def test_an_error_while_it_is_built_ends_it_and_is_told(starter: Starter) -> None:
    done = starter.run("echo", "never", environment={"BARE_SANDBOX": "fails"})
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == "vnet-tui: building the sandbox failed: no bridges today\n"


def test_a_program_of_the_system_that_fails_is_told(starter: Starter) -> None:
    done = starter.run("echo", "never", environment={"BARE_SANDBOX": "breaks"})
    assert done.returncode == 1
    assert done.stdout == ""
    assert "vnet-tui: building the sandbox failed: ip link add uplink0" in done.stderr
    assert "File exists" in done.stderr


def test_missing_programs_are_named_with_their_packages(tmp_path: Path) -> None:
    for name in ("ip", "nsenter", "udhcpc"):
        (tmp_path / name).touch(mode=0o755)
    code = (
        "import sys; from vnet_tui.sandbox import launch;"
        "launch._ADMIN_DIRECTORIES = (); sys.exit(launch.launch(['true']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert done.stderr == (
        "vnet-tui: the sandbox needs dnsmasq (on Debian: apt-get install dnsmasq-base)\n"
    )


@pytest.mark.parametrize(
    "target", ["/run/systemd/resolve/stub-resolv.conf", "resolv.conf.real"], ids=["run", "etc"]
)
def test_names_are_asked_of_the_sandbox_wherever_resolv_conf_leads(
    tmp_path: Path, target: str
) -> None:
    etc = tmp_path / "etc"
    etc.mkdir()
    for name in ("ld.so.cache", "nsswitch.conf", "passwd", "group"):
        (etc / name).write_bytes(Path("/etc", name).read_bytes())
    (etc / "resolv.conf.real").write_text("nameserver 192.0.2.53\n")
    (etc / "resolv.conf").symlink_to(target)
    namespaces.mount_bind(etc, "/etc")
    done = Starter(plain=False).run(
        "sh", "-c", "cat /etc/resolv.conf; getent hosts dns.example.net"
    )
    assert done.stdout.splitlines() == [
        f"nameserver {world.DNS_SERVER}",
        f"{world.GATEWAY_V6} dns.example.net",
    ]
    assert (etc / "resolv.conf.real").read_text() == "nameserver 192.0.2.53\n"
