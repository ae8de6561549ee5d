"""The daemon as another implementation of varlink sees it: the reference one's command line."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import varlink

from tests.support.daemon import Daemon
from tests.support.lab import Lab
from tests.support.networks import document

WEB = document("web")


@pytest.fixture
def address(lab: Lab) -> Iterator[str]:
    with Daemon(lab.paths):
        yield f"unix:{lab.paths.socket}"


def run(*arguments: str) -> str:
    """What ``varlink`` prints."""
    done = subprocess.run(
        [sys.executable, "-m", "varlink.cli", *arguments],
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout or done.stderr


def call(address: str, method: str, **parameters: object) -> Any:
    """The reply to a call; nothing is printed for one without content."""
    said = run("call", f"{address}/io.vnet.Manager.{method}", json.dumps(parameters))
    return json.loads(said or "{}")


def test_it_tells_what_it_is(address: str) -> None:
    said = run("info", address)
    assert "Product: vnetd" in said
    assert "io.vnet.Manager" in said


def test_its_interfaces_describe_themselves(address: str) -> None:
    for name, members in (
        ("io.vnet.Manager", {"Networks", "NetworkInfo", "Samples", "StepFailedError", "Join"}),
        ("org.varlink.service", {"GetInfo", "GetInterfaceDescription", "InvalidParameter"}),
    ):
        text = run("help", f"{address}/{name}")
        described = varlink.scanner.Interface(text)
        assert described.name == name
        assert described.members.keys() >= members
        documented = [one for one in described.members.values() if one.doc.strip()]
        assert len(documented) > 0.9 * len(described.members)


def test_networks_are_managed_with_it(address: str) -> None:
    assert call(address, "Define", xml=WEB)["result"]["state"] == "defined"
    (started,) = call(address, "Start", refs=["web"])["result"]
    assert (started["bridge"], started["addresses"]) == ("vn-web", ["10.1.0.1/24"])
    (listed,) = call(address, "Networks")["result"]
    assert listed == started
    nowhere = run("call", f"{address}/io.vnet.Manager.Network", '{"ref": "nowhere"}')
    assert "NotFoundError" in nowhere
    assert "there is no network 'nowhere'" in nowhere
    assert call(address, "Stop", refs=["web"]) == {}


def test_streams_are_read_with_it(address: str) -> None:
    call(address, "Define", xml=WEB)
    with (
        varlink.Client.new_with_address(address) as client,
        client.open("io.vnet.Manager") as listening,
        client.open("io.vnet.Manager") as working,
    ):
        replies = listening.Events(_more=True)
        assert next(replies) == {}
        steps = list(working.Start(["web"], _more=True))
        assert steps[0]["progress"]["done"] == 0
        assert steps[-1]["result"][0]["state"] == "active"
        event = next(replies)["result"]
        assert (event["kind"], event["name"]) == ("started", "web")
    assert call(address, "Stop", refs=["web"]) == {}
