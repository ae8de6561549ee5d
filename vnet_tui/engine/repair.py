"""Looking at the host when something happened to it, and mending what others changed of ours.

Every engine that watches looks; the one that guards the host (:mod:`vnet_tui.engine.guard`) tells
of what it finds and mends it, unless it was made to report only.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from uuid import UUID

from vnet_tui.engine import audit
from vnet_tui.engine.backoff import Backoff
from vnet_tui.engine.describe import describe
from vnet_tui.engine.desired import Desired
from vnet_tui.engine.drift import Drift, Subject, enumerated, symptoms
from vnet_tui.engine.errors import VnetError
from vnet_tui.engine.events import EventBus
from vnet_tui.engine.guard import Guard
from vnet_tui.engine.observe import Part
from vnet_tui.engine.text import printable
from vnet_tui.engine.upkeep import Looked, Lost, Upkeep
from vnet_tui.engine.views import EventKind, NetworkInfo, State

SETTLE_SECONDS = 0.2
"""How long to let the host come to rest after something happened: what is done to a hundred
networks at once is looked at, and mended, once."""

RELIEVE_SECONDS = 5.0
"""How often an engine that leaves mending to another looks whether that one is still there."""


@dataclass(slots=True)
class _Case:
    """A subject that isn't right: what of it, whether that was told, and why it was last told that
    it was given up for a while (empty: because others undo it)."""

    what: str
    told: bool = False
    given_up: str | None = None


class Repair:
    """The state of what runs, as seen by one engine, and its mending.

    ``lost`` gives the ports that bridges of networks lost; ``looked`` is called after each look.
    """

    def __init__(
        self,
        upkeep: Callable[[], Awaitable[Upkeep]],
        bus: EventBus,
        guard: Guard,
        *,
        mends: bool,
        lost: Lost,
        looked: Callable[[Looked], Awaitable[None]],
    ) -> None:
        self._upkeep = upkeep
        self._bus = bus
        self._guard = guard
        self._mends = mends
        self._lost = lost
        self._on_look = looked
        self._parts = Part(0)
        self._woken = asyncio.Event()
        self._names: Mapping[UUID, str] = {}
        self._cases: dict[Subject, _Case] = {}
        self._backoffs: dict[tuple[Subject, str], Backoff] = {}
        self._unreadable: frozenset[UUID] = frozenset()
        self._unable = Backoff()
        self._complaint = ""

    def disturbed(self, parts: Part) -> None:
        """Something happened to these parts of the host."""
        self._parts |= parts
        self._woken.set()

    def seen(self, info: NetworkInfo) -> NetworkInfo:
        """What is known of a network, with what was seen of it."""
        for subject in (info.uuid, None):
            case = self._cases.get(subject)
            if case is not None and info.active:
                note = f"{case.what}; {self._outlook(subject, info.name)}"
                return replace(info, state=State.DRIFTED, note=note)
        return info

    async def run(self) -> None:
        """Look and mend for ever."""
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), self._due())
            await asyncio.sleep(max(SETTLE_SECONDS if self._parts else 0.0, self._unable.wait()))
            self._woken.clear()
            parts, self._parts = self._parts or Part.ALL, Part(0)
            try:
                await self._look(parts)
            except VnetError as error:
                self._complain(error)
                self.disturbed(parts)
            else:
                self._unable, self._complaint = Backoff(), ""

    def _due(self) -> float | None:
        """Seconds until something has to be looked at even if nothing happens; None: never."""
        if not self._cases or not self._mends:
            return None
        if not self._guard.acts():
            return RELIEVE_SECONDS
        return min(self._backoff(subject).wait() for subject in self._cases)

    async def _look(self, parts: Part) -> None:
        upkeep = await self._upkeep()
        acts = self._guard.acts()
        found = await upkeep.look(
            parts,
            self._choose,
            self._lost,
            recover=acts and self._mends,
        )
        self._account(found)
        if acts:
            for uuid in found.unreadable.keys() - self._unreadable:
                self._tell(EventKind.WARNING, uuid, str(found.unreadable[uuid]))
        self._unreadable = frozenset(found.unreadable)
        self._names = {uuid: one.record.name for uuid, one in found.running.networks.items()}
        await self._on_look(found)

    def _choose(self, running: Desired, drift: Drift) -> Iterable[Subject]:
        """What to mend now. What is new is told here, before it is mended."""
        acts = self._guard.acts()
        self._names = {uuid: one.record.name for uuid, one in running.networks.items()}
        for subject, needed in drift.items():
            case = self._cases.get(subject)
            if case is None:
                case = self._cases[subject] = _Case(symptoms(needed))
                if acts:
                    case.told = True
                    name = self._name(subject)
                    message = f"others changed it: {case.what}; {self._outlook(subject, name)}"
                    self._tell(EventKind.DRIFTED, subject, message)
            case.what = symptoms(needed)
        if not acts or not self._mends:
            return ()
        return [subject for subject in drift if not self._backoff(subject).wait()]

    def _account(self, found: Looked) -> None:
        """Tell what became of it."""
        for subject, done in found.mended.items():
            self._backoff(subject).tried(failed=False)
            if self._cases.pop(subject, None) is not None:
                steps = [describe(step) for step in done]
                audit.log("repair", self._named(subject), steps=steps, by=audit.ITSELF)
                self._tell(EventKind.RECOVERED, subject, f"repaired: {enumerated(steps)}")
        for subject, why in found.failed.items():
            case = self._cases[subject]
            case.what = symptoms(found.drift[subject])
            backoff = self._backoff(subject)
            backoff.tried(failed=bool(why))
            new = case.given_up is None or case.given_up != why
            if backoff.wait() and (new or backoff.longest == 1):
                case.given_up = why
                error = VnetError(why or _undone(backoff))
                audit.log("repair", self._named(subject), error=error, by=audit.ITSELF)
                until = _clock(backoff.wait())
                message = f"gave up repairing until {until}: {error.message}"
                self._tell(EventKind.FAILED, subject, message)
        for subject in self._cases.keys() - found.drift.keys():
            case = self._cases.pop(subject)
            if case.told and (subject is None or subject in found.running.networks):
                self._tell(EventKind.RECOVERED, subject, "is as it should be again")
        for key in [key for key, backoff in self._backoffs.items() if backoff.quiet]:
            del self._backoffs[key]

    def _outlook(self, subject: Subject, name: str) -> str:
        """What becomes of it."""
        if not self._mends:
            return f"vnet network-apply {name or 'of a running network'} mends it"
        backoff, case = self._backoff(subject), self._cases.get(subject)
        if not backoff.wait():
            return "being repaired"
        why = (case and case.given_up) or _undone(backoff)
        return f"{why}; next try at {_clock(backoff.wait())}"

    def _backoff(self, subject: Subject) -> Backoff:
        """That of what is wrong with a subject now; other trouble is mended at once."""
        what = case.what if (case := self._cases.get(subject)) else ""
        return self._backoffs.setdefault((subject, what), Backoff())

    def _complain(self, error: VnetError) -> None:
        """The host can't be looked at: say so once."""
        self._unable.tried(failed=True)
        if error.message != self._complaint:
            self._complaint = error.message
            self._tell(EventKind.WARNING, None, f"can't keep up: {error.message}")

    def _name(self, subject: Subject) -> str:
        return self._names.get(subject, "") if subject else ""

    def _named(self, subject: Subject) -> Mapping[UUID, str]:
        return {subject: self._name(subject)} if subject else {}

    def _tell(self, kind: EventKind, subject: Subject, message: str) -> None:
        self._bus.tell(kind, subject, self._name(subject), printable(message))


def _undone(backoff: Backoff) -> str:
    return f"repaired {backoff.tries} times, and undone"


def _clock(seconds: float) -> str:
    """The time of day that it is in so many seconds."""
    return time.strftime("%H:%M:%S", time.localtime(time.time() + seconds))
