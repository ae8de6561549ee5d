"""The laboratory itself: a test's host is private, and packets really pass."""

import subprocess

from tests.support.lab import Lab


def test_two_guests_on_a_bridge_reach_each_other(lab: Lab) -> None:
    subprocess.run(["ip", "link", "add", "br0", "type", "bridge"], check=True)
    subprocess.run(["ip", "link", "set", "br0", "up"], check=True)
    one, two = lab.guest("one", "br0"), lab.guest("two", "br0")
    one.run("ip", "address", "add", "10.9.9.1/24", "dev", "eth0")
    two.run("ip", "address", "add", "10.9.9.2/24", "dev", "eth0")
    assert one.run("ping", "-c1", "-W2", "10.9.9.2").returncode == 0
    assert one.run("ping", "-c1", "-W1", "10.9.9.3", check=False).returncode == 1


def test_the_host_of_a_test_has_no_interface_of_this_machine(lab: Lab) -> None:
    links = subprocess.run(["ip", "-o", "link"], check=True, capture_output=True, text=True).stdout
    names = {line.split(":")[1].strip() for line in links.splitlines()}
    assert not names & {"eth0"}
