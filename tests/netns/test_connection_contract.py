"""What every connection has to do, whether the engine is in this process or in the daemon."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from uuid import UUID

import pytest

from tests.support.daemon import Daemon
from tests.support.eventually import soon
from tests.support.inventory import dnsmasqs, inventory, links
from tests.support.lab import Lab
from tests.support.networks import document
from vnet_tui import client
from vnet_tui.client.connection import Connection
from vnet_tui.engine.doctor.explain import Answer, Query
from vnet_tui.engine.errors import (
    ConflictError,
    DocumentError,
    NotFoundError,
    Severity,
    StateError,
    StepFailedError,
    VnetError,
)
from vnet_tui.engine.views import Disturbance, EventKind, Progress, Sample, State

WEB = document(
    "web",
    '<forwarding><incoming><allow port="8080" domain="srv" destport="80"/></incoming></forwarding>',
)
SERVER = '<host mac="52:54:00:00:00:10" name="srv" address="10.1.0.10"/>'


@pytest.fixture(params=["embedded", "daemon"])
def uri(request: pytest.FixtureRequest, lab: Lab) -> Iterator[str]:
    if request.param == "embedded":
        yield "vnet:///embedded"
    else:
        with Daemon(lab.paths):
            yield "vnet:///system"


@pytest.fixture
async def connection(uri: str, lab: Lab) -> AsyncIterator[Connection]:
    made = await client.open(uri, paths=lab.paths, watch=True)
    yield made
    if running := [one.uuid for one in await made.networks() if one.active]:
        await made.stop(running)
    await made.close()


async def test_a_change_that_is_cancelled_is_undone(connection: Connection, lab: Lab) -> None:
    infos = [await connection.define(document(f"n{n}", address=f"10.{n}.0.1")) for n in range(9)]
    uuids = [info.uuid for info in infos]
    before = inventory(lab.paths)
    cancelling: list[asyncio.Task[None]] = []

    def at_first(_: Progress) -> None:
        if not cancelling:
            cancelling.append(asyncio.ensure_future(connection.cancel(uuids[:1])))

    with pytest.raises(StepFailedError, match="cancelled by root") as told:
        await connection.start(uuids, on_progress=at_first)
    await cancelling[0]
    assert not told.value.left
    assert inventory(lab.paths) == before
    assert not any(info.active for info in await connection.networks())
    with pytest.raises(StateError, match="nothing is being changed"):
        await connection.cancel(uuids)
    await connection.start(uuids[:1])


async def test_a_network_from_its_definition_to_its_end(
    connection: Connection, uri: str, lab: Lab
) -> None:
    before = inventory(lab.paths)
    told: list[Progress] = []
    web = await connection.define(WEB)
    assert (web.name, web.state, web.active) == ("web", State.DEFINED, False)
    assert isinstance(web.uuid, UUID)
    assert await connection.networks() == (web,)
    (web,) = await connection.start([web.uuid], on_progress=told.append)
    assert (web.state, web.id, web.bridge) == (State.ACTIVE, 1, "vn-web")
    assert [str(address) for address in web.addresses] == ["10.1.0.1/24"]
    assert links()["vn-web"]["up"]
    assert [one.done for one in told] == list(range(told[0].total))
    assert await connection.network("1") == await connection.network(web.uuid) == web
    assert 'id="1"' in await connection.xml("web")
    assert 'id="1"' not in await connection.xml("web", inactive=True)
    host = await connection.host()
    assert host.via == ("daemon" if uri == "vnet:///system" else "embedded")
    assert (await connection.set_autostart("web", True)).autostart
    await connection.restart(["web"])
    await connection.stop(["web"])
    await connection.undefine("web")
    assert await connection.networks() == ()
    after = inventory(lab.paths)
    for kind in ("dnsmasqs", "ruleset"):
        assert after[kind] == before[kind]


async def test_a_change_is_shown_before_it_is_made(connection: Connection) -> None:
    await connection.define(WEB)
    assert (await connection.plan("start", ["web"])).disturbs is Disturbance.LIVE
    await connection.start(["web"])
    changed = WEB.replace("</dhcp>", f"{SERVER}</dhcp>")
    preview = await connection.plan_document(changed)
    assert preview
    assert preview.disturbs is Disturbance.LIVE
    read = await connection.xml("web", inactive=True)
    web = await connection.define(changed, replacing=read)
    assert web.pending
    with pytest.raises(StateError):
        await connection.define(WEB, replacing=read)
    assert not (await connection.apply("web")).pending
    assert not await connection.plan("apply", ["web"])


async def test_what_runs_can_be_other_than_what_is_defined(connection: Connection) -> None:
    await connection.define(WEB)
    with pytest.raises(StateError, match="not running"):
        await connection.apply_document(WEB)
    await connection.start(["web"])
    read = await connection.xml("web")
    changed = read.replace("</dhcp>", f"{SERVER}</dhcp>")
    web = await connection.apply_document(changed, replacing=read)
    assert web.pending
    assert SERVER in await connection.xml("web")
    assert SERVER not in await connection.xml("web", inactive=True)
    with pytest.raises(StateError, match="changed since you read"):
        await connection.apply_document(changed, replacing=read)
    with pytest.raises(StateError, match="can't be renamed"):
        await connection.apply_document(changed.replace("<name>web", "<name>other"))
    assert not (await connection.apply("web")).pending
    assert await connection.xml("web") == read
    assert await connection.damaged() == ()


async def test_who_and_what_is_there(connection: Connection) -> None:
    await connection.define(WEB.replace("</dhcp>", f"{SERVER}</dhcp>"))
    await connection.start(["web"])
    (guest,) = await connection.guests("web")
    assert (guest.name, str(guest.addresses[0]), guest.reserved) == ("srv", "10.1.0.10", True)
    assert await connection.leases("web") == ()
    (rule,) = await connection.rules("web")
    assert rule.direction == "incoming"
    subnet = await connection.suggest_subnet(25)
    assert subnet.prefixlen == 25
    assert await connection.history("web") is not None
    for finding in await connection.doctor("web", patience=0):
        assert finding.message
    query = Query(network="web", source="host", target="srv", port=80)
    explanation = await connection.explain(query)
    assert explanation.answer is Answer.YES
    assert explanation.query == query


async def test_a_document_with_faults_is_told_line_by_line(connection: Connection) -> None:
    bad = WEB.replace('address="10.1.0.1"', 'address="10.1.0.300"')
    problems = await connection.validate(bad)
    assert {one.line for one in problems} == {3}
    with pytest.raises(DocumentError) as caught:
        await connection.define(bad)
    assert caught.value.problems == problems
    assert "10.1.0.300" in str(caught.value)
    (warning,) = await connection.validate(WEB)
    assert (warning.line, warning.severity) == (6, Severity.WARNING)


async def test_what_is_to_be_stored_together_is_looked_at_together(connection: Connection) -> None:
    await connection.define(WEB)
    moved, other = WEB.replace("10.1.0.", "10.2.0."), document("other")

    async def errors(document: str, *beside: str) -> list[str]:
        problems = await connection.validate(document, beside=beside)
        return [one.message for one in problems if one.severity is Severity.ERROR]

    assert any("10.1.0.0/24 of the network web" in one for one in await errors(other))
    assert not await errors(other, moved)
    assert await errors(moved.replace("10.2.0.", "10.3.0."), other.replace("10.1.0.", "10.3.0."))
    assert await errors(moved, "<network>") == []
    assert await connection.plan_document(other, beside=[moved])
    with pytest.raises(DocumentError):
        await connection.plan_document(other)


async def test_what_cant_be_is_refused_with_its_own_error(connection: Connection, lab: Lab) -> None:
    with pytest.raises(NotFoundError, match="nowhere") as caught:
        await connection.start(["nowhere"])
    assert isinstance(caught.value, VnetError)
    await connection.define(WEB)
    with pytest.raises(StateError, match="not running: web"):
        await connection.stop(["web"])
    await connection.start(["web"])
    with pytest.raises(StateError, match="running already"):
        await connection.start(["web"])
    lab.ip("link", "add", "vn-other", "type", "veth", "peer", "name", "end")
    await connection.define(document("other", address="10.2.0.1"))
    with pytest.raises(ConflictError) as conflict:
        await connection.start(["other"])
    assert conflict.value.problems
    assert conflict.value.problems[0].message in str(conflict.value)


async def test_nothing_that_happens_after_asking_for_events_is_missed(
    connection: Connection,
) -> None:
    events = connection.events()
    await connection.define(WEB)
    await connection.create(document("passing", address="10.2.0.1"))
    await connection.stop(["passing"])
    heard = [await asyncio.wait_for(anext(events), 5) for _ in range(3)]
    assert [(one.kind, one.name) for one in heard] == [
        (EventKind.DEFINED, "web"),
        (EventKind.STARTED, "passing"),
        (EventKind.STOPPED, "passing"),
    ]
    past = await connection.past_events()
    assert [one for one in past if one.kind in (EventKind.DEFINED, EventKind.STOPPED)] == [
        heard[0],
        heard[2],
    ]


async def test_samples_come_and_history_grows(connection: Connection) -> None:
    await connection.define(WEB)
    (web,) = await connection.start(["web"])
    seen = 0
    async for sample in connection.samples():
        seen += web.uuid in sample.networks
        if seen == 2:
            assert sample.networks[web.uuid].ports == {}
            break

    async def history() -> bool:
        return len(await connection.history(web.uuid)) > 0

    await soon(history)


async def test_a_sample_tells_ports_rules_and_guests_of_those_asked_for(
    connection: Connection, lab: Lab
) -> None:
    await connection.define(WEB)
    await connection.define(document("other", address="10.2.0.1"))
    web, other = await connection.start(["web", "other"])
    lab.guest("srv", "vn-web")

    async def plugged(detailed: Sequence[UUID] | None) -> Sample:
        async with asyncio.timeout(10):
            async for sample in connection.samples(detailed):
                figures = sample.networks.get(web.uuid)
                if figures is not None and figures.port_count == 1:
                    return sample
        raise AssertionError("no more samples")

    for detailed in (None, (web.uuid,), (web.uuid, other.uuid), (other.uuid,), ()):
        told = (await plugged(detailed)).networks
        assert len(told) == 2
        for network in (web, other):
            figures = told[network.uuid]
            assert figures.detailed is (detailed is None or network.uuid in detailed)
            assert len(figures.ports) == figures.port_count * figures.detailed
            assert figures.rules == {} or figures.detailed


async def test_the_hosts_own_links_are_sampled_too(connection: Connection, lab: Lab) -> None:
    await connection.define(WEB)
    await connection.start(["web"])
    lab.guest("srv", "vn-web")
    lab.ip("link", "add", "up0", "type", "veth", "peer", "name", "far0")
    lab.ip("link", "set", "up0", "up")
    lab.ip("link", "set", "far0", "up")
    lab.ip("route", "add", "198.51.100.0/24", "dev", "up0")

    async def when(defaults: tuple[int, ...]) -> set[str]:
        async with asyncio.timeout(10):
            async for sample in connection.samples():
                found = sample.links.get("up0")
                if found is not None and found.defaults == defaults:
                    assert found.speed is None
                    assert found.routes == 1
                    return set(sample.links)
        raise AssertionError("no more samples")

    assert await when(()) == {"up0", "far0"}
    lab.ip("route", "add", "default", "dev", "up0")
    await when((4,))
    lab.ip("route", "del", "default")
    await when(())

    async def history() -> bool:
        return len(await connection.history(None, "up0")) > 0

    await soon(history)


async def test_calls_at_once_each_get_their_own_answer(connection: Connection) -> None:
    names = [f"n{number}" for number in range(12)]
    for number, name in enumerate(names):
        await connection.define(document(name, address=f"10.{number + 20}.0.1"))
    found = await asyncio.gather(*(connection.network(name) for name in names))
    assert [one.name for one in found] == names


async def test_a_change_whose_caller_is_cancelled_is_made_wholly(connection: Connection) -> None:
    await connection.define(WEB)
    begun = asyncio.Event()
    task = asyncio.ensure_future(connection.start(["web"], on_progress=lambda _: begun.set()))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await connection.network("web")).active
    assert len(dnsmasqs()) == 1
