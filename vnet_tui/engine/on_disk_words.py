"""What is told of definitions that were changed on disk: each of a few, many together."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from uuid import UUID

from vnet_tui.engine.model import Network
from vnet_tui.engine.store import Damage

EACH = 20
"""So many changes that are found together are told one by one: more push out all other events."""

_NAMED = 3
"""So many of the others are named."""

Told = tuple[UUID | None, str, str]
"""The network that an event is about, its name, and the message."""


@dataclass(frozen=True, slots=True)
class Found:
    """A definition before and after somebody changed it, and the network as it runs."""

    uuid: UUID
    before: Network | None
    after: Network | None
    runs: Network | None

    @property
    def name(self) -> str:
        """The network's name, the newest that is known."""
        shown = self.after or self.before or self.runs
        return shown.name if shown else ""

    @property
    def done(self) -> str:
        """What was done to the definition."""
        if self.after is None:
            return "removed from disk"
        return "changed on disk" if self.before else "put on disk"

    def in_words(self) -> str:
        """What was done, and what that means for the network that runs."""
        what = f"its definition was {self.done}"
        if self.runs is None:
            return what
        if self.after is None:
            return f"{what}: the network goes on as a transient one"
        if self.runs == self.after:
            return f"{what}, to what runs"
        return f"{what}: pending, vnet network-apply {self.after.name} puts it into force"


def spoilt(
    one: Damage, stem: str, before: Mapping[UUID, Network], running: Collection[UUID]
) -> Told:
    """What is told of a file that can't be read, which is named ``stem``."""
    try:
        uuid = UUID(stem)
    except ValueError:
        uuid = None
    network = before.get(uuid) if uuid else None
    kept = "" if one.kept == one.path else f"; it was set aside as {one.kept}"
    goes_on = "; the network goes on as a transient one" if uuid in running else ""
    message = f"{one.path} can't be read: {one.reason}{kept}{goes_on}"
    return uuid, network.name if network else "", message


def in_words(found: Collection[Found], spoils: Collection[Told]) -> Iterator[Told]:
    """The events for what was found together."""
    if len(found) <= EACH:
        yield from ((one.uuid, one.name, one.in_words()) for one in found)
    else:
        for done in dict.fromkeys(one.done for one in found):
            yield None, "", _together([one for one in found if one.done == done])
    yield from spoils if len(spoils) <= EACH else [_spoilt_together(spoils)]


def _together(found: list[Found]) -> str:
    running = [one.name for one in found if one.runs is not None and one.runs != one.after]
    some = _some(one.name for one in found)
    message = f"{len(found):,} definitions were {found[0].done}: {some}"
    if not running:
        return message
    if found[0].after is None:
        return f"{message}; of them {len(running):,} go on as transient ones: {_some(running)}"
    pending = f"{len(running):,} are pending until vnet network-apply: {_some(running)}"
    return f"{message}; of them {pending}"


def _spoilt_together(spoils: Collection[Told]) -> Told:
    first = next(iter(spoils))[2]
    return None, "", f"{len(spoils):,} definitions can't be read, the first of them: {first}"


def _some(names: Iterable[str]) -> str:
    named = sorted(names)
    more = len(named) - _NAMED
    return ", ".join(named[:_NAMED]) + (f" and {more:,} more" if more > 0 else "")
