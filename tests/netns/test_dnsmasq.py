"""Real dnsmasqs: what guests get from them, how they change while they run, how they end."""

import asyncio
import ctypes
import os
import pickle
import pwd
import re
import signal
import socket
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from tests.support.dhcp import bridge, guest6, lease4, lease6, resolve
from tests.support.eventually import eventually
from tests.support.lab import Lab
from tests.support.sandbox import alive
from vnet_tui.engine.dnsmasq_config import dnsmasq_spec
from vnet_tui.engine.drivers.dnsmasq import Dnsmasq
from vnet_tui.engine.errors import DriverError
from vnet_tui.engine.leases import parse_leases
from vnet_tui.engine.model import Network
from vnet_tui.engine.paths import Paths
from vnet_tui.engine.resources import DnsmasqSpec
from vnet_tui.engine.xml import parse

FOO = UUID(int=0xF00)
MAC = "52:54:00:00:00:01"
RANGE = '<ip address="10.5.0.1" prefix="24" start="10.5.0.100" end="10.5.0.200"/>'
NAT = '<forwarding mode="nat"/>'


def document(*dhcp: str, more: str = NAT) -> Network:
    return parse(f"<network><name>foo</name><dhcp>{''.join(dhcp)}</dhcp>{more}</network>")


def spec(network: Network, paths: Paths) -> DnsmasqSpec:
    made = dnsmasq_spec(network, FOO, "vnet-foo", paths)
    assert made is not None
    return made


class Service:
    """The dnsmasq of one test, on a bridge that is there already."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.driver = Dnsmasq(lab.paths)
        self.spec: DnsmasqSpec | None = None

    async def serve(self, network: Network) -> DnsmasqSpec:
        """Start it, or change what runs to what this network wants."""
        after = spec(network, self.lab.paths)
        if self.spec is None:
            await self.driver.start(after)
        else:
            await self.driver.change(self.spec, after)
        self.spec = after
        return after

    async def pid(self) -> int:
        (one,) = await self.driver.observe()
        return one.pid


@pytest.fixture
async def service(lab: Lab) -> AsyncIterator[Service]:
    bridge("vnet-foo", "10.5.0.1/24", "fd00:5::1/64")
    made = Service(lab)
    yield made
    for one in await made.driver.observe():
        await made.driver.stop(one.spec)


@contextmanager
def upstream(lab: Lab, port: int, answer: str) -> Iterator[None]:
    """A DNS server on the host's loopback that has one answer to everything."""
    pid_file = lab.paths.run / str(port)
    options = ["--bind-interfaces", "--no-resolv", "--no-hosts", f"--address=/#/{answer}"]
    where = [f"--port={port}", "--listen-address=127.0.0.1", f"--pid-file={pid_file}"]
    # The program that was started is done once the server is ready.
    subprocess.run(["dnsmasq", "--conf-file=/dev/null", *where, *options], check=True)
    try:
        yield
    finally:
        end(int(pid_file.read_text()))


def end(pid: int) -> None:
    """End a process that isn't our child."""
    os.kill(pid, signal.SIGTERM)
    eventually(lambda: not alive({pid}))


