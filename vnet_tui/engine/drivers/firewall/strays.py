"""Datagrams that would go on where they went before a forward led them elsewhere.

Rules decide of the first packet of a connection, and for UDP the kernel takes for one connection
whatever keeps coming from one port: a sender who doesn't pause would never get to a guest that has
another address by now, or to one for whom its forward had waited.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Sequence

from vnet_tui.engine.alike import alike
from vnet_tui.engine.drivers.datagrams import Strays, forget_datagrams
from vnet_tui.engine.drivers.firewall.around import Around
from vnet_tui.engine.drivers.firewall.protocol import FirewallDriver
from vnet_tui.engine.model import Protocol
from vnet_tui.engine.resources import Forward, NetworkRules, PolicyRule
from vnet_tui.engine.steps import SetFirewall

GATHER_SECONDS = 1.0
"""How long edits are gathered: looking through a kernel's connections takes it 10 to 30 ms, however
few there are."""


def strays(step: SetFirewall) -> tuple[Strays, Strays]:
    """The ports that a change leads to other addresses of their guests, or to any for the first
    time; and those that it leads elsewhere because the rules were edited.

    Connections go on when a forward is edited: only one that says the same as before has a guest
    who left an address.
    """
    moved, edited = Strays(), Strays()
    for uuid, now in step.after.networks.items():
        known = step.before.networks.get(uuid)
        anew = step.rewrite or known is None
        gone, come = map(_datagrams, _differing(known, now, anew=anew))
        for key in gone | come:
            found = moved if anew or (key in gone and key in come) else edited
            _add(found, gone.get(key), come.get(key), anew=anew)
    return moved, edited


def _add(found: Strays, was: Forward | None, now: Forward | None, *, anew: bool) -> None:
    """A forward as it was and as it is; with ``anew`` though it is the same."""
    both = [one for one in (was, now) if one is not None]
    old, new = (one.guests if one is not None else frozenset() for one in (was, now))
    if changed := old | new if anew else old ^ new:
        found.ports.append(both[0].ports)
        found.left |= old - new if len(both) > 1 else frozenset()
        found.there |= new
        found.versions |= {address.version for address in changed}


def _differing(
    was: NetworkRules | None, now: NetworkRules, *, anew: bool
) -> tuple[Sequence[PolicyRule | Forward], Sequence[PolicyRule | Forward]]:
    """What goes of incoming rules and what comes; all of them, where they are written ``anew``."""
    old: tuple[PolicyRule | Forward, ...] = was.incoming.rules if was is not None else ()
    new = now.incoming.rules
    first, last = (0, 0) if anew else alike(old, new)
    return old[first : len(old) - last], new[first : len(new) - last]


def _datagrams(rules: Iterable[PolicyRule | Forward]) -> dict[str, Forward]:
    """The forwards among rules that are for UDP, too, by their keys."""
    return {
        rule.key: rule
        for rule in rules
        if isinstance(rule, Forward) and rule.protocol is not Protocol.TCP
    }


class Following(Around):
    """A driver after whose changes datagrams go where they are led now, those of senders too who
    don't pause.

    They follow guests at once, and edits soon. Where the kernel can't be asked to forget a flow, it
    ends as others do: when nothing was sent for a while.
    """

    def __init__(self, driver: FirewallDriver) -> None:
        super().__init__(driver)
        self._edited = Strays()
        self._later: asyncio.Task[None] | None = None

    async def set(self, step: SetFirewall) -> None:
        """The change, and what follows from it."""
        await self._driver.set(step)
        moved, edited = strays(step)
        await _forget(moved)
        if edited.versions:
            self._edited.ports += edited.ports
            self._edited.there |= edited.there
            self._edited.versions |= edited.versions
            if self._later is None:
                self._later = asyncio.create_task(self._after_a_while())

    async def close(self) -> None:
        """Do what was left for later, and close the driver; rules stay."""
        if self._later is not None:
            self._later.cancel()
            await self._forget_edited()
        await super().close()

    async def _after_a_while(self) -> None:
        await asyncio.sleep(GATHER_SECONDS)
        await self._forget_edited()

    async def _forget_edited(self) -> None:
        found, self._edited, self._later = self._edited, Strays(), None
        await _forget(found)


async def _forget(found: Strays) -> None:
    if found.versions:
        with contextlib.suppress(OSError):
            await asyncio.to_thread(forget_datagrams, found)
