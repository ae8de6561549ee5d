"""``vnet`` as people call it: one process a call, each of which observes what is there."""

from __future__ import annotations

import fcntl
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.eventually import eventually
from tests.support.inventory import inventory, links
from tests.support.lab import Lab
from tests.support.networks import document
from tests.support.vnet import call, ok, process, vnet

EXAMPLES = Path(__file__).parents[2] / "vnet_tui/examples"
FOO = str(EXAMPLES / "foo.xml")


def test_the_commands_of_the_original_design(lab: Lab) -> None:
    before = inventory(lab.paths)
    assert ok(lab, "network-define", FOO) == f"Network Foo defined from {FOO}\n"
    assert ok(lab, "network-list") == (
        " Name   State   Autostart   Persistent\n----------------------------------------\n"
    )
    assert ok(lab, "network-start", "Foo") == "Network Foo started\n"
    assert ok(lab, "net-list").splitlines()[2] == " Foo    active   no          yes"
    assert ok(lab, "network-list", "--id") == "1\n"
    assert '<network id="1">' in ok(lab, "network-dumpxml", "Foo")
    assert ok(lab, "network-restart", "Foo") == "Network Foo restarted\n"
    assert ok(lab, "network-stop", "1") == "Network Foo stopped\n"
    assert ok(lab, "network-list", "--inactive", "--name") == "Foo\n"
    assert ok(lab, "network-undefine", "Foo") == "Network Foo has been undefined\n"
    assert ok(lab, "network-list", "--all", "--name") == ""
    assert inventory(lab.paths) == before


def test_a_transient_network_from_standard_input(lab: Lab) -> None:
    assert "created" in ok(lab, "network-create", "-", stdin=Path(FOO).read_text())
    assert re.search(r"Foo +active +no +no", ok(lab, "network-list"))
    ok(lab, "network-stop", "Foo")
    assert ok(lab, "network-list", "--all", "--name") == ""


def test_what_is_dumped_can_be_defined_again(lab: Lab) -> None:
    ok(lab, "network-define", str(EXAMPLES / "dual-stack.xml"))
    (name,) = ok(lab, "network-list", "--all", "--name").split()
    first = ok(lab, "network-dumpxml", name)
    ok(lab, "network-define", "-", stdin=first)
    assert ok(lab, "network-dumpxml", name) == first


def test_an_edit_of_a_running_network_waits_until_it_is_applied(lab: Lab) -> None:
    ok(lab, "network-define", FOO)
    ok(lab, "network-start", "Foo")
    lab.guest("one", "vnet-foo")
    edited = Path(FOO).read_text().replace('end="10.0.0.254"', 'end="10.0.0.200"')
    assert "network-apply Foo" in ok(lab, "network-define", "-", stdin=edited)
    assert 'end="10.0.0.254"' in ok(lab, "network-dumpxml", "Foo")
    assert 'end="10.0.0.200"' in ok(lab, "network-dumpxml", "Foo", "--inactive")
    ok(lab, "network-apply", "Foo")
    assert 'end="10.0.0.200"' in ok(lab, "network-dumpxml", "Foo")
    assert links()["p-one"]["master"] == "vnet-foo"
    ok(lab, "network-stop", "Foo")


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        (["network-start", "Fo"], "there is no network 'Fo' (did you mean Foo?)"),
        (["network-stop", "Foo"], "not running: Foo"),
        (["network-define", "/nowhere.xml"], "can't read /nowhere.xml: No such file or directory"),
        (["network-dumpxml", "596a5d21-0000-0000-0000-000000000000"], "there is no network"),
        (["network-suggest-subnet", "--prefix", "31"], "an IPv4 prefix length of 31"),
    ],
)
def test_errors_say_what_and_how_to_mend_it(lab: Lab, argv: list[str], told: str) -> None:
    ok(lab, "network-define", FOO)
    done = vnet(lab, *argv)
    assert done.returncode == 1
    assert done.stdout == ""
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_a_document_with_many_mistakes_is_told_all_of_them(lab: Lab) -> None:
    document = """<network>
  <name>bad</name>
  <bridge name="much-too-long-for-linux"/>
  <dhcp>
    <ip address="10.0.0.1" netmask="255.255.255.0" start="10.0.0.254" end="10.0.0.128"/>
    <ip address="10.0.1.1" netmask="255.255.255.0" start="10.0.1.1" end="10.0.2.4"/>
  </dhcp>
  <forwarding>
    <incoming><allow port="70000"/><allow destport="5"/></incoming>
  </forwarding>
</network>"""
    done = vnet(lab, "network-validate", "-", stdin=document)
    assert done.returncode == 1
    for line in (3, 5, 6, 9):
        assert f"-:{line}:" in done.stderr, done.stderr