def uid_of(pid: int) -> int:
    """The effective user of a process (proc(5))."""
    (line,) = re.findall(r"^Uid:.*$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    return int(line.split()[2])


def children() -> str:
    """Our children with their states, one a line."""
    command = ["ps", "-o", "pid=,stat=,comm=", "--ppid", str(os.getpid())]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


# What guests get


async def test_a_guest_gets_a_lease_a_gateway_and_a_name(
    service: Service, lab: Lab, tmp_path: Path
) -> None:
    domain = '<dns domain="foo.lan"/>'
    await service.serve(document(RANGE, more=domain + NAT))
    guest = lab.guest("g", "vnet-foo", mac=MAC)
    offer = lease4(guest, tmp_path, "foobar")
    assert offer is not None
    assert offer.address.startswith("10.5.0.1")
    assert offer.options == {
        "mask": "24",
        "router": "10.5.0.1",
        "dns": "10.5.0.1",
        "domain": "foo.lan",
        "lease": "3600",
        "mtu": "",
        "ntpsrv": "",
    }
    guest.run("ip", "address", "add", f"{offer.address}/24", "dev", "eth0")
    for name in ("foobar", "foobar.foo.lan", "FOOBAR.foo.LAN"):
        assert resolve(guest, "10.5.0.1", name) == [offer.address]
    reverse = ".".join(reversed(offer.address.split("."))) + ".in-addr.arpa"
    assert resolve(guest, "10.5.0.1", reverse, "PTR") == ["foobar.foo.lan"]
    assert resolve(guest, "10.5.0.1", "other.foo.lan") == []
    (lease,) = parse_leases(lab.paths.lease_file(FOO).read_text())
    assert (str(lease.address), lease.mac, lease.name) == (offer.address, MAC, "foobar")


async def test_an_isolated_network_has_no_way_out(
    service: Service, lab: Lab, tmp_path: Path
) -> None:
    mtu = '<bridge mtu="1400"/>'
    await service.serve(document(RANGE, '<ip address="fd00:5::1" prefix="64"/>', more=mtu))
    guest = guest6(lab, "g", "vnet-foo", mac=MAC)
    offer = lease4(guest, tmp_path, "foobar")
    assert offer is not None
    assert offer.options["router"] == ""
    assert offer.options["mtu"] == "1400"
    eventually(lambda: "fd00:5::" in guest.run("ip", "-6", "route").stdout)
    assert guest.run("ip", "-6", "route", "show", "default").stdout == ""


async def test_a_guest_makes_its_own_address_without_a_range(service: Service, lab: Lab) -> None:
    await service.serve(document(RANGE, '<ip address="fd00:5::1" prefix="64"/>'))
    guest = guest6(lab, "g", "vnet-foo", mac=MAC)
    own = "fd00:5::5054:ff:fe00:1/64"
    eventually(lambda: own in guest.run("ip", "-6", "address", "show", "dev", "eth0").stdout)
    eventually(lambda: "default via fe80" in guest.run("ip", "-6", "route").stdout)
    assert resolve(guest, "fd00:5::1", "nobody", "AAAA") == []


async def test_a_guest_gets_an_address_by_dhcpv6_from_a_range(
    service: Service, lab: Lab, tmp_path: Path
) -> None:
    ranges = '<ip address="fd00:5::1" prefix="64" start="fd00:5::100" end="fd00:5::1ff"/>'
    await service.serve(document(RANGE, ranges, more='<dns domain="foo.lan"/>' + NAT))
    guest = guest6(lab, "g", "vnet-foo", mac=MAC)
    offer = await asyncio.to_thread(lease6, guest, tmp_path, "foobar")
    assert offer.address.startswith("fd00:5::1")
    assert "fd00:5::1" in offer.options["dns"].split()
    (lease,) = parse_leases(lab.paths.lease_file(FOO).read_text())
    assert (str(lease.address), lease.mac, lease.name) == (offer.address, MAC, "foobar")
    guest.run("ip", "address", "add", f"{offer.address}/64", "dev", "eth0")
    assert resolve(guest, "fd00:5::1", "foobar.foo.lan", "AAAA") == [offer.address]
    eventually(lambda: "default via fe80" in guest.run("ip", "-6", "route").stdout)
    addresses = guest.run("ip", "-6", "address", "show", "dev", "eth0").stdout
    assert "5054:ff:fe00:1/64 scope global" not in addresses


async def test_reservations_of_both_families_are_kept(
    service: Service, lab: Lab, tmp_path: Path
) -> None:
    await service.serve(
        document(
            RANGE,
            '<ip address="fd00:5::1" prefix="64"/>',
            f'<host mac="{MAC.upper()}" name="web" address="10.5.0.10"/>',
            f'<host mac="{MAC}" address="fd00:5::10"/>',
            '<host name="db" address="10.5.0.11"/>',
        )
    )
    guest = guest6(lab, "g", "vnet-foo", mac=MAC)
    four, six = lease4(guest, tmp_path, "other"), lease6(guest, tmp_path)
    assert four is not None
    assert (four.address, six.address) == ("10.5.0.10", "fd00:5::10")
    second = lab.guest("h", "vnet-foo", mac="52:54:00:00:00:02")
    named = lease4(second, tmp_path, "db")
    assert named is not None
    assert named.address == "10.5.0.11"
    guest.run("ip", "address", "add", "10.5.0.10/24", "dev", "eth0")
    assert resolve(guest, "10.5.0.1", "web") == ["10.5.0.10"]
    assert "fd00:5::10" in resolve(guest, "10.5.0.1", "web", "AAAA")


async def test_a_reserved_name_cannot_be_taken(service: Service, lab: Lab, tmp_path: Path) -> None:
    await service.serve(document(RANGE, f'<host mac="{MAC}" name="web" address="10.5.0.10"/>'))
    thief = lab.guest("t", "vnet-foo", mac="52:54:00:00:00:02")
    early = lease4(thief, tmp_path, "web")
    assert early is not None
    assert early.address != "10.5.0.10"
    owner = lab.guest("g", "vnet-foo", mac=MAC)
    kept = lease4(owner, tmp_path, "whatever")
    assert kept is not None
    assert kept.address == "10.5.0.10"
    assert lease4(thief, tmp_path, "web") == early
    owner.run("ip", "address", "add", "10.5.0.10/24", "dev", "eth0")
    assert resolve(owner, "10.5.0.1", "web") == ["10.5.0.10"]


async def test_dns_serves_what_the_document_says(service: Service, lab: Lab) -> None:
    dns = """<dns domain="foo.lan">
        <host name="printer" address="10.5.0.50"/>
        <record type="cname" name="www" target="printer"/>
        <record type="txt" name="note" value="a, &quot;b&quot; # c \\ d&#10;port=0 é"/>
        <record type="txt" name="long" value="LONG"/>
        <record type="srv" name="_sip._tcp" target="printer" port="5060" priority="10" weight="5"/>
        <record type="mx" name="foo.lan" target="printer" priority="20"/>
        </dns>""".replace("LONG", "0123456789" * 60)
    await service.serve(document(RANGE, more=dns + NAT))
    guest = lab.guest("g", "vnet-foo")
    guest.run("ip", "address", "add", "10.5.0.99/24", "dev", "eth0")

    def ask(name: str, type_: str) -> list[str]:
        return resolve(guest, "10.5.0.1", name, type_)

    for suffix in ("", ".foo.lan"):
        assert ask(f"printer{suffix}", "A") == ["10.5.0.50"]
        assert ask(f"www{suffix}", "A") == ["10.5.0.50"]
        assert ask(f"note{suffix}", "TXT") == ['a, "b" # c \\ d\nport=0 é']
    assert ask("_sip._tcp.foo.lan", "SRV") == ["10 5 5060 printer.foo.lan"]
    assert ask("long", "TXT") == ["0123456789" * 60]
    assert ask("foo.lan", "MX") == ["20 printer.foo.lan"]


async def test_names_beyond_the_network_go_to_the_forwarders(service: Service, lab: Lab) -> None:
    outside = """<dns domain="foo.lan"><forwarder address="127.0.0.1" port="5300"/>
        <forwarder address="127.0.0.1" port="5301" domain="corp.example"/></dns>"""
    await service.serve(document(RANGE, more=outside + NAT))
    guest = lab.guest("g", "vnet-foo")
    guest.run("ip", "address", "add", "10.5.0.99/24", "dev", "eth0")
    with upstream(lab, 5300, "192.0.2.1"), upstream(lab, 5301, "192.0.2.2"):
        assert resolve(guest, "10.5.0.1", "example.org") == ["192.0.2.1"]
        assert resolve(guest, "10.5.0.1", "www.corp.example") == ["192.0.2.2"]
        assert resolve(guest, "10.5.0.1", "other.foo.lan") == []
        assert resolve(guest, "10.5.0.1", "77.0.5.10.in-addr.arpa", "PTR") == []


async def test_options_reach_the_guest(service: Service, lab: Lab, tmp_path: Path) -> None:
    option = '<option number="42" value="10.5.0.7,10.5.0.8"/>'
    await service.serve(document(RANGE, option))
    offer = lease4(lab.guest("g", "vnet-foo"), tmp_path)
    assert offer is not None
    assert offer.options["ntpsrv"] == "10.5.0.7 10.5.0.8"


async def test_dhcp_without_dns_names_no_resolver(
    service: Service, lab: Lab, tmp_path: Path
) -> None:
    await service.serve(document(RANGE, more='<dns enabled="false"/>' + NAT))
    offer = lease4(lab.guest("g", "vnet-foo"), tmp_path)
    assert offer is not None
    assert offer.options["dns"] == ""
    assert await free_port(service, 53)


async def free_port(service: Service, port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as trial:
        try:
            trial.bind(("10.5.0.1", port))
        except OSError:
            return False
    return True


# Changes


async def test_reservations_come_change_and_go_while_it_runs(
    service: Service, lab: Lab, tmp_path: Path
) -> None:
    def network(*hosts: str) -> Network:
        return document(RANGE, *hosts)

    def host(number: int, address: str, name: str) -> str:
        return f'<host mac="52:54:00:00:00:0{number}" name="{name}" address="{address}"/>'

    await service.serve(network())
    pid = await service.pid()
    guest = lab.guest("g", "vnet-foo", mac=MAC)
    offer = lease4(guest, tmp_path)
    assert offer is not None
    dynamic = offer.address

    def gets(address: str) -> None:
        def look() -> bool:
            offer = lease4(guest, tmp_path)
            return offer is not None and offer.address == address

        assert eventually(look, what=f"a lease of {address}")

    for hosts, address in (
        ([host(1, "10.5.0.10", "web")], "10.5.0.10"),
        ([host(1, "10.5.0.11", "web")], "10.5.0.11"),
        ([host(1, "10.5.0.11", "web"), host(2, "10.5.0.12", "db")], "10.5.0.11"),
        ([host(1, "10.5.0.12", "web"), host(2, "10.5.0.11", "db")], "10.5.0.12"),
        ([host(2, "10.5.0.11", "db")], dynamic),
    ):
        await service.serve(network(*hosts))
        gets(address)
    assert await service.pid() == pid


async def test_names_come_change_and_go_while_it_runs(service: Service, lab: Lab) -> None:
    def network(*hosts: str) -> Network:
        return document(RANGE, more=f"<dns>{''.join(hosts)}</dns>{NAT}")

    await service.serve(network())
    pid = await service.pid()
    guest = lab.guest("g", "vnet-foo")
    guest.run("ip", "address", "add", "10.5.0.99/24", "dev", "eth0")
    for hosts, answer in (
        (['<host name="a" address="10.5.0.5"/>'], ["10.5.0.5"]),
        (['<host name="a" address="10.5.0.6"/>'], ["10.5.0.6"]),
        ([], []),
    ):
        await service.serve(network(*hosts))
        eventually(lambda wanted=answer: resolve(guest, "10.5.0.1", "a") == wanted)  # type: ignore[misc]
    assert await service.pid() == pid


async def test_a_changed_range_restarts_and_keeps_leases(
    service: Service, lab: Lab, tmp_path: Path
) -> None:
    await service.serve(document(RANGE))
    pid = await service.pid()
    guest = lab.guest("g", "vnet-foo", mac=MAC)
    before = lease4(guest, tmp_path, "foobar")
    assert before is not None
    await service.serve(document(RANGE.replace("10.5.0.200", "10.5.0.220")))
    assert await service.pid() != pid
    assert lease4(guest, tmp_path, "foobar") == before
    guest.run("ip", "address", "add", f"{before.address}/24", "dev", "eth0")
    assert resolve(guest, "10.5.0.1", "foobar") == [before.address]
    directory = lab.paths.dnsmasq / str(FOO)
    assert len(list(directory.glob("*.conf"))) == 1


async def test_a_change_that_fails_leaves_what_was(
    service: Service, lab: Lab, tmp_path: Path
) -> None:
    before = await service.serve(document(RANGE))
    with pytest.raises(DriverError, match="bad option at line"):
        await service.driver.change(before, replace(before, config=before.config + "nonsense\n"))
    (one,) = await service.driver.observe()
    assert one.spec == before
    assert lease4(lab.guest("g", "vnet-foo"), tmp_path) is not None


# Processes


async def test_it_is_found_again_as_it_was_started(service: Service, lab: Lab) -> None:
    started = await service.serve(
        document(RANGE, '<host name="web" address="10.5.0.10"/>', more="<dns/>")
    )
    (one,) = await Dnsmasq(lab.paths).observe()
    assert one.spec == started
    other = Paths(state=lab.paths.state, run=lab.paths.run.with_name("other"))
    assert await Dnsmasq(other).observe() == ()


async def test_what_was_tampered_with_shows(service: Service, lab: Lab) -> None:
    started = await service.serve(document(RANGE))
    directory = lab.paths.dnsmasq / str(FOO)
    (directory / "reservations").write_text("52:54:00:00:00:01,ignore\n")
    (one,) = await service.driver.observe()
    assert one.spec == replace(started, reservations="52:54:00:00:00:01,ignore\n")
    (config,) = directory.glob("*.conf")
    config.write_text(started.config + "port=0\n")
    (one,) = await service.driver.observe()
    assert one.spec.config == ""
    config.unlink()
    (one,) = await service.driver.observe()
    assert one.spec.config == ""
    await service.driver.change(one.spec, started)
    (one,) = await service.driver.observe()
    assert one.spec == started


async def test_it_follows_a_bridge_that_was_made_anew(
    service: Service, lab: Lab, tmp_path: Path
) -> None:
    ranges = '<ip address="fd00:5::1" prefix="64" start="fd00:5::100" end="fd00:5::1ff"/>'
    started = await service.serve(document(RANGE, ranges))
    pid = await service.pid()
    lab.ip("link", "del", "vnet-foo")
    bridge("vnet-foo", "10.5.0.1/24", "fd00:5::1/64")
    guest = guest6(lab, "g", "vnet-foo", mac=MAC)
    assert lease4(guest, tmp_path) is not None
    assert (await asyncio.to_thread(lease6, guest, tmp_path)).address.startswith("fd00:5::1")
    eventually(lambda: "default via fe80" in guest.run("ip", "-6", "route").stdout)
    assert resolve(guest, "fd00:5::1", "nobody") == []
    (one,) = await service.driver.observe()
    assert (one.pid, one.spec) == (pid, started)


async def test_start_says_what_dnsmasq_says_and_leaves_nothing(service: Service, lab: Lab) -> None:
    wrong = spec(document(RANGE), lab.paths)
    with pytest.raises(DriverError, match="bad option at line"):
        await service.driver.start(replace(wrong, config=wrong.config + "nonsense\n"))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as holder:
        holder.bind(("10.5.0.1", 53))
        with pytest.raises(DriverError, match="Address already in use"):
            await service.driver.start(wrong)
    with pytest.raises(DriverError, match="no interface with this name"):
        await service.driver.start(replace(wrong, bridge="nix"))
    assert not (lab.paths.dnsmasq / str(FOO)).exists()
    assert await service.driver.observe() == ()


async def test_a_second_one_is_refused_and_the_first_goes_on(service: Service, lab: Lab) -> None:
    started = await service.serve(document(RANGE))
    pid = await service.pid()
    with pytest.raises(DriverError, match="already"):
        await service.driver.start(started)
    (one,) = await service.driver.observe()
    assert (one.pid, one.spec) == (pid, started)


async def test_stop_is_complete_and_tolerant(service: Service, lab: Lab, tmp_path: Path) -> None:
    started = await service.serve(document(RANGE))
    assert lease4(lab.guest("g", "vnet-foo"), tmp_path) is not None
    pid = await service.pid()
    await service.driver.stop(started)
    assert not alive({pid})
    assert not (lab.paths.dnsmasq / str(FOO)).exists()
    assert lab.paths.lease_file(FOO).exists()
    await service.driver.stop(started)


async def test_one_that_does_not_listen_is_killed(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = await service.serve(document(RANGE))
    pid = await service.pid()
    os.kill(pid, signal.SIGSTOP)
    monkeypatch.setattr("vnet_tui.engine.drivers.processes.TERM_SECONDS", 0.05)
    await service.driver.stop(started)
    assert not alive({pid})


async def test_its_end_is_noticed(service: Service) -> None:
    await service.serve(document(RANGE))
    (one,) = await service.driver.observe()
    waiting = asyncio.ensure_future(service.driver.wait_exit(one))
    await asyncio.sleep(0)
    assert not waiting.done()
    os.kill(one.pid, signal.SIGKILL)
    async with asyncio.timeout(10):
        await waiting
        await service.driver.wait_exit(one)
    assert await service.driver.observe() == ()


async def test_it_outlives_a_manager_that_is_killed(
    service: Service, lab: Lab, tmp_path: Path
) -> None:
    manager = textwrap.dedent("""
        import asyncio, os, pathlib, pickle, signal, sys
        from vnet_tui.engine.drivers.dnsmasq import Dnsmasq
        from vnet_tui.engine.paths import Paths
        spec = pickle.loads(bytes.fromhex(sys.argv[3]))
        paths = Paths(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
        asyncio.run(Dnsmasq(paths).start(spec))
        os.killpg(0, signal.SIGKILL)
    """)
    wanted = spec(document(RANGE), lab.paths)
    arguments = [str(lab.paths.state), str(lab.paths.run), pickle.dumps(wanted).hex()]
    killed = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", manager, *arguments],
        start_new_session=True,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    (one,) = await service.driver.observe()
    assert one.spec == wanted
    assert lease4(lab.guest("g", "vnet-foo"), tmp_path) is not None


async def test_no_zombie_is_left_where_we_are_everybodys_parent(service: Service, lab: Lab) -> None:
    """As the first process of a pid namespace is, and here a sub-reaper."""
    set_child_subreaper = 36  # PR_SET_CHILD_SUBREAPER, include/uapi/linux/prctl.h
    libc = ctypes.CDLL(None)
    assert libc.prctl(set_child_subreaper, 1, 0, 0, 0) == 0
    try:
        started = await service.serve(document(RANGE))
        pid = await service.pid()
        await service.driver.stop(started)
        assert "dnsmasq" not in children(), pid
    finally:
        libc.prctl(set_child_subreaper, 0, 0, 0, 0)


async def test_it_becomes_another_user_where_that_can_read_its_files(
    lab: Lab, tmp_path: Path
) -> None:
    bridge("vnet-foo", "10.5.0.1/24")
    paths = Paths(state=Path("/run/vnet-state"), run=Path("/run/vnet"))
    driver = Dnsmasq(paths)
    before = spec(document(RANGE), paths)
    await driver.start(before)
    (one,) = await driver.observe()
    assert uid_of(one.pid) == pwd.getpwnam("dnsmasq").pw_uid
    after = spec(document(RANGE, f'<host mac="{MAC}" address="10.5.0.10"/>'), paths)
    await driver.change(before, after)
    guest = lab.guest("g", "vnet-foo", mac=MAC)

    def reserved() -> bool:
        offer = lease4(guest, tmp_path)
        return offer is not None and offer.address == "10.5.0.10"

    assert eventually(reserved)
    assert parse_leases(paths.lease_file(FOO).read_text())
    await driver.stop(after)


IN_A_USER_NAMESPACE = """
import asyncio, pathlib, pickle, sys
from tests.support.dhcp import bridge
from vnet_tui.engine.drivers.dnsmasq import Dnsmasq
from vnet_tui.engine.errors import DriverError
from vnet_tui.engine.paths import Paths

async def main():
    bridge("vnet-foo", "10.5.0.1/24")
    spec = pickle.loads(bytes.fromhex(sys.argv[3]))
    driver = Dnsmasq(Paths(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])))
    limit = pathlib.Path("/proc/sys/user/max_inotify_instances")
    before = limit.read_text()
    limit.write_text("0")
    try:
        await driver.start(spec)
    except DriverError as error:
        print(error)
    limit.write_text(before)
    await driver.start(spec)
    (one,) = await driver.observe()
    assert one.spec == spec
    await driver.stop(spec)
    print("served")

asyncio.run(main())
"""


async def test_it_works_in_a_user_namespace_and_says_which_limit_stops_it(lab: Lab) -> None:
    wanted = spec(document(RANGE), lab.paths)
    arguments = [str(lab.paths.state), str(lab.paths.run), pickle.dumps(wanted).hex()]
    done = await asyncio.to_thread(
        subprocess.run,
        ["unshare", "-Urnm", "--", sys.executable, "-c", IN_A_USER_NAMESPACE, *arguments],
        check=True,
        capture_output=True,
        text=True,
    )
    refused, served = done.stdout.splitlines()
    assert "failed to create inotify" in refused
    assert "fs.inotify.max_user_instances" in refused
    assert served == "served"
