"""A connection without an engine: it plays what is recorded, one second at a time.

In tests the clock stands until :meth:`Replay.tick`. ``python -m tests.ui.replay`` opens the
interface on it, in real time, to look at and to measure.
"""

from __future__ import annotations

import argparse
import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import ip_network
from typing import TYPE_CHECKING, Generic, TypeVar
from uuid import UUID

from tests.ui import recorded
from tests.ui.recorded import DEMO, LINKS, NOW, Recorded, RecordedLink
from vnet_tui.engine.brief import brief
from vnet_tui.engine.check import check_together
from vnet_tui.engine.errors import (
    DocumentError,
    NotFoundError,
    Problem,
    Severity,
    StateError,
    StepFailedError,
    VnetError,
)
from vnet_tui.engine.model import Mode, Subnet
from vnet_tui.engine.views import (
    Checkpoint,
    Event,
    EventKind,
    Flow,
    Flows,
    Guest,
    HistoryPoint,
    HostInfo,
    Lease,
    NetworkInfo,
    Preview,
    Progress,
    Ref,
    RuleStatus,
    Sample,
    State,
    Verb,
)
from vnet_tui.engine.xml import examine

if TYPE_CHECKING:
    from vnet_tui.client.connection import Connection, OnProgress
    from vnet_tui.engine.doctor.explain import Explanation, Query
    from vnet_tui.engine.doctor.findings import Finding

Item = TypeVar("Item")

STEPS = ("create bridge", "give it its address", "write the firewall's rules", "start dnsmasq")
"""What a start consists of, as progress tells it."""


class Hub(Generic[Item]):
    """Everything that is put reaches everybody who listens; ``newest`` too, who comes later."""

    def __init__(self, *, newest: bool = False) -> None:
        self._queues: set[asyncio.Queue[Item | Exception]] = set()
        self._newest: list[Item] | None = [] if newest else None

    def put(self, item: Item | Exception) -> None:
        """Send an item; an exception is raised at every listener's place."""
        if self._newest is not None and not isinstance(item, Exception):
            self._newest = [item]
        for queue in self._queues:
            queue.put_nowait(item)

    async def listen(self) -> AsyncIterator[Item]:
        """What is put from now on."""
        queue: asyncio.Queue[Item | Exception] = asyncio.Queue()
        self._queues.add(queue)
        try:
            for item in self._newest or ():
                yield item
            while True:
                told = await queue.get()
                if isinstance(told, Exception):
                    raise told
                yield told
        finally:
            self._queues.discard(queue)


