"""libvirt's virtual networks, by a libvirtd of our own in private namespaces.

Run as a module inside an :class:`~benchmarks.lib.arena.Arena`.
"""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

from benchmarks.lib import arena, bringup_rounds
from benchmarks.lib.bringup_rounds import Plan

URI = "network:///system"
_DRIVERS = "connection-driver"
_PRIVATE = ("/run", "/var/lib/libvirt", "/etc/libvirt", "/var/log", "/var/cache")


def document(plan: Plan) -> str:
    """A network as libvirt describes it: NAT, DHCP, DNS with a domain."""
    return f"""\
<network>
  <name>{plan.name}</name>
  <forward mode='nat'/>
  <bridge name='{plan.bridge}' stp='off' delay='0'/>
  <domain name='{plan.domain}'/>
  <ip address='{plan.address}' netmask='255.255.255.0'>
    <dhcp><range start='{plan.first}' end='{plan.last}'/></dhcp>
  </ip>
</network>
"""


def _written(plan: Plan) -> Path:
    file = Path(f"/run/{plan.name}.xml")
    file.write_text(document(plan))
    return file


class Libvirt:
    """A libvirtd and one ``virsh`` that stays connected with it."""

    def __init__(self) -> None:
        self._only_the_network_driver()
        arena.empty_directories(_PRIVATE)
        Path("/etc/libvirt/libvirtd.conf").write_text(
            'auth_unix_rw = "none"\nlog_outputs = "4:file:/var/log/libvirtd.log"\n'
        )
        self._daemon = subprocess.Popen(["libvirtd"], stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + 30
        while subprocess.run(
            ["virsh", "-c", URI, "net-list"], capture_output=True, check=False
        ).returncode:
            if time.monotonic() > deadline or self._daemon.poll() is not None:
                raise SystemExit("libvirtd doesn't answer")
            time.sleep(0.05)
        self._shell = subprocess.Popen(
            ["virsh", "-c", URI],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    @staticmethod
    def _only_the_network_driver() -> None:
        """Leave libvirtd the driver that is compared, so that it isn't charged for the others.

        (They would also want the accounts that a whole installation makes for virtual machines.)
        """
        found = list(Path("/usr/lib").glob(f"*/libvirt/{_DRIVERS}/libvirt_driver_network.so"))
        if not found:
            raise SystemExit("libvirt is missing: apt-get install libvirt-daemon libvirt-clients")
        driver = found[0].read_bytes()
        arena.empty_directories([str(found[0].parent)])
        found[0].write_bytes(driver)
        found[0].chmod(0o644)

    def _virsh(self, *commands: str) -> None:
        assert self._shell.stdin is not None
        assert self._shell.stdout is not None
        self._shell.stdin.write("\n".join([*commands, "echo end-of-batch"]) + "\n")
        self._shell.stdin.flush()
        for line in self._shell.stdout:
            if line.startswith("error:"):
                raise SystemExit(f"virsh: {line}")
            if line.strip() == "end-of-batch":
                return
        raise SystemExit("virsh ended")

    async def define(self, plans: list[Plan]) -> None:
        self._virsh(*[f"net-define {_written(plan)}" for plan in plans])

    async def start(self, plans: list[Plan]) -> None:
        self._virsh(*[f"net-start {plan.name}" for plan in plans])

    async def stop_and_undefine(self, plans: list[Plan]) -> None:
        names = [plan.name for plan in plans]
        self._virsh(
            *[f"{command} {name}" for name in names for command in ("net-destroy", "net-undefine")]
        )

    def pid(self) -> int:
        return self._daemon.pid


if __name__ == "__main__":
    bringup_rounds.serve(Libvirt)
