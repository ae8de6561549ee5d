"""The service on a system that a real systemd runs: all that it does it can do as closed as it is,
and networks go on without it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.booted import Booted
from tests.support.booted_init import PROGRAMS
from tests.support.daemon import need_other_users
from tests.support.eventually import eventually
from tests.support.networks import document

LOG = "/run/said-by-vnetd"
CAPABILITIES = {
    "chown": 0,
    "net_admin": 12,
    "net_raw": 13,
    "net_bind_service": 10,
    "setuid": 7,
    "setgid": 6,
    "kill": 5,
    "sys_ptrace": 19,
    "dac_read_search": 2,
}
"""Their numbers in linux/capability.h."""

DUAL = '<ip address="fd00:a::1" prefix="64" start="fd00:a::100" end="fd00:a::200"/></dhcp>'
SWITCH = '<switch type="vde" group="vnet" mode="0660"/>'
FORWARD = (
    '<forwarding><incoming><allow port="123" domain="web" destport="321" log="true"/></incoming>'
    "</forwarding>"
)


class Host:
    """A booted host on which ``vnetd --install`` was called and the service started."""

    def __init__(self, system: Booted) -> None:
        self._system = system
        self.run = system.run
        self.ok = system.ok
        self.installed = self.ok(str(PROGRAMS / "vnetd"), "--install")
        self._tell_more()
        self.ok("systemctl", "enable", "--now", "vnetd.socket", "vnetd.service")

    def vnet(self, *words: str, stdin: str = "") -> str:
        """What ``vnet`` prints."""
        return self.ok(str(PROGRAMS / "vnet"), *words, stdin=stdin)

    def begin(self, name: str, *parts: str, address: str) -> None:
        """Define and start a network with both families."""
        text = document(name, *parts, address=address).replace("</dhcp>", DUAL)
        self.vnet("network-define", "-", stdin=text)
        self.vnet("network-start", name)

    def shown(self, name: str, unit: str = "vnetd.service") -> str:
        """What systemd knows of a unit."""
        return self.ok("systemctl", "show", "--property", name, "--value", unit).strip()

    @property
    def pid(self) -> int:
        """The daemon's."""
        return int(self.shown("MainPID"))

    @property
    def dnsmasqs(self) -> set[str]:
        """The ids of all that run."""
        return set(self.run("pgrep", "-x", "dnsmasq").stdout.split())

    def _tell_more(self) -> None:
        """There is no journal."""
        directory = "/etc/systemd/system/vnetd.service.d"
        self.ok("mkdir", directory)
        text = f"[Service]\nStandardOutput=append:{LOG}\nStandardError=append:{LOG}\n"
        self.ok("tee", f"{directory}/log.conf", stdin=text)
        self.ok("systemctl", "daemon-reload")


@pytest.fixture(scope="module")
def booted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """One host for all tests here."""
    need_other_users()
    with Booted(tmp_path_factory.mktemp("booted")) as system:
        yield Host(system)


@pytest.fixture
def host(booted: Host) -> Iterator[Host]:
    """The host; without networks afterwards, and what the service has said beside a failure."""
    yield booted
    print(booted.run("cat", LOG).stdout)
    for name in booted.vnet("network-list", "--all", "--name").split():
        booted.run(str(PROGRAMS / "vnet"), "network-stop", name)
        booted.run(str(PROGRAMS / "vnet"), "network-undefine", name)
    if booted.run("rm", "/etc/default/vnetd").returncode == 0:
        booted.run("systemctl", "try-restart", "vnetd")


def test_all_is_made_and_told(host: Host) -> None:
    assert "wrote /etc/systemd/system/vnetd.service (the service)" in host.installed
    assert "ran systemd-sysusers /etc/sysusers.d/vnet.conf" in host.installed
    assert "systemctl enable --now vnetd.socket vnetd.service" in host.installed
    assert host.ok("getent", "group", "vnet", "vnet-read").count("\n") == 2
    again = host.ok(str(PROGRAMS / "vnetd"), "--install")
    assert "wrote" not in again
    assert "now " not in again  # it runs, and nothing has changed
    assert host.ok("stat", "-c", "%a", "/run/vnet", "/var/lib/vnet").split() == ["755", "700"]


def test_it_is_as_closed_as_it_says(host: Host) -> None:
    status = host.ok("cat", f"/proc/{host.pid}/status")
    fields = dict(line.split(":", 1) for line in status.splitlines())
    assert int(fields["CapBnd"], 16) == sum(1 << number for number in CAPABILITIES.values())
    assert (fields["NoNewPrivs"].strip(), fields["Seccomp"].strip()) == ("1", "2")
    within = ["nsenter", f"--target={host.pid}", "--mount", "sh", "-c"]
    closed = ("/usr", "/etc", "/root", "/run", "/run/lock", "/var/lib", "/proc/sys/kernel", "/sys")
    for place in closed:
        assert host.run(*within, f"test ! -w {place}").returncode == 0, place
    for place in ("/run/vnet", "/var/lib/vnet", "/tmp", "/proc/sys/net/ipv4/ip_forward"):
        assert host.run(*within, f"test -w {place}").returncode == 0, place


