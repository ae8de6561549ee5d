"""Daemons elsewhere: on another host through ssh, in a sandbox of their own."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.daemon import Daemon, environment, need_other_users
from tests.support.eventually import eventually
from tests.support.lab import Lab, processes_in
from tests.support.networks import document
from vnet_tui import client
from vnet_tui.client.ssh import Destination
from vnet_tui.engine.errors import ConnectionLostError, DocumentError, VnetError
from vnet_tui.engine.views import EventKind

WEB = document("web")
FAKE_SSH = """#!/bin/sh
echo "$@" >>"$0.log"
echo $$ >>"$0.pids"
while [ "$1" != -- ]; do shift; done
case $2 in unreachable) echo "ssh: connect to host $2: No route to host" >&2; exit 255;; esac
exec sh -c "exec $3"
"""


@pytest.fixture
def programs(tmp_path: Path, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory that comes first in PATH, on this host and on the "other" one."""
    made = tmp_path / "bin"
    made.mkdir()
    for name, value in environment(lab.paths).items():
        monkeypatch.setenv(name, value)
    vnet = made / "vnet"
    vnet.write_text(f'#!/bin/sh\nexec {sys.executable} -m vnet_tui.cli.main "$@"\n')
    vnet.chmod(0o755)
    monkeypatch.setenv("PATH", f"{made}:{os.environ['PATH']}")
    return made


@pytest.fixture
def ssh(programs: Path) -> Path:
    """An ssh that stays on this host."""
    made = programs / "ssh"
    made.write_text(FAKE_SSH)
    made.chmod(0o755)
    return made


def noted(program: Path, kind: str) -> list[str]:
    """What a program wrote down, line by line."""
    return Path(f"{program}.{kind}").read_text().splitlines()


async def test_another_host_is_managed_through_ssh(lab: Lab, ssh: Path) -> None:
    with Daemon(lab.paths):
        made = await client.open("vnet+ssh://alice@example.net:2222/system")
        events = made.events()
        assert (await made.define(WEB)).name == "web"
        steps: list[str] = []
        await made.start(["web"], on_progress=lambda progress: steps.append(progress.step))
        assert steps
        heard = [(await anext(events)).kind for _ in range(2)]
        assert heard == [EventKind.DEFINED, EventKind.STARTED]
        with pytest.raises(DocumentError):
            await made.define("<nonsense/>")
        await made.stop(["web"])
        await made.close()
    options = noted(ssh, "log")[0]
    assert "-p 2222 -l alice -- example.net vnet --stdio" in options
    assert "BatchMode=yes" in options


async def test_a_broken_ssh_is_started_again(lab: Lab, ssh: Path) -> None:
    with Daemon(lab.paths):
        made = await client.open("vnet+ssh://example.net/system")
        events = made.events()
        await made.networks()
        for pid in noted(ssh, "pids"):
            os.kill(int(pid), signal.SIGKILL)
        assert await made.networks() == ()
        assert (await asyncio.wait_for(anext(events), 10)).kind is EventKind.WARNING
        await made.define(WEB)
        assert (await asyncio.wait_for(anext(events), 10)).kind is EventKind.DEFINED
        await made.close()


async def test_what_ssh_or_the_other_host_says_is_told(lab: Lab, ssh: Path) -> None:
    with pytest.raises(ConnectionLostError, match="No route to host"):
        await client.open("vnet+ssh://unreachable/system")
    with pytest.raises(ConnectionLostError, match=r"no daemon answers.*systemctl start vnetd"):
        await client.open("vnet+ssh://example.net/system")
    (ssh.parent / "vnet").write_text("#!/bin/sh\necho vnet: not found >&2; exit 127\n")
    with pytest.raises(ConnectionLostError, match="install vnet-tui there"):
        await client.open("vnet+ssh://example.net/system")


async def test_what_names_no_host_is_refused() -> None:
    for uri in (
        "vnet+ssh:///system",
        "vnet+ssh://host",
        "vnet+ssh://host/session",
        "vnet+ssh://a@b@c/system",
        "vnet+ssh://host:port/system",
        "vnet:///elsewhere",
        "qemu:///system",
    ):
        with pytest.raises(VnetError, match="names no"):
            await client.open(uri)


def test_nothing_in_a_host_name_is_an_option_or_a_command() -> None:
    argv = Destination.of("vnet+ssh://-oProxyCommand=x/system").argv("c")
    assert argv[-3:] == ["--", "-oProxyCommand=x", "vnet --stdio"]
    assert Destination.of("vnet+ssh://[fd00::1]:22/system") == Destination("fd00::1", port="22")