class Replay:
    """A :class:`~vnet_tui.client.connection.Connection` that plays recorded networks.

    ``fail`` is raised by the next change, after its first step. ``problems`` is what is wrong
    with every document; ``preview`` what it takes to have it run, ``obstacle`` what is in the way
    of that. ``between_steps`` is awaited before each step of a change: a test holds a
    change there, for good at ``never``. ``moving`` is how many networks' figures change; all,
    unless said. ``links`` are the host's own.
    """

    def __init__(self, networks: Sequence[Recorded] = DEMO, *, via: str = "embedded") -> None:
        self.now = NOW
        self.links: tuple[RecordedLink, ...] = LINKS
        self.fail: VnetError | None = None
        self.problems: tuple[Problem, ...] = ()
        self.findings: tuple[Finding, ...] = ()
        self.preview = Preview()
        self.obstacle: VnetError | None = None
        self.cancelled: set[UUID] = set()
        self.between_steps: Callable[[], Awaitable[None]] | None = None
        self.calls: list[str] = []
        self._remembered: set[UUID] = set()
        self.moving = len(networks)
        self.never = asyncio.Event()
        self.closed = False
        self._via = via
        self._networks = {network.info.uuid: network for network in networks}
        self._samples: Hub[Sample] = Hub(newest=True)
        self._events: Hub[Event] = Hub()
        self._checkpoint: tuple[Checkpoint, dict[UUID, Recorded]] | None = None
        self._past: list[Event] = sorted(
            (event for network in networks for event in network.events), key=lambda e: e.time
        )

    # -- what tests do to it ------------------------------------------------------------------

    def replace_flows(self, uuid: UUID, flows: tuple[Flow, ...]) -> None:
        """These are the connections of a network from now on."""
        self._networks[uuid] = replace(self._networks[uuid], flows=flows)

    def tick(self) -> None:
        """A second passes: everybody who listens gets a sample."""
        self.now += 1
        self._samples.put(self.sample())
        if self._checkpoint is not None and self.now >= self._checkpoint[0].deadline:
            self._take_back(self._checkpoint[0].id)

    def sample(self) -> Sample:
        """The figures of this moment."""
        return Sample(
            time=self.now,
            networks={
                uuid: network.traffic(self.now if number < self.moving else NOW)
                for number, (uuid, network) in enumerate(self._networks.items())
                if network.info.active
            },
            links={link.name: link.at(self.now) for link in self.links},
        )

    def remembered(self) -> bool:
        """Whether the past of every running network was asked for."""
        running = {uuid for uuid, network in self._networks.items() if network.info.active}
        return running <= self._remembered

    def lose(self, error: Exception) -> None:
        """The connection breaks."""
        self._samples.put(error)
        self._events.put(error)

    def change(self, uuid: UUID, info: NetworkInfo, kind: EventKind, message: str) -> None:
        """Somebody changed a network; everybody hears of it."""
        self._networks[uuid] = replace(self._networks[uuid], info=info)
        self._tell(kind, info, message)

    def _tell(self, kind: EventKind, info: NetworkInfo | None, message: str) -> None:
        event = Event(
            time=datetime.fromtimestamp(self.now, UTC),
            kind=kind,
            network=info.uuid if info else None,
            name=info.name if info else "",
            message=message,
        )
        self._past.append(event)
        self._events.put(event)

    # -- Connection ---------------------------------------------------------------------------

    async def host(self) -> HostInfo:
        return HostInfo(
            name="alpha", via=self._via, firewall="nftables", firewall_reason="the kernel has it"
        )

    async def networks(self) -> tuple[NetworkInfo, ...]:
        infos = (network.info for network in self._networks.values())
        return tuple(sorted(infos, key=lambda info: info.name))

    async def network(self, ref: Ref) -> NetworkInfo:
        return self._find(ref).info

    async def xml(self, ref: Ref, *, inactive: bool = False) -> str:
        xml = self._find(ref).xml
        return xml.replace(' id="1"', "") if inactive else xml

    async def validate(self, xml: str, *, beside: Sequence[str] = ()) -> tuple[Problem, ...]:
        if "<network" not in xml:
            return (Problem(message="there is no <network> in it", line=1), *self.problems)
        if beside:
            others = [other for one in beside if (other := examine(one)[0])]
            network = examine(xml)[0]
            return (*self.problems, *(check_together(network, others) if network else ()))
        return self.problems

    async def warnings(self, ref: Ref) -> tuple[Problem, ...]:
        self._find(ref)
        return tuple(one for one in self.problems if one.severity is Severity.WARNING)

    async def damaged(self) -> tuple[str, ...]:
        return ()

    async def define(self, xml: str, *, replacing: str | None = None) -> NetworkInfo:
        self.calls.append("define")
        problems = await self.validate(xml)
        errors = [problem for problem in problems if problem.severity is Severity.ERROR]
        if errors:
            raise DocumentError("the document is not a network", errors)
        found = re.search(r"<name>(.*?)</name>", xml)
        name = found[1] if found else "unnamed"
        known = next((one for one in self._networks.values() if one.info.name == name), None)
        if replacing is not None and (known is None or replacing != await self._defined(known)):
            raise StateError(f"the definition of {name} was changed since you read it")
        if known is None:
            uuid = recorded.uuid_of(0x8000 + len(self._networks))
            info = NetworkInfo(uuid=uuid, name=name, state=State.DEFINED, mode=Mode.ISOLATED)
            self._networks[uuid] = Recorded(info=info, xml=xml)
        else:
            info = replace(known.info, pending=known.info.active)
            self._networks[info.uuid] = replace(known, info=info, xml=xml)
        self._tell(EventKind.DEFINED, info, "defined")
        return info

    async def _defined(self, network: Recorded) -> str:
        return await self.xml(network.info.uuid, inactive=True)

    async def undefine(self, ref: Ref) -> None:
        network = self._find(ref)
        self.calls.append(f"undefine {network.info.name}")
        if network.info.active:
            info = replace(network.info, persistent=False)
            self._networks[info.uuid] = replace(network, info=info)
        else:
            del self._networks[network.info.uuid]
        self._tell(EventKind.UNDEFINED, network.info, "undefined")

    async def create(self, xml: str, *, on_progress: OnProgress | None = None) -> NetworkInfo:
        info = await self.define(xml)
        (started,) = await self.start([info.uuid], on_progress=on_progress)
        return started

    async def start(
        self, refs: Sequence[Ref], *, on_progress: OnProgress | None = None
    ) -> tuple[NetworkInfo, ...]:
        infos = [self._find(ref).info for ref in refs]
        await self._run("start", infos, on_progress)
        return tuple(self._started(info) for info in infos)

    async def stop(self, refs: Sequence[Ref], *, on_progress: OnProgress | None = None) -> None:
        infos = [self._find(ref).info for ref in refs]
        await self._run("stop", infos, on_progress)
        for info in infos:
            stopped = replace(
                info, state=State.DEFINED, id=None, bridge=None, started=None, note=""
            )
            if info.persistent:
                self._networks[info.uuid] = replace(self._networks[info.uuid], info=stopped)
            else:
                del self._networks[info.uuid]
            self._tell(EventKind.STOPPED, stopped, "stopped")

    async def restart(
        self, refs: Sequence[Ref], *, on_progress: OnProgress | None = None
    ) -> tuple[NetworkInfo, ...]:
        infos = [self._find(ref).info for ref in refs]
        await self._run("restart", infos, on_progress)
        return tuple(self._started(info) for info in infos)

    async def apply(self, ref: Ref, *, on_progress: OnProgress | None = None) -> NetworkInfo:
        info = self._find(ref).info
        await self._run("apply", [info], on_progress)
        applied = replace(info, pending=False)
        self.change(info.uuid, applied, EventKind.EDITED, "brought to its definition")
        return applied

    async def apply_document(
        self, xml: str, *, replacing: str | None = None, on_progress: OnProgress | None = None
    ) -> NetworkInfo:
        found = re.search(r"<name>(.*?)</name>", xml)
        network = self._find(found[1] if found else "")
        if replacing is not None and network.xml != replacing:
            raise StateError(f"{network.info.name} was changed since you read how it runs")
        await self._run("apply_document", [network.info], on_progress)
        self._networks[network.info.uuid] = replace(network, xml=xml)
        self._tell(EventKind.EDITED, network.info, "brought to a document")
        return network.info

    async def plan(self, verb: Verb, refs: Sequence[Ref]) -> Preview:
        plans = [self._find(ref).plan for ref in refs]
        return Preview(steps=tuple(step for plan in plans for step in plan.steps))

    async def plan_document(self, xml: str, *, beside: Sequence[str] = ()) -> Preview:
        if self.obstacle is not None:
            raise self.obstacle
        return self.preview

    async def leases(self, ref: Ref) -> tuple[Lease, ...]:
        return tuple(guest.lease for guest in await self.guests(ref) if guest.lease)

    async def cancel(self, uuids: Sequence[UUID]) -> None:
        self.calls.append("cancel")
        self.cancelled.update(uuids)

    async def set_autostart(self, ref: Ref, on: bool) -> NetworkInfo:
        info = replace(self._find(ref).info, autostart=on)
        self.calls.append(f"autostart {info.name} {on}")
        self.change(info.uuid, info, EventKind.AUTOSTART, f"autostart {'on' if on else 'off'}")
        return info

    async def open_checkpoint(self, confirm_within: float) -> Checkpoint:
        self.calls.append(f"open_checkpoint {confirm_within:g}")
        if self._checkpoint is not None:
            raise StateError(f"a checkpoint is open already: {self._checkpoint[0].id}")
        opened = Checkpoint(
            id="c0ffee01", opened=self.now, deadline=self.now + confirm_within, who="tester"
        )
        self._checkpoint = (opened, dict(self._networks))
        self._tell(EventKind.CHECKPOINT_OPENED, None, "changes are on trial")
        return opened

    async def checkpoint(self) -> Checkpoint | None:
        return self._checkpoint and self._checkpoint[0]

    async def confirm(self, id: str) -> None:
        self._end_checkpoint("confirm", id)
        self._tell(EventKind.CHECKPOINT_CONFIRMED, None, "changes are kept")

    async def roll_back(self, id: str) -> None:
        self._take_back(id)

    def _take_back(self, id: str) -> None:
        self._networks = self._end_checkpoint("roll_back", id)
        self._tell(EventKind.ROLLED_BACK, None, "all is as it was")

    def _end_checkpoint(self, verb: str, id: str) -> dict[UUID, Recorded]:
        self.calls.append(f"{verb} {id}")
        if self._checkpoint is None or self._checkpoint[0].id != id:
            raise NotFoundError(f"there is no checkpoint {id}")
        _, networks = self._checkpoint
        self._checkpoint = None
        return networks

    async def guests(self, ref: Ref) -> tuple[Guest, ...]:
        return self._find(ref).guests

    async def flows(self, ref: Ref, most: int = 200) -> Flows:
        found = self._find(ref).flows
        return Flows(time=self.now, total=len(found), flows=found[:most])

    async def rules(self, ref: Ref) -> tuple[RuleStatus, ...]:
        return self._find(ref).rules

    async def doctor(self, ref: Ref, *, patience: float | None = None) -> tuple[Finding, ...]:
        self._find(ref)
        return self.findings

    async def mend(self, ref: Ref, finding: Finding) -> tuple[Finding, ...]:
        self.calls.append(f"mend {finding.command}")
        if self.fail is not None:
            raise self.fail
        self.findings = tuple(one for one in self.findings if one != finding)
        return self.findings

    async def explain(self, query: Query) -> Explanation:
        # Loaded here, as in the engine: the first picture doesn't wait for the doctor.
        from vnet_tui.engine.doctor.explain import Answer, Explanation
        from vnet_tui.engine.doctor.ours import Decider

        self._find(query.network)
        text = "nobody has anything against it"
        return Explanation(query=query, answer=Answer.YES, decider=Decider.NOBODY, text=text)

    async def suggest_subnet(self, prefix: int = 24, family: int = 4) -> Subnet:
        return ip_network(f"10.77.0.0/{prefix}" if family == 4 else f"fd00:77::/{prefix}")

    async def samples(self, detailed: Sequence[UUID] | None = None) -> AsyncIterator[Sample]:
        async for sample in self._samples.listen():
            yield sample if detailed is None else brief(sample, frozenset(detailed))

    async def history(self, ref: Ref | None, port: str | None = None) -> tuple[HistoryPoint, ...]:
        if ref is None:
            link = next(one for one in self.links if one.name == port)
            return tuple(recorded.points(lambda at: link.at(at).traffic, self.now, 600))
        network = self._find(ref)
        self._remembered.add(network.info.uuid)
        if not network.info.active:
            return ()
        if list(self._networks).index(network.info.uuid) < self.moving:
            return tuple(network.history(self.now, 600, port))
        still = network.traffic(NOW).traffic.rates
        return tuple(
            HistoryPoint(
                time=self.now - 599 + second, in_bits=still.in_bits, out_bits=still.out_bits
            )
            for second in range(600)
        )

    def events(self) -> AsyncIterator[Event]:
        return self._events.listen()

    async def past_events(self, ref: Ref | None = None) -> tuple[Event, ...]:
        if ref is None:
            return tuple(self._past)
        uuid = self._find(ref).info.uuid
        return tuple(event for event in self._past if event.network == uuid)

    async def close(self) -> None:
        self.closed = True

    # -- inside -------------------------------------------------------------------------------

    def _find(self, ref: Ref) -> Recorded:
        for uuid, network in self._networks.items():
            if ref in (uuid, str(uuid), network.info.name, str(network.info.id)):
                return network
        raise NotFoundError(f"no network is called {ref}")

    async def _run(
        self, verb: str, infos: Sequence[NetworkInfo], on_progress: OnProgress | None
    ) -> None:
        self.calls.append(f"{verb} {' '.join(info.name for info in infos)}")
        for done, step in enumerate(STEPS):
            if on_progress is not None:
                on_progress(Progress(done=done, total=len(STEPS), step=step))
            if self.between_steps is not None:
                await self.between_steps()
            if not self.cancelled.isdisjoint(info.uuid for info in infos):
                self.cancelled.clear()
                raise StepFailedError(step, "cancelled by admin", STEPS[:done], [])
            if done == 1 and self.fail is not None:
                error, self.fail = self.fail, None
                raise error

    def _started(self, info: NetworkInfo) -> NetworkInfo:
        started = replace(
            info,
            state=State.ACTIVE,
            id=len(self._networks),
            bridge=info.bridge or f"vnet-{info.name.lower()}",
            started=self.now,
            note="",
        )
        network = self._networks[info.uuid]
        self._networks[info.uuid] = replace(network, info=started)
        self._tell(EventKind.STARTED, started, "started")
        return started


async def _real_time(replay: Replay) -> None:
    """Let a replay run by the clock."""
    while True:
        await asyncio.sleep(1)
        replay.tick()


def main(argv: Sequence[str] | None = None) -> None:
    """Open the interface on a replay."""
    parser = argparse.ArgumentParser(prog="python -m tests.ui.replay", description=__doc__)
    parser.add_argument("--networks", type=int, help="as many made-up networks, not the recorded")
    parser.add_argument("--defined", action="store_true", help="none of them runs")
    parser.add_argument("--moving", type=int, help="so many networks' figures change, not all")
    options = parser.parse_args(argv)

    from vnet_tui.app import VnetApp

    networks = DEMO
    if options.networks is not None:
        networks = recorded.many(options.networks, running=not options.defined)
    replay = Replay(networks)
    replay.between_steps = lambda: asyncio.sleep(0.4)
    if options.moving is not None:
        replay.moving = options.moving
    tickers = set()

    async def connect() -> Connection:
        tickers.add(asyncio.create_task(_real_time(replay)))
        return replay

    VnetApp(connect, clock=lambda: replay.now).run()


if __name__ == "__main__":
    main()
