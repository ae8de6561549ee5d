"""Completion of ``vnet`` as shells ask for it, and in a real bash at a terminal."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.networks import document
from tests.support.vnet import Typist
from vnet_tui.cli.completing import FILES, complete
from vnet_tui.client import names
from vnet_tui.client.names import network_names
from vnet_tui.daemon.pieces import FILES as PACKED
from vnet_tui.engine.paths import Paths

VNET = Path(sys.executable).with_name("vnet")
NASTY = "we ird:$(touch oops)"


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    """Directories with two definitions; one has a name that shells take amiss."""
    made = Paths(tmp_path / "state", tmp_path / "run")
    for name in ("Foo", NASTY):
        define: list[str | Path] = [VNET, "network-define", "-"]
        text = document("x").replace("<name>x<", f"<name>{name}<")
        if name == NASTY:
            text = (
                text.replace("vn-x", "vn-y").replace("10.1.0", "10.2.0").replace("<uuid>", "<!--")
            )
            text = text.replace("</uuid>", "-->")
        subprocess.run(define, input=text, text=True, env=environ(made), check=True)
    return made


def environ(paths: Paths) -> dict[str, str]:
    """The environment of a person whose programs work on these paths."""
    places = {"VNET_STATE_DIR": str(paths.state), "VNET_RUN_DIR": str(paths.run)}
    kept = {name: value for name, value in os.environ.items() if name != "VNET_URI"}
    return {**kept, **places, "PATH": f"{VNET.parent}:{os.environ['PATH']}", "TERM": "dumb"}


def asked(paths: Paths, *words: str, **more: str) -> tuple[list[str], int]:
    """What is offered for the last word, and the status."""
    done = subprocess.run(
        [VNET, "--complete", *words],
        env=environ(paths) | more,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    return done.stdout.splitlines(), done.returncode


def offered(paths: Paths, *words: str, **more: str) -> list[str]:
    """The candidates for the last word, without what they mean."""
    lines, status = asked(paths, "words", *words, **more)
    assert status == 0
    return [line.partition("\t")[0] for line in lines]


def test_words_are_offered_with_what_they_mean(paths: Paths) -> None:
    assert asked(paths, "words", "network-sto") == (["network-stop\tstop running networks"], 0)
    assert offered(paths, "net-sto") == ["net-stop"]
    assert "net-stop" not in offered(paths, "net")
    assert offered(paths, "help", "network-und") == ["network-undefine"]
    assert offered(paths, "--qui") == ["--quiet"]
    assert offered(paths, "-q", "network-list", "--inac") == ["--inactive"]
    assert offered(paths, "network-plan", "--verb", "st") == ["start", "stop"]
    assert offered(paths, "network-plan", "--verb=st") == ["--verb=start", "--verb=stop"]
    assert offered(paths, "nonsense", "") == []


def test_networks_are_offered_where_one_is_named(paths: Paths) -> None:
    assert offered(paths, "network-start", "") == ["Foo", NASTY]
    assert offered(paths, "network-start", "Foo", "F") == ["Foo"]
    assert offered(paths, "network-event", "--network=F") == ["--network=Foo"]
    assert offered(paths, "--state-dir", "/nowhere", "network-start", "") == []
    assert offered(paths, "--state-dir=/nowhere", "network-start", "") == []


def test_other_hosts_are_not_asked(paths: Paths) -> None:
    elsewhere = "vnet+ssh://nobody@192.0.2.1/system"
    assert offered(paths, "--connect", elsewhere, "network-start", "") == []
    assert offered(paths, "network-start", "", VNET_URI=elsewhere) == []


def test_files_are_left_to_the_shell(paths: Paths) -> None:
    for words in (["network-define", ""], ["network-plan", "--file", ""], ["--state-dir", "x"]):
        assert asked(paths, "words", *words) == ([], FILES)


def test_bash_gets_the_part_after_a_colon(paths: Paths) -> None:
    line = f"vnet network-start {NASTY[:3]}ird:".replace("we ", "we\\ ")
    assert asked(paths, "line", "", line) == ([NASTY.partition(":")[2]], 0)
    assert asked(paths, "line", '"we ird', 'vnet network-start "we ird') == ([NASTY], 0)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nothing"],
        ["line"],
        ["line", "", ""],
        ["line", '"', 'vnet nonsense "'],
        ["line", "\\", "vnet nonsense 'a\\"],
        ["line", "", "vnet nonsense \x00"],
        ["line", "a longer word", "vnet nonsense a"],
        ["words", "nonsense", "--=", "="],
        ["words", "--state-dir"],
    ],
)
def test_what_makes_no_sense_is_no_error(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert complete(arguments) == 0
    assert "nonsense" not in capsys.readouterr().out


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[tuple[Paths, socket.socket]]:
    """Somebody who listens where the daemon would."""
    paths = Paths(tmp_path / "state", tmp_path / "run")
    paths.run.mkdir()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        listening.bind(str(paths.socket))
        listening.listen()
        yield paths, listening


def answers(listening: socket.socket, reply: object) -> threading.Thread:
    """Answer one call."""

    def serve() -> None:
        made, _ = listening.accept()
        with made:
            assert json.loads(made.recv(1000).rstrip(b"\0"))["method"].endswith(".Networks")
            made.sendall(json.dumps(reply).encode() + b"\0")

    thread = threading.Thread(target=serve)
    thread.start()
    return thread


def test_a_daemon_is_asked_without_what_takes_time(daemon: tuple[Paths, socket.socket]) -> None:
    paths, listening = daemon
    reply = {"parameters": {"result": [{"name": "Foo"}, {"name": "Fah"}]}}
    thread = answers(listening, reply)
    code = (
        "import sys; from vnet_tui.cli.main import main; main(sys.argv[1:])\n"
        "print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "--complete", "words", "network-start", "Fo"],
        env=environ(paths),
        capture_output=True,
        text=True,
        check=True,
    )
    thread.join()
    assert done.stdout == "Foo\n"
    assert not {"asyncio", "lxml", "pyroute2", "textual"} & {*done.stderr.split()}


def test_a_daemon_that_refuses_names_nothing(daemon: tuple[Paths, socket.socket]) -> None:
    paths, listening = daemon
    thread = answers(listening, {"error": "io.vnet.Manager.NotPermitted", "parameters": {}})
    assert network_names(paths) == []
    thread.join()


def test_a_daemon_that_hangs_is_not_waited_for(
    daemon: tuple[Paths, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(names, "PATIENCE", 0.05)
    assert network_names(daemon[0]) == []


def test_bash_completes(paths: Paths) -> None:
    with Typist(["bash", "--norc", "-i"], {**environ(paths), "PS1": "$ "}, str(paths.state)) as one:
        one.wait_for("$ ")
        one.type(f"source {PACKED / 'vnet.bash'}; printf '%s' rea; echo dy\n")
        one.wait_for("\nready\n")
        one.type("vnet network-unde\t")
        one.wait_for("vnet network-undefine ")
        one.type("F\t")
        one.wait_for("Foo ")
        one.type("\x15vnet net-plan --verb=st\t\t")
        one.wait_for("start  stop")
        # What a name would have a shell do, it doesn't do.
        one.type("\x15vnet net-name we\t")
        one.wait_for(r"we\ ird:\$\(touch\ oops\) ")
        one.type("\n")
        one.wait_for(NASTY)
        one.type("vnet net-name we\\ ird:\t")
        one.wait_for(r"\$\(touch\ oops\) ")
        one.type("\x15vnet net-name 'F\t")
        one.wait_for("Foo' ")
        one.type("\x15vnet net-define netw\t")
        one.wait_for("networks/")
        one.type("\x15exit\n")
        assert one.end() == 0
    assert not (paths.state / "oops").exists()
