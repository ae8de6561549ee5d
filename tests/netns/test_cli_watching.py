"""What happens, what flows, and who is there, as people ask for it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.support.dhcp import lease4
from tests.support.eventually import eventually
from tests.support.lab import Lab
from tests.support.networks import document
from tests.support.vnet import call, ok, told, vnet


@pytest.fixture
def running(lab: Lab) -> object:
    """A host on which the network ``a`` runs."""
    policy = '<forwarding><outgoing><deny port="25"/></outgoing></forwarding>'
    ok(lab, "network-define", "-", stdin=document("a", policy))
    ok(lab, "network-start", "a")
    yield lab
    ok(lab, "network-stop", "a")


def test_an_event_is_waited_for(running: Lab) -> None:
    waiting = call(running, "network-event", "--network", "a", "--timestamp", "--timeout", "20")

    def heard() -> bool:
        ok(running, "network-autostart", "a")  # again: that it listens isn't seen from outside
        return waiting.poll() is not None

    eventually(heard, within=20)
    out, _ = waiting.communicate()
    assert waiting.returncode == 0
    first, second = out.splitlines()
    stamp = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}\+0000"
    assert re.fullmatch(f"{stamp}: event 'autostart' for network a: starts with the host", first)
    assert second == "events received: 1"


def test_events_of_a_kind_are_waited_for_in_vain(running: Lab) -> None:
    done = vnet(running, "net-event", "--event", "lifecycle", "--timeout", "0.1")
    assert (done.returncode, done.stdout) == (1, "event loop timed out\nevents received: 0\n")
    assert "no events of the kind 'x'" in vnet(running, "net-event", "--event", "x").stderr
    kinds = ok(running, "net-event", "--list").split()
    assert {"lifecycle", "lease-added", "denied", "checkpoint-opened"} <= set(kinds)


def test_the_log_tells_what_was(running: Lab) -> None:
    lines = ok(running, "network-log").splitlines()
    assert [line.split()[3] for line in lines] == ["defined", "started"]
    ok(running, "network-autostart", "a")
    (event,) = map(
        json.loads, ok(running, "network-log", "--event", "autostart", "--json").splitlines()
    )
    assert (event["kind"], event["name"]) == ("autostart", "a")
    assert ok(running, "network-log", "--since", "2099-01-01") == ""
    assert len(ok(running, "network-log", "--since", "1h", "--network", "a").splitlines()) == 3
    assert "is no time" in vnet(running, "network-log", "--since", "soon").stderr


def test_the_log_is_followed(running: Lab) -> None:
    following = call(running, "network-log", "--follow", "--json", "--network", "a")
    assert following.stdout is not None
    kinds = [json.loads(following.stdout.readline())["kind"] for _ in range(2)]
    assert kinds == ["defined", "started"]
    ok(running, "network-autostart", "a")
    assert json.loads(following.stdout.readline())["kind"] == "autostart"
    following.terminate()
    assert following.wait(20) == 128 + 15
    following.communicate()


def test_leases_and_ports(running: Lab, tmp_path: Path) -> None:
    guest = running.guest("web", "vn-a", mac="52:54:00:99:00:01")
    offer = lease4(guest, tmp_path, "web")
    assert offer
    eventually(lambda: "web" in ok(running, "net-dhcp-leases", "a"))
    head, rule, row = ok(running, "net-dhcp-leases", "a").splitlines()
    assert " ".join(head.split()) == (
        "Expiry Time MAC address Protocol IP address Hostname Client ID or DUID"
    )
    assert set(rule) == {"-"}
    cells = re.split(r" {3,}", row.strip())
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", cells[0])
    assert cells[1:5] == ["52:54:00:99:00:01", "ipv4", f"{offer.address}/24", "web"]
    (lease,) = told(running, "net-dhcp-leases", "a", "--mac", "52:54:00:99:00:01")
    assert lease["address"] == str(offer.address)
    assert told(running, "net-dhcp-leases", "a", "--mac", "52:54:00:99:00:02") == []
    _, _, row = ok(running, "net-port-list", "a").splitlines()
    assert row.split() == ["p-web", "52:54:00:99:00:01", "web", str(offer.address)]
    running.ip("link", "del", "p-web")


def test_statistics_by_line_by_json_and_for_prometheus(running: Lab) -> None:
    line = ok(running, "network-stats", "a", "--count", "1")
    assert re.fullmatch(r"\d\d:\d\d:\d\d  a +in +\d+ +b/s .* out .*p/s\n", line)
    (sample,) = map(json.loads, ok(running, "network-stats", "--json", "--count", "1").splitlines())
    (network,) = sample["networks"]
    assert network["name"] == "a"
    assert {"rates", "totals"} == network["traffic"].keys()
    text = ok(running, "network-stats", "--prometheus")
    shape = re.compile(r'(?:# (?:HELP|TYPE) \w+ .+|\w+\{(?:\w+="[^"]*",?)*\} \d+)')
    assert all(shape.fullmatch(line) for line in text.splitlines())
    assert 'vnet_network_bytes_total{network="a",direction="in"} ' in text
    assert 'vnet_rule_packets_total{network="a",direction="outgoing",rule="default"} 0' in text


def test_everything_can_be_told_in_json(running: Lab) -> None:
    """Each command that only looks prints one JSON document, with what its name says."""
    uuid = told(running, "network-uuid", "a")
    assert told(running, "network-name", uuid) == "a"
    assert told(running, "network-info", uuid)["bridge"] == "vn-a"
    assert told(running, "network-list", "--uuid") == [uuid]
    assert told(running, "network-list", "--id") == [1]
    assert told(running, "network-dumpxml", "a").startswith('<network id="1">')
    assert {finding["severity"] for finding in told(running, "network-doctor", "a")} == {"warning"}
    assert told(running, "network-suggest-subnet") == "10.0.0.0/24"
    (valid,) = told(running, "network-validate", "-", stdin=document("x", address="10.9.0.1"))
    assert (valid["file"], valid["valid"]) == ("-", True)
    query = ("--from", "10.1.0.9", "--to", "host", "--port", "9")
    done = vnet(running, "network-explain", "a", *query, "--json")
    assert json.loads(done.stdout)["query"]["port"] == 9
    failed = vnet(running, "network-start", "--json", "a")
    assert json.loads(failed.stderr)["error"]["message"] == "running already: a"