@pytest.mark.parametrize("driver", ["nftables", "iptables"])
def test_it_can_do_its_work(host: Host, driver: str) -> None:
    host.ok("mkdir", "-p", "/etc/default")
    host.ok("tee", "/etc/default/vnetd", stdin=f"VNET_FIREWALL={driver}\n")
    host.ok("systemctl", "restart", "vnetd")
    host.begin("work", FORWARD, SWITCH, address="10.7.0.1")
    assert host.ok("ps", "-o", "user=", "-p", *host.dnsmasqs).strip() == "dnsmasq"
    _take_a_lease(host)
    leases = host.vnet("network-dhcp-leases", "work")
    assert "10.7.0." in leases
    seen = ["nft", "list", "ruleset"] if driver == "nftables" else ["iptables-legacy-save"]
    address = next(word for word in leases.split() if word.startswith("10.7.0.")).split("/")[0]
    eventually(lambda: address in host.ok(*seen), what="the forward to the guest")
    assert host.vnet("network-plan", "work") == "apply work: nothing to do\n"
    doctor = host.run(str(PROGRAMS / "vnet"), "network-doctor", "work")
    assert "Operation not permitted" not in doctor.stdout + doctor.stderr
    assert "work" in host.vnet("network-stats", "--count", "1")
    host.ok("pkill", "-x", "dnsmasq")
    eventually(lambda: host.dnsmasqs, what="the repair of dnsmasq")
    host.ok("pkill", "-KILL", "-x", "vde_switch")
    eventually(lambda: host.run("pgrep", "-x", "vde_switch").stdout, what="the repair of a switch")
    socket = ("sh", "-c", "stat -c '%G %a' /run/vnet/vde/*/ctl/ctl")
    eventually(lambda: host.run(*socket).stdout == "vnet 660\n", what="a socket for its group")
    host.ok("sh", "-c", "echo 0 > /proc/sys/net/ipv4/ip_forward")
    forwards = ["cat", "/proc/sys/net/ipv4/ip_forward"]
    eventually(lambda: host.ok(*forwards) == "1\n", what="the repair of a setting")
    host.vnet("network-restart", "work")
    host.vnet("network-stop", "work")
    assert host.dnsmasqs == set()
    host.ok("ip", "netns", "delete", "web")


def _take_a_lease(host: Host) -> None:
    """A guest called web takes one."""
    for line in (
        "netns add web",
        "link add tap-web type veth peer name eth0 netns web",
        "link set tap-web master vn-work up",
        "-n web link set eth0 up",
    ):
        host.ok("ip", *line.split())
    client = "udhcpc -i eth0 -n -q -f -x hostname:web -s /bin/true"
    host.ok("ip", "netns", "exec", "web", "timeout", "20", *client.split())


def test_networks_go_on_without_it_and_are_adopted(host: Host) -> None:
    host.begin("on", address="10.8.0.1")
    before = host.dnsmasqs
    assert len(before) == 1
    first = host.pid
    host.ok("systemctl", "stop", "vnetd")
    assert host.dnsmasqs == before
    host.ok("ip", "link", "show", "vn-on")
    # A client has it started again: by its socket.
    assert host.vnet("network-plan", "on") == "apply on: nothing to do\n"
    host.ok("systemctl", "restart", "vnetd")
    host.ok("kill", "-KILL", str(host.pid))
    eventually(lambda: host.shown("NRestarts") == "1", what="systemd's restart")
    eventually(lambda: host.shown("ActiveState") == "active", what="the service")
    assert host.pid != first
    assert host.vnet("network-plan", "on") == "apply on: nothing to do\n"
    host.ok("systemctl", "reload", "vnetd")
    assert host.dnsmasqs == before


def test_by_hand_it_leaves_the_services_socket_alone(host: Host) -> None:
    host.ok("systemctl", "stop", "vnetd.service")
    by_hand = host.run(str(PROGRAMS / "vnetd"))
    assert by_hand.returncode == 1
    assert "somebody listens on /run/vnet/vnetd.sock already" in by_hand.stderr
    assert host.shown("ActiveState") == "inactive"  # it wasn't even asked
    assert host.vnet("network-list", "--name") == ""
    assert host.shown("ActiveState") == "active"


def test_a_boot_starts_what_is_to_start(host: Host) -> None:
    """What systemd does then: start the service. It is ready when the networks run."""
    host.begin("boot", address="10.9.0.1")
    host.vnet("network-autostart", "boot")
    host.vnet("network-stop", "boot")
    host.ok("systemctl", "stop", "vnetd.socket", "vnetd.service")
    host.ok("systemctl", "start", "vnetd.service")
    host.ok("ip", "link", "show", "vn-boot")
    assert host.shown("ActiveState", "vnetd.socket") == "active"


def test_it_goes_and_leaves_networks_and_definitions(host: Host) -> None:
    host.begin("stays", address="10.10.0.1")
    host.ok("tee", "/etc/default/vnetd", stdin="VNETD_OPTIONS=--report-only\n")
    before = host.dnsmasqs
    said = host.ok(str(PROGRAMS / "vnetd"), "--uninstall")
    assert "ran systemctl disable --now vnetd.socket vnetd.service" in said
    assert "stays: /etc/default/vnetd, your own settings" in said
    assert host.run("systemctl", "status", "vnetd").returncode == 4  # there is no such unit
    assert "stays" in host.ok("sh", "-c", "cat /var/lib/vnet/networks/*.xml")
    assert host.dnsmasqs == before
    assert host.run("ls", "/run/vnet/vnetd.sock").returncode != 0
    host.vnet("network-stop", "stays")  # an engine of its own does it
    assert host.dnsmasqs == set()
