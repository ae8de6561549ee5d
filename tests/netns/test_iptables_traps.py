"""What python-iptables and legacy tables have in store for those who change them."""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.eventually import eventually
from tests.support.firewall_lab import EMPTY, FirewallLab, digests, ruleset
from tests.support.lab import Lab, processes_in
from tests.support.legacy import FAMILIES, everything, existing_tables, iptables, rules
from tests.support.packets import visiting
from vnet_tui.engine.drivers.firewall.iptables import lock, worker
from vnet_tui.engine.drivers.firewall.iptables.driver import IptablesDriver
from vnet_tui.engine.errors import DriverError
from vnet_tui.engine.steps import SetFirewall

NAT = '<forwarding mode="nat"/>'
FORWARD = '<forwarding><incoming><allow port="123" domain="web"/></incoming></forwarding>'


@pytest.fixture
async def driver(lab: Lab) -> AsyncIterator[IptablesDriver]:
    made = IptablesDriver(lab.paths, "in a test")
    yield made
    await made.close()


def children() -> dict[int, str]:
    """The driver's processes in the test's namespace."""
    here = Path("/proc/thread-self/ns/net").stat().st_ino
    return {pid: line for pid, line in processes_in({here}).items() if "iptables.child" in line}


@contextmanager
def locked(path: str) -> Iterator[None]:
    """Another program has the lock."""
    held = os.open(path, os.O_RDONLY | os.O_CREAT)
    fcntl.flock(held, fcntl.LOCK_EX)
    yield
    os.close(held)


@pytest.mark.parametrize("path", ["/run/xtables.lock", "/run/elsewhere.lock"])
async def test_nothing_is_changed_while_another_has_the_lock(
    driver: IptablesDriver, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if path != "/run/xtables.lock":
        monkeypatch.setenv("XTABLES_LOCKFILE", path)
    with locked(path):
        change = asyncio.create_task(driver.set(SetFirewall(before=EMPTY, after=ruleset(foo=NAT))))
        # The lock is taken before anything else is done: the file is open, and nothing is there.
        await asyncio.to_thread(eventually, lambda: opened(path) >= 2)
        assert not change.done()
        assert existing_tables()[4] == []
    await change
    assert (await driver.observe()).digests == digests(ruleset(foo=NAT))


def opened(path: str) -> int:
    """How often we have a file open."""
    links = (os.path.realpath(entry) for entry in Path("/proc/self/fd").iterdir())
    return sum(link == path for link in links)


async def test_who_holds_the_lock_for_too_long_is_named(
    driver: IptablesDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "PATIENCE", 0.1)
    with locked("/run/xtables.lock"), pytest.raises(DriverError) as caught:
        await driver.set(SetFirewall(before=EMPTY, after=ruleset(foo=NAT)))
    assert f"/run/xtables.lock for 0.1 seconds: process {os.getpid()}" in str(caught.value)
    await driver.set(SetFirewall(before=EMPTY, after=ruleset(foo=NAT)))


async def test_a_lock_that_was_made_anew_is_the_one_that_counts(driver: IptablesDriver) -> None:
    await driver.set(SetFirewall(before=EMPTY, after=ruleset(foo=NAT)))
    os.unlink("/run/xtables.lock")  # noqa: PTH108  (at once)
    with locked("/run/xtables.lock"):
        change = asyncio.create_task(
            driver.set(SetFirewall(before=ruleset(foo=NAT), after=ruleset(bar=NAT)))
        )
        await asyncio.to_thread(eventually, lambda: opened("/run/xtables.lock") >= 2)
        assert (await asyncio.wait([change], timeout=0.1))[1]
    await change


async def test_two_writers_lose_nothing_of_each_other(driver: IptablesDriver) -> None:
    one, two = ruleset(foo=NAT), ruleset(foo=NAT, bar=FORWARD)
    await driver.set(SetFirewall(before=EMPTY, after=one))
    numbers = range(40)

    def write() -> None:
        for number in numbers:
            for table, chain in (("filter", "INPUT"), ("nat", "OUTPUT")):
                port = str(1000 + number)
                iptables(4, "-t", table, "-A", chain, "-p", "tcp", "--dport", port, "-j", "RETURN")

    other = threading.Thread(target=write)
    other.start()
    now, after = one, two
    changes = 0
    while other.is_alive() or changes < 10:
        await driver.set(SetFirewall(before=now, after=after))
        state = await driver.observe()
        assert (state.intact, state.digests) == (True, digests(after))
        now, after = after, now
        changes += 1
    other.join()
    for table, chain in (("filter", "INPUT"), ("nat", "OUTPUT")):
        theirs = [line for line in rules(4, table, chain) if "VNET" not in line]
        assert [f"--dport {1000 + number} " in line for number, line in enumerate(theirs)] == [
            True for _ in numbers
        ]


async def test_masquerade_and_forwards_work_in_both_families_at_once(
    driver: IptablesDriver,
) -> None:
    """In one process their extensions would load for one family only."""
    await driver.set(SetFirewall(before=EMPTY, after=ruleset(foo=FORWARD)))
    assert len(children()) == len(FAMILIES)
    for family in FAMILIES:
        nat = " ".join(line for line in everything() if line.startswith(f"IPv{family} nat"))
        assert "-j DNAT" in nat
        assert "-j MASQUERADE" in nat


async def test_each_namespace_has_its_own_tables(lab: Lab, driver: IptablesDriver) -> None:
    """Handles that python-iptables keeps would be those of the first namespace."""
    away = lab.machine("away")
    here, there = ruleset(foo=NAT), ruleset(bar=NAT)
    await driver.set(SetFirewall(before=EMPTY, after=here))
    before = everything()
    other = IptablesDriver(lab.paths, "in a test")
    with visiting(away):
        await other.set(SetFirewall(before=EMPTY, after=there))
        assert (await other.observe()).digests == digests(there)
    assert everything() == before
    await driver.set(SetFirewall(before=here, after=EMPTY))
    assert (await other.observe()).digests == digests(there)
    await other.close()


async def test_tables_that_nobody_uses_are_not_made(driver: IptablesDriver) -> None:
    """python-iptables looks for a chain to jump to in all tables that it can make."""
    await driver.set(SetFirewall(before=EMPTY, after=ruleset(foo=FORWARD)))
    assert existing_tables() == {4: ["filter", "nat"], 6: ["filter", "nat"]}


def test_interfaces_with_almost_the_same_name_are_told_apart(lab: Lab) -> None:
    """With python-iptables' own mask for IPv6 one bit of each byte counts: all of these would be
    one bridge."""
    world = FirewallLab(lab, IptablesDriver(lab.paths, "in a test"))

    async def check() -> None:
        closed = '<forwarding enabled="false"/>'
        await world.install(bar=closed)
        world.check("""
            bob tcp outside:80 denied
            web tcp outside:80 pass
        """)
        world.lab.ip("link", "set", "vnet-foo", "name", alike)
        world.check("web tcp outside:80 pass")
        await world.close()

    alike = "vnet-" + "".join(chr(ord(letter) ^ 6) for letter in "bar")
    asyncio.run(check())


def ended(pid: int) -> bool:
    """Whether a child can be waited for: it has let go of its memory before that."""
    state = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][:1]
    return state == "Z"


