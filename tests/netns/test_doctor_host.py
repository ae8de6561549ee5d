"""What the doctor says of settings, routes, sizes and servers, checked with packets."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.eventually import eventually
from tests.support.lab import Lab
from tests.support.packets import Fate, Probe, visiting
from tests.support.patient import FORWARD, GATEWAY, OUTSIDE, WEB, Patient, run
from vnet_tui.engine.doctor.findings import Finding
from vnet_tui.engine.doctor.ways import DHCP, WAY_OUT
from vnet_tui.engine.engine import Engine
from vnet_tui.engine.errors import Severity, StateError
from vnet_tui.sandbox.namespaces import mount_bind, veth

RESOLVERS = Path("/etc/resolv.conf").resolve()


@pytest.fixture
async def patient(lab: Lab) -> AsyncIterator[Patient]:
    async with Engine(lab.paths) as engine:
        made = Patient(lab, engine)
        await made.start()
        yield made
        await made.close()


async def only(patient: Patient) -> Finding:
    """The one thing that the doctor finds."""
    findings = await patient.engine.doctor("foo", patience=0)
    assert len(findings) == 1, "\n".join(map(str, findings))
    return findings[0]


async def well(patient: Patient) -> bool:
    """Whether the doctor finds nothing, and packets neither."""
    return not await patient.engine.doctor("foo", patience=0) and not patient.broken()


def setting(key: str, value: str) -> None:
    Path("/proc/sys/net", key).write_text(value)


def vpn(patient: Patient) -> None:
    """An interface by which somewhere else is reached."""
    veth("tun0", "eth0", patient.lab.machine("office"))


@pytest.mark.parametrize(
    "key", ["ipv4/ip_forward", "ipv4/conf/vnet-foo/forwarding", "ipv6/conf/all/forwarding"]
)
async def test_forwarding_switched_off(patient: Patient, key: str) -> None:
    setting(key, "0")
    finding = await only(patient)
    assert finding.severity is Severity.ERROR
    assert finding.where == f"net/{key} = 0"
    assert {WAY_OUT, FORWARD} & patient.broken()
    run(finding.command)
    if "ipv6" in key:  # the default route was an advertisement's to keep, and went
        patient.lab.ip("route", "replace", "default", "via", OUTSIDE[1])
    assert await well(patient)


async def test_a_route_that_takes_guests_elsewhere(patient: Patient) -> None:
    vpn(patient)
    patient.lab.ip("route", "add", "10.0.0.0/28", "dev", "tun0")
    finding = await only(patient)
    assert "sends packets to guests in 10.0.0.0/28 to tun0" in finding.message
    (answer,) = patient.packets.probe([Probe("host", "tcp", WEB[0], 443)])
    assert answer.fate is Fate.LOST
    run(finding.command)
    assert await well(patient)


async def test_strict_source_checks_where_the_way_back_is_another(patient: Patient) -> None:
    vpn(patient)
    setting("ipv4/conf/vnet-foo/rp_filter", "1")
    assert await well(patient)
    patient.lab.ip("route", "add", "10.0.0.0/25", "dev", "tun0")
    findings = await patient.engine.doctor("foo", patience=0)
    (strict,) = [one for one in findings if "rp_filter" in one.where]
    assert strict.severity is Severity.ERROR
    with visiting(patient.outside):
        receiver = _receiver()
    with receiver:
        assert not _arrives(patient, receiver)
        run(strict.command)
        assert _arrives(patient, receiver)


async def test_a_vpn_whose_hosts_the_network_hides(patient: Patient) -> None:
    vpn(patient)
    patient.lab.ip("route", "add", "10.0.0.0/8", "dev", "tun0")
    finding = await only(patient)
    assert finding.severity is Severity.WARNING
    assert "hides a part of 10.0.0.0/8" in finding.message
    assert patient.broken() == set()


async def test_a_port_that_takes_shorter_packets_than_the_bridge(patient: Patient) -> None:
    assert _large_packet_arrives(patient)
    patient.lab.ip("link", "set", "p-web", "mtu", "1400")
    finding = await only(patient)
    assert "p-web takes 1400 bytes, the bridge 1500" in finding.message
    assert not _large_packet_arrives(patient)
    run(finding.command)
    assert _large_packet_arrives(patient)
    assert await well(patient)


async def test_an_uplink_that_takes_shorter_packets_than_the_bridge(patient: Patient) -> None:
    patient.lab.ip("link", "set", "uplink", "mtu", "1400")
    finding = await only(patient)
    assert finding.severity is Severity.WARNING
    assert '<bridge mtu="1400"/>' in finding.message


async def test_another_dhcp_server_on_the_bridge(patient: Patient) -> None:
    assert await patient.engine.doctor("foo", patience=0.5) == ()
    rogue = patient.lab.machine("rogue")
    veth("p-rogue", "eth0", rogue, bridge="vnet-foo")
    rogue.run("ip", "address", "add", "10.0.0.66/24", "dev", "eth0")
    server = rogue.start(
        *("dnsmasq", "--keep-in-foreground", "--port=0", "--conf-file=/dev/null", "--no-ping"),
        *("--dhcp-range=10.0.0.70,10.0.0.80", "--leasefile-ro", "--user=", "--group="),
        *("--interface=eth0", "--bind-interfaces", "--pid-file="),
    )
    try:
        eventually(lambda: ":67 " in rogue.run("ss", "-Hlnu").stdout, what="a second server")
        (finding,) = await patient.engine.doctor("foo", patience=5)
        assert finding.blocks == (DHCP,)
        assert "10.0.0.66 hands out addresses on vnet-foo too" in finding.message
    finally:
        server.terminate()
        server.wait()
    assert await patient.engine.doctor("foo", patience=0.5) == ()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "names no server"),
        (f"nameserver {GATEWAY[0]}\n", "would go in circles"),
    ],
)
async def test_nobody_to_ask_for_names(
    patient: Patient, tmp_path: Path, text: str, told: str
) -> None:
    (tmp_path / "resolv.conf").write_text(text)
    mount_bind(tmp_path / "resolv.conf", RESOLVERS)
    finding = await only(patient)
    assert finding.severity is Severity.WARNING
    assert told in finding.message


async def test_a_host_without_a_way_out(patient: Patient) -> None:
    patient.lab.ip("route", "del", "default")
    findings = await patient.engine.doctor("foo", patience=0)
    assert any("no default route for IPv4" in one.message for one in findings)
    assert all(one.severity is Severity.WARNING for one in findings)


async def test_a_network_that_doesnt_run_has_no_diagnosis(lab: Lab) -> None:
    async with Engine(lab.paths) as engine:
        await engine.define("<network><name>still</name></network>")
        with pytest.raises(StateError, match="still isn't running"):
            await engine.doctor("still")


def _receiver() -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.bind(("", 9999))
    made.settimeout(0.5)
    return made


def _arrives(patient: Patient, receiver: socket.socket) -> bool:
    """Whether a packet of the guest's comes out of the host (the answer wouldn't get back)."""
    with visiting(patient.web), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sending:
        sending.sendto(b"hello", (OUTSIDE[0], 9999))
    with suppress(TimeoutError):
        return receiver.recv(16) == b"hello"
    return False


def _large_packet_arrives(patient: Patient) -> bool:
    """Whether a packet of 1,480 bytes that mustn't be cut gets from the host to the guest."""
    done = subprocess.run(
        ["ping", "-c1", "-W1", "-Mdo", "-s1452", WEB[0]], capture_output=True, check=False
    )
    return done.returncode == 0
