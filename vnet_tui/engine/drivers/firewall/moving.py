"""One driver at work, and what others left: a host that is moved from one to the other.

When an engine is started with another driver than before, the old one's rules are still there. They
go with the first change, which such a host always needs: the new driver's rules are put in place
first, so that what is denied is denied by both for a moment, and by none never.
"""

from __future__ import annotations

from dataclasses import replace

from vnet_tui.engine.drivers.firewall.around import Around
from vnet_tui.engine.drivers.firewall.protocol import FirewallDriver
from vnet_tui.engine.errors import ConflictError, DriverError, VnetError
from vnet_tui.engine.resources import FirewallState, Ruleset
from vnet_tui.engine.steps import SetFirewall

NONE = Ruleset(networks={})


class Moving(Around):
    """Is ``driver``, and takes away what the ``others`` installed for the same engine.

    While something of theirs is there the state is not intact, so that a plan writes all anew; and
    it counts as present, so that a plan without networks removes it.
    """

    def __init__(self, driver: FirewallDriver, *others: FirewallDriver) -> None:
        super().__init__(driver)
        self._others = others
        self._alone = False

    async def observe(self) -> FirewallState:
        """What there is of ours, with the driver at work or another."""
        state = await self._driver.observe()
        # Where our rules are as they were left, nobody worked with another driver meanwhile.
        self._alone = self._alone and state.present and state.intact
        if await self._left():
            return replace(state, present=True, intact=False)
        return state

    async def set(self, step: SetFirewall) -> None:
        """The change, and then nothing is left of the others; or neither (DriverError)."""
        left = await self._left()
        if not left:
            await self._driver.set(step)
            return
        was = await self._driver.observe()
        await self._driver.set(replace(step, rewrite=True))
        try:
            for other in left:
                await other.set(SetFirewall(before=step.before, after=NONE))
        except VnetError as error:
            if not was.present:
                await self._driver.set(SetFirewall(before=step.after, after=NONE))
            raise DriverError(
                f"the rules are in place, those of {other.name} can't be removed: {error.message}",
                error.remedy,
            ) from error

    async def close(self) -> None:
        """Close all of them; rules stay."""
        for driver in (self._driver, *self._others):
            await driver.close()

    async def _left(self) -> list[FirewallDriver]:
        """The others that have something installed; another engine's rules are its own affair."""
        if self._alone:
            return []
        found = []
        for other in self._others:
            try:
                if (await other.observe()).present:
                    found.append(other)
            except ConflictError:
                continue
        self._alone = not found
        return found