def test_a_free_subnet_is_suggested(lab: Lab) -> None:
    lab.ip("link", "add", "up0", "type", "veth", "peer", "name", "other")
    lab.ip("address", "add", "10.0.3.1/16", "dev", "up0")
    lab.ip("link", "set", "up0", "up")
    ok(lab, "network-define", "-", stdin=Path(FOO).read_text().replace("10.0.0.", "10.1.0."))
    assert ok(lab, "network-suggest-subnet") == "10.1.1.0/24\n"
    assert ok(lab, "network-suggest-subnet", "--ipv6").startswith("fd")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_in_the_middle_of_a_change_leaves_nothing_half_done(
    lab: Lab, number: signal.Signals
) -> None:
    names = [f"n{i}" for i in range(12)]
    for i, name in enumerate(names):
        ok(lab, "network-define", "-", stdin=document(name, address=f"10.{60 + i}.0.1"))
    with lab.paths.lock.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        waiting = call(lab, "network-start", *names)
        eventually(lambda: _waits_for(lab.paths.lock, waiting.pid))
        waiting.send_signal(number)  # nothing has begun: it gives up at once
        assert waiting.wait(10) == 128 + number
    assert ok(lab, "network-list", "--name") == ""

    started = call(lab, "network-start", *names)
    eventually(lambda: "vn-n3" in links())
    started.send_signal(number)
    _, told = started.communicate()
    assert started.returncode == 128 + number
    assert "what had begun was brought to its end" in told
    assert not (lab.paths.run / "journal.json").exists()
    assert sorted(ok(lab, "network-list", "--name").split()) == sorted(names)
    ok(lab, "network-stop", *names)


def test_a_pipe_to_read_from_can_be_left(lab: Lab) -> None:
    waiting = call(lab, "network-define", "-", stdin=subprocess.PIPE)
    eventually(lambda: "read" in Path(f"/proc/{waiting.pid}/wchan").read_text())
    waiting.send_signal(signal.SIGINT)
    assert waiting.wait(10) == 128 + signal.SIGINT
    assert waiting.stderr
    assert waiting.stderr.read() == ""
    waiting.communicate()


def test_output_that_cant_be_written_is_told_in_a_line(lab: Lab) -> None:
    ok(lab, "network-define", FOO)
    with Path("/dev/full").open("w") as full:
        done = call(lab, "network-list", "--all", stdout=full)
        _, told = done.communicate()
    assert (done.returncode, told) == (
        1,
        "error: can't write the output: No space left on device\n",
    )


def test_names_that_the_locale_hasnt_are_written_all_the_same(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    ok(lab, "network-define", "-", stdin=document("x").replace(">x<", ">日本<"))
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    assert process(lab, "network-list", "--all", "--name").stdout == "\\u65e5\\u672c\n"


def test_without_standard_input_there_is_nothing_to_read(lab: Lab) -> None:
    where = f"--state-dir {lab.paths.state} --run-dir {lab.paths.run}"
    command = f"{sys.executable} -m vnet_tui.cli.main {where} network-define - <&-"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "error: can't read standard input: it is closed\n")


def test_one_unreadable_document_doesnt_hide_what_is_wrong_with_the_others(lab: Lab) -> None:
    done = vnet(lab, "network-validate", "/nowhere.xml", FOO, "-", stdin="<network/>")
    assert done.returncode == 1
    assert "can't read /nowhere.xml" in done.stderr
    assert f"{FOO} describes a network" in done.stdout
    assert "-:1" in done.stderr


def _waits_for(path: Path, pid: int) -> bool:
    """Whether a process has a file open, as one does that waits for its lock."""
    files = Path(f"/proc/{pid}/fd").iterdir()
    return any(file.exists() and file.samefile(path) for file in files)


def test_two_calls_at_once_both_happen(lab: Lab) -> None:
    for name, address in (("a", "10.21.0.1"), ("b", "10.22.0.1")):
        ok(lab, "network-define", "-", stdin=document(name, address=address))
    where = ["--state-dir", str(lab.paths.state), "--run-dir", str(lab.paths.run)]
    calls = [
        subprocess.Popen([sys.executable, "-m", "vnet_tui.cli.main", *where, "network-start", name])
        for name in ("a", "b")
    ]
    assert [call.wait() for call in calls] == [0, 0]
    assert ok(lab, "network-list", "--name").split() == ["a", "b"]
    ok(lab, "network-stop", "a", "b")
