"""Leases of a real dnsmasq, told as soon as they are written."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from tests.support.dhcp import bridge, lease4, release4
from tests.support.lab import Lab
from vnet_tui.engine.dnsmasq_config import dnsmasq_spec
from vnet_tui.engine.drivers.dnsmasq import Dnsmasq
from vnet_tui.engine.leases import DOUBT_SECONDS, LeaseWatch
from vnet_tui.engine.views import Lease
from vnet_tui.engine.xml import parse

DEADLINE = 10
MACS = [f"52:54:00:00:00:{number:02x}" for number in range(1, 4)]

News = AsyncIterator[tuple[UUID, tuple[Lease, ...]]]


def uuid(number: int) -> UUID:
    return UUID(int=number)


async def serve(lab: Lab, number: int) -> None:
    name, prefix = f"vnet-{number}", f"10.5.{number}"
    bridge(name, f"{prefix}.1/24")
    net = parse(
        f'<network><name>x</name><dhcp><ip address="{prefix}.1" prefix="24"'
        f' start="{prefix}.100" end="{prefix}.200"/></dhcp></network>'
    )
    spec = dnsmasq_spec(net, uuid(number), name, lab.paths)
    assert spec is not None
    await Dnsmasq(lab.paths).start(spec)


@pytest.fixture(autouse=True)
async def ended(lab: Lab) -> AsyncIterator[None]:
    yield
    driver = Dnsmasq(lab.paths)
    for one in await driver.observe():
        await driver.stop(one.spec)


async def following(news: News) -> tuple[UUID, list[str]]:
    async with asyncio.timeout(DEADLINE):
        network, leases = await anext(news)
    return network, [lease.name for lease in leases]


async def test_leases_are_told_by_network_as_they_come_and_go(lab: Lab) -> None:
    await serve(lab, 1)
    await serve(lab, 2)
    one = lab.guest("one", "vnet-1", mac=MACS[0])
    two = lab.guest("two", "vnet-2", mac=MACS[1])
    directory = lab.paths.state
    assert lease4(one, directory, "early") is not None
    async with LeaseWatch(lab.paths) as watch:
        news = aiter(watch)
        assert await following(news) == (uuid(1), ["early"])
        waiting = asyncio.ensure_future(following(news))
        offer = await asyncio.to_thread(lease4, two, directory, "foobar")
        assert offer is not None
        assert await waiting == (uuid(2), ["foobar"])
        (lease,) = watch.current[uuid(2)]
        assert (str(lease.address), lease.mac) == (offer.address, MACS[1])
        assert lease.expires is not None
        release4(two, offer.address, MACS[1], "10.5.2.1")
        assert await following(news) == (uuid(2), [])
        assert set(watch.current) == {uuid(1)}
        # A network that is undefined takes its leases with it.
        lab.paths.lease_file(uuid(1)).unlink()
        assert await following(news) == (uuid(1), [])


async def test_a_file_that_is_being_rewritten_is_waited_for(lab: Lab) -> None:
    lab.paths.leases.mkdir(parents=True)
    path = lab.paths.lease_file(uuid(1))
    lines = [f"0 {MACS[number]} 10.5.0.{number} g{number} *\n" for number in range(3)]
    path.write_text("".join(lines))
    async with LeaseWatch(lab.paths) as watch:
        news = aiter(watch)
        assert await following(news) == (uuid(1), ["g0", "g1", "g2"])
        waiting = asyncio.ensure_future(following(news))
        with path.open("w") as file:
            await asyncio.sleep(DOUBT_SECONDS / 4)
            file.write("".join(lines)[:60])
            file.flush()
            await asyncio.sleep(DOUBT_SECONDS / 4)
            assert not waiting.done()
            file.write("".join(lines)[60:])
            file.write(f"0 {MACS[0]} 10.5.0.9 g9 *\n")
        assert await waiting == (uuid(1), ["g0", "g1", "g2", "g9"])


async def test_what_does_not_change_the_leases_is_not_told(lab: Lab) -> None:
    lab.paths.leases.mkdir(parents=True)
    path = lab.paths.lease_file(uuid(1))
    line = f"0 {MACS[0]} 10.5.0.9 g9 *\n"
    path.write_text(line)
    async with LeaseWatch(lab.paths) as watch:
        news = aiter(watch)
        assert await following(news) == (uuid(1), ["g9"])
        path.write_text(line)
        (lab.paths.leases / "other.leases").write_text(line)
        (lab.paths.leases / "notes").write_text(line)
        lab.paths.lease_file(uuid(2)).write_text("duid 00:01\n" + line)
        assert await following(news) == (uuid(2), ["g9"])


async def test_thousands_of_leases_are_told_whole(lab: Lab) -> None:
    lab.paths.leases.mkdir(parents=True)
    path = lab.paths.lease_file(uuid(1))
    async with LeaseWatch(lab.paths) as watch:
        news = aiter(watch)
        for count in (3000, 1000, 2000):
            waiting = asyncio.ensure_future(following(news))
            await asyncio.sleep(0)
            with path.open("w") as file:  # in pieces of some kilobytes, as dnsmasq does
                for number in range(count):
                    file.write(f"0 {MACS[0]} 10.5.{number >> 8}.{number & 255} g *\n")
            assert len((await waiting)[1]) == count
