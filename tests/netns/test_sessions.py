"""What the pages for users show is what happens: their sessions are run and compared."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.support.daemon import Daemon
from tests.support.dhcp import lease4
from tests.support.eventually import eventually
from tests.support.inventory import inventory
from tests.support.lab import Lab
from tests.support.sessions import Shell, run_page
from vnet_tui.sandbox.namespaces import inside, veth

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture
def shell(lab: Lab, tmp_path: Path) -> Iterator[Shell]:
    """Root's shell in an empty directory on the test's host."""
    directory = tmp_path / "home"
    directory.mkdir()
    programs = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    places = {
        "PATH": programs,
        "VNET_STATE_DIR": str(lab.paths.state),
        "VNET_RUN_DIR": str(lab.paths.run),
    }
    with Shell(directory, places) as shell:
        yield shell


@pytest.fixture
def world(lab: Lab, tmp_path: Path) -> Iterator[Mapping[str, Callable[[], None]]]:
    """What happens around the host of the guide, by the words in which the guide asks for it."""
    servers: list[subprocess.Popen[str]] = []

    def connect() -> None:
        outside = lab.machine("outside")
        veth("uplink0", "eth0", outside)
        outside.run("ip", "address", "add", "198.51.100.1/24", "dev", "eth0")
        lab.ip("address", "add", "198.51.100.2/24", "dev", "uplink0")
        lab.ip("route", "add", "default", "via", "198.51.100.1")

    def plug_in() -> None:
        web = lab.machine("web")
        veth("tap-web", "eth0", web, bridge="vnet-office")
        offer = lease4(web, tmp_path, "web")
        assert offer
        web.run("ip", "address", "add", f"{offer.address}/24", "dev", "eth0")
        web.run("ip", "route", "add", "default", "via", "10.0.0.1")
        serve = [sys.executable, "-m", "http.server", "80", "--directory", str(tmp_path)]
        servers.append(web.start(*serve))

    def ask(port: int) -> None:
        def reached() -> bool:
            with inside("outside"):
                made = socket.socket()
            with made:
                made.settimeout(1)
                return made.connect_ex(("198.51.100.2", port)) == 0

        eventually(reached, what=f"an answer on port {port}")

    yield {
        "connect the host to a world": connect,
        "plug in the guest web": plug_in,
        "ask port 8080 from outside": lambda: ask(8080),
        "ask port 8081 from outside": lambda: ask(8081),
    }
    for server in servers:
        server.kill()
        server.wait()


def test_the_command_line(
    shell: Shell, tmp_path: Path, world: Mapping[str, Callable[[], None]]
) -> None:
    assert run_page(DOCS / "cli.md", shell, tmp_path / "home", world) > 20


def test_the_daemon(lab: Lab, shell: Shell, tmp_path: Path) -> None:
    with Daemon(lab.paths):
        assert run_page(DOCS / "daemon.md", shell, tmp_path / "home", {}) == 3


def test_the_guide(
    lab: Lab, shell: Shell, tmp_path: Path, world: Mapping[str, Callable[[], None]]
) -> None:
    before = inventory(lab.paths)
    assert run_page(DOCS / "guide.md", shell, tmp_path / "home", world) > 15
    after = inventory(lab.paths)
    for kind in ("dnsmasqs", "ruleset", "files"):
        assert after[kind] == before[kind]