SSHD = """
Port 2222
ListenAddress 127.0.0.1
HostKey {directory}/host_key
AuthorizedKeysFile {directory}/user_key.pub
PidFile none
UsePAM no
StrictModes no
PermitRootLogin yes
SetEnv PATH={path} VNET_RUN_DIR={run} PYTHONPATH={python}
"""
SSH = """
Host *
  IdentityFile {directory}/user_key
  UserKnownHostsFile {directory}/known_hosts
  StrictHostKeyChecking accept-new
"""


@pytest.fixture
def sshd(lab: Lab, programs: Path, tmp_path: Path) -> Iterator[None]:
    """A real ssh, and a real sshd on the loopback of the test's host."""
    need_other_users()
    ssh, sshd = shutil.which("ssh"), shutil.which("sshd", path="/usr/sbin:/usr/local/sbin")
    if ssh is None or sshd is None:
        pytest.skip("needs Debian's openssh-client and openssh-server")
    for name in ("host_key", "user_key"):
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / name)], check=True
        )
    places = {
        "directory": tmp_path,
        "path": os.environ["PATH"],
        "run": lab.paths.run,
        "python": os.environ["PYTHONPATH"],
    }
    (tmp_path / "sshd_config").write_text(SSHD.format(**places))
    (tmp_path / "ssh_config").write_text(SSH.format(**places))
    (programs / "ssh").write_text(f'#!/bin/sh\nexec {ssh} -F {tmp_path}/ssh_config "$@"\n')
    (programs / "ssh").chmod(0o755)
    Path("/run/sshd").mkdir()  # its place without rights; /run is the test's own
    log = tmp_path / "sshd.log"
    with log.open("w") as said:
        server = subprocess.Popen(
            [sshd, "-D", "-e", "-f", str(tmp_path / "sshd_config")], stderr=said
        )
    eventually(lambda: "Server listening" in log.read_text(), what="sshd")
    yield
    server.terminate()
    server.wait()
    inside = {Path("/proc/thread-self/ns/net").stat().st_ino}
    # What served a connection goes when it has seen its end.
    eventually(lambda: not processes_in(inside), what=f"the end of {processes_in(inside)}")
    print(log.read_text())


async def test_a_real_ssh_leads_there_with_one_login(lab: Lab, sshd: None, tmp_path: Path) -> None:
    with Daemon(lab.paths):
        made = await client.open("vnet+ssh://root@127.0.0.1:2222/system")
        events, samples = made.events(), made.samples()
        await made.define(WEB)
        assert (await asyncio.wait_for(anext(events), 10)).kind is EventKind.DEFINED
        assert await asyncio.wait_for(anext(samples), 10)
        await asyncio.gather(*(made.network("web") for _ in range(4)))
        await made.close()
    logins = [line for line in noted(tmp_path / "sshd", "log") if "Accepted publickey" in line]
    assert len(logins) == 1


def marked(mark: Path) -> dict[int, bytes]:
    """The processes that were started with a mark in their environment: their command lines."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if f"SANDBOX_OF_TEST={mark}".encode() in entry.read_bytes():
                found[int(entry.parent.name)] = entry.with_name("cmdline").read_bytes()
    return found


async def test_a_sandbox_of_ones_own(lab: Lab) -> None:
    made = await client.open("vnet:///sandbox")
    assert (await made.host()).via == "sandbox"
    names = {network.name: network.active for network in await made.networks()}
    assert any(names.values())
    await made.define(document("mine", address="10.77.0.1"))
    (mine,) = await made.start(["mine"])
    assert mine.active
    events = made.events()
    await made.stop(["mine"])
    assert (await asyncio.wait_for(anext(events), 10)).name
    await made.close()


async def test_a_sandbox_ends_with_its_daemon(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SANDBOX_OF_TEST", str(tmp_path))
    made = await client.open("vnet:///sandbox")
    await made.networks()
    inside = marked(tmp_path)
    (daemon,) = (pid for pid, command in inside.items() if b"vnet_tui.daemon" in command)
    os.kill(daemon, signal.SIGKILL)
    with pytest.raises(ConnectionLostError, match="the sandbox ended"):
        await made.define(document("mine", address="10.77.0.1"))
    await made.close()
    assert not marked(tmp_path)


def test_a_sandbox_ends_with_a_client_that_is_killed(lab: Lab, tmp_path: Path) -> None:
    code = (
        "import asyncio, os, signal; from vnet_tui import client\n"
        "async def main():\n"
        "    made = await client.open('vnet:///sandbox'); await made.networks()\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "asyncio.run(main())\n"
    )
    mark = {"SANDBOX_OF_TEST": str(tmp_path), "TMPDIR": str(tmp_path)}
    ended = subprocess.run([sys.executable, "-c", code], env=environment(lab.paths, mark))
    assert ended.returncode == -signal.SIGKILL

    eventually(lambda: not marked(tmp_path), what="the end of the sandbox")
