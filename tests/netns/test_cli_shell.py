"""``vnet`` without a command, and in a sandbox."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.lab import Lab
from tests.support.networks import document
from tests.support.vnet import VNET, Typist, command, ok, process, vnet

PROMPT = "vnet # "


def test_commands_are_read_until_there_are_no_more_and_errors_dont_end_it(lab: Lab) -> None:
    file = lab.paths.state.parent / "with space.xml"
    file.write_text(document("a"))
    script = f"""net-list --name   # nothing yet
frob
net-define "{file}"
net-name a; net-uuid nobody; echo over
net-info 'unclosed
help net-name
cd /nowhere
cd {file.parent}
pwd
net-list --all --json --name
quit
net-name never
"""
    done = vnet(lab, stdin=script)
    assert done.returncode == 0
    assert done.stdout.splitlines()[:3] == [f"Network a defined from {file}", "a", "over"]
    assert done.stdout.endswith(f'{file.parent}\n[\n  "a"\n]\n')
    assert done.stderr.splitlines() == [
        "error: unknown command: 'frob' (vnet help lists them)",
        "error: there is no network 'nobody' (vnet network-list --all lists them)",
        "error: No closing quotation",
        "error: cd: [Errno 2] No such file or directory: '/nowhere'",
    ]


@pytest.fixture(autouse=True)
def _same_directory() -> object:
    here = Path.cwd()
    yield
    os.chdir(here)


def test_the_status_is_that_of_the_last_command(lab: Lab) -> None:
    assert vnet(lab, stdin="net-name nobody\n").returncode == 1
    assert vnet(lab, stdin="net-name nobody\nnet-list\n").returncode == 0
    done = vnet(lab, "net-list --all --name; net-name nobody")
    assert (done.returncode, done.stdout) == (1, "")


def test_a_person_has_a_prompt_completion_history_and_ctrl_c(lab: Lab, tmp_path: Path) -> None:
    ok(lab, "network-define", "-", stdin=document("alpha"))
    environ = {"XDG_STATE_HOME": str(tmp_path / "state"), "TERM": "vt100"}
    with Typist(command(lab), environ) as person:
        person.wait_for(PROMPT)
        person.type("network-unde\talp\t\n")
        person.wait_for("Network alpha has been undefined")
        person.wait_for(PROMPT)
        person.type("half a line")
        person.wait_for("half a line")
        _waits(person)
        person.type("\x03")
        person.wait_for(PROMPT)
        person.type("net-list --inac\t--name\n")
        person.wait_for("net-list --inactive --name")
        person.wait_for(PROMPT)
        person.type("quit\n")
        assert person.end() == 0
    history = (tmp_path / "state/vnet/history").read_text().splitlines()
    assert "net-list --inactive --name" in history
    with Typist(command(lab), environ) as person:
        person.wait_for(PROMPT)
        person.type("\x1b[A\x1b[A\n")  # twice upwards: before quit
        person.wait_for("net-list --inactive --name")
        person.wait_for(PROMPT)
        person.type("\x04")
        assert person.end() == 0


def test_a_command_in_the_shell_is_interrupted_and_the_shell_goes_on(lab: Lab) -> None:
    with Typist(command(lab)) as person:
        person.wait_for(PROMPT)
        person.type("net-event --loop\n")
        person.wait_for("\n")
        _waits(person)
        person.type("\x03")
        person.wait_for("interrupted")
        person.wait_for(PROMPT)
        person.type("echo still here\n")
        person.wait_for("\nstill here")
        person.type("exit\n")
        assert person.end() == 0


def _waits(person: Typist) -> None:
    """Until it waits, for a key or an event: Python's readline misses a Ctrl-C just before."""
    from tests.support.eventually import eventually

    status = Path(f"/proc/{person.process.pid}/status")

    def catches_interrupts() -> bool:
        (caught,) = (
            line.split()[1] for line in status.read_text().splitlines() if line.startswith("SigCgt")
        )
        waits = Path(f"/proc/{person.process.pid}/wchan").read_text()
        return bool(int(caught, 16) & 2) and ("poll" in waits or "select" in waits)

    eventually(catches_interrupts)


@pytest.mark.parametrize(
    ("argv", "status", "said"),
    [
        (["sh", "-c", "vnet network-list --name; exit 7"], 7, "Foo\n"),
        (["true"], 0, ""),
        (["no-such-command"], 127, ""),
    ],
)
def test_a_command_runs_in_a_sandbox_and_its_status_is_passed_on(
    argv: list[str], status: int, said: str
) -> None:
    done = subprocess.run(
        [*VNET, "sandbox", "--", *argv],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
    )
    assert done.returncode == status, done.stderr
    assert said in done.stdout


def test_vnet_in_a_process_of_its_own(lab: Lab) -> None:
    assert process(lab, "--version").stdout.startswith("vnet ")
    assert "network-define" in process(lab, "--help").stdout
    assert process(lab, "net-list", "--help").stdout.startswith("usage: vnet network-list")