async def test_a_child_that_died_is_replaced(driver: IptablesDriver) -> None:
    before, after = ruleset(foo=NAT), ruleset(foo=FORWARD)
    await driver.set(SetFirewall(before=EMPTY, after=before))
    there = everything()
    victim = min(children())
    os.kill(victim, signal.SIGKILL)
    eventually(lambda: ended(victim))
    await driver.set(SetFirewall(before=before, after=after))
    assert everything() != there
    assert (await driver.observe()).digests == digests(after)


async def test_a_child_that_dies_half_way_leaves_what_was_there(
    driver: IptablesDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, after = ruleset(foo=NAT), ruleset(foo=FORWARD, bar=NAT)
    await driver.set(SetFirewall(before=EMPTY, after=before))
    there = everything()
    commit = worker.Worker.commit

    def dies(self: worker.Worker, table: str) -> None:
        commit(self, table)
        monkeypatch.undo()
        for pid in children():
            os.kill(pid, signal.SIGKILL)

    monkeypatch.setattr(worker.Worker, "commit", dies)
    with pytest.raises(DriverError, match="ended with status -9"):
        await driver.set(SetFirewall(before=before, after=after))
    assert everything() == there


MANAGER = """
import asyncio, sys
from pathlib import Path
from tests.support.firewall_lab import EMPTY, ruleset
from vnet_tui.engine.drivers.firewall.iptables.driver import IptablesDriver
from vnet_tui.engine.paths import Paths
from vnet_tui.engine.steps import SetFirewall

async def main():
    driver = IptablesDriver(Paths(Path(sys.argv[1]), Path(sys.argv[2])), "in a test")
    after = ruleset(foo='<forwarding mode="nat"/>')
    await driver.set(SetFirewall(before=EMPTY, after=after))
    print("iptc" in sys.modules, flush=True)
    sys.stdin.read()

asyncio.run(main())
"""


async def test_children_end_with_a_manager_that_is_killed_and_rules_stay(
    driver: IptablesDriver, lab: Lab
) -> None:
    command = [sys.executable, "-c", MANAGER, str(lab.paths.state), str(lab.paths.run)]
    pipe = asyncio.subprocess.PIPE
    manager = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe)
    assert manager.stdout is not None
    assert await manager.stdout.readline() == b"False\n"  # it didn't load python-iptables itself
    assert len(children()) == len(FAMILIES)
    manager.kill()
    await manager.wait()
    eventually(lambda: not children())
    state = await driver.observe()
    assert (state.intact, state.digests) == (True, digests(ruleset(foo=NAT)))


async def test_a_terminals_interrupt_is_not_for_the_children(driver: IptablesDriver) -> None:
    await driver.set(SetFirewall(before=EMPTY, after=ruleset(foo=NAT)))
    assert all(os.getpgid(pid) != os.getpgrp() for pid in children())
