"""How the connection comes about, and comes back after a loss.

The first one is explained in a dialog when it fails: then there is something to mend. One that is
lost is sought again and again, later each time; meanwhile the last picture stays, greyed, a line on
every screen says what is going on, and what is staged stays staged.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from math import inf
from typing import TYPE_CHECKING, Any, ClassVar

from textual.binding import BindingType
from textual.message import Message
from textual.reactive import var
from textual.screen import ModalScreen, Screen, SystemModalScreen

from vnet_tui import actions
from vnet_tui.applying import Applying
from vnet_tui.engine.errors import NotPermittedError
from vnet_tui.feed import Feed, Lost
from vnet_tui.roles import greyed_css

if TYPE_CHECKING:
    from vnet_tui.client.connection import Connection

Connect = Callable[[], "Awaitable[Connection]"]

AGAIN_AFTER = (1.0, 2.0, 4.0, 8.0, 15.0)
"""Seconds before each try to connect again; the last one counts for all that follow."""

STEADY_SECONDS = 30.0
"""A connection that stood so long begins with the shortest wait when it is lost."""


SILENCE = 4.0
"""Seconds without a sample, of which one comes each second, from which on a line tells."""


class Connecting(Applying):
    """An application that has a connection, or is about to."""

    CSS: ClassVar[str] = greyed_css(
        "Screen.-lost",
        ("LiveTable", "#detail Picture", "StatusLine", "TopologyMap", "#monitor-row"),
    )
    BINDINGS: ClassVar[list[BindingType]] = [actions.REFRESH.binding()]

    trouble: var[str] = var("", init=False)
    """Why there is no connection any more, and when the next try is made; empty: all is well."""

    class Connected(Message):
        """There is a connection."""

        def __init__(self, connection: Connection) -> None:
            super().__init__()
            self.connection = connection

    class Troubled(Message):
        """There still is none."""

        def __init__(self, what: str) -> None:
            super().__init__()
            self.what = what

    def __init__(
        self,
        connect: Connect,
        *,
        clock: Callable[[], float] = time.time,
        again_after: Sequence[float] = AGAIN_AFTER,
        silence: float = inf,
    ) -> None:
        """``connect`` is awaited at first and after each loss; it must leave what blocks to a
        thread. A connection that gives no sample for ``silence`` seconds is told to be silent."""
        super().__init__(clock=clock)
        self._silence = silence
        self._heard = 0.0
        self._silent = False
        self._connect = connect
        self._again_after = again_after
        self._tries = 0
        self._since = 0.0
        self._failing = False
        self._now = asyncio.Event()

    def on_mount(self) -> None:
        """Listen whether anything comes."""
        if self._silence < inf:
            self.set_interval(1, self._listen)

    def start_connecting(self) -> None:
        """Connect, beside everything else."""
        self.run_worker(self._find_connection(), group="connect", exclusive=True)

    async def _find_connection(self) -> None:
        try:
            connection = await self._connect()
        except Exception as error:
            self.post_message(Lost(error))
        else:
            self.post_message(self.Connected(connection))

    def on_connecting_connected(self, message: Connected) -> None:
        """Everything hangs on it."""
        self._since = self._heard = time.monotonic()
        self._silent = False
        self.connection = message.connection
        if self.trouble:
            self.trouble = ""
            self.notify("Connected again.")

    def on_feed_sampled(self, message: Feed.Sampled) -> None:  # noqa: ARG002 - that it came
        """Something came."""
        self._heard = time.monotonic()
        if self._silent:
            self._silent = False
            self.trouble = ""

    def _listen(self) -> None:
        """A daemon that is away is waited for by the connection itself, for a while: what is shown
        is the past meanwhile."""
        quiet = time.monotonic() - self._heard
        if self.connection is not None and self.sample is not None and quiet > self._silence:
            self._silent = True
            self.trouble = f"no word for {quiet:.0f} s; waiting for it"

    async def on_lost(self, message: Lost) -> None:
        """Say so, once, and see that it comes back."""
        self._silent = False
        lost, self.connection = self.connection, None
        if lost is not None:
            self.run_worker(lost.close(), group="closing")
        if self.networks is None:
            self._explain(message.error, was=lost is not None)
        elif lost is not None:
            if time.monotonic() - self._since > STEADY_SECONDS:
                self._tries = 0
            work = self._find_again(message.error)
            self.run_worker(work, group="connect", exclusive=True)

    def on_connecting_troubled(self, message: Troubled) -> None:
        """Keep it."""
        self.trouble = message.what

    async def _find_again(self, reason: BaseException) -> None:
        """Try until it works, or until another is started."""
        while True:
            wait = self._again_after[min(self._tries, len(self._again_after) - 1)]
            self._tries += 1
            when = f"trying again in {wait:.0f} s" if wait >= 1 else "trying again"
            self.post_message(self.Troubled(f"{_in_a_line(reason)}; {when} (f5: now)"))
            self._now.clear()
            with suppress(TimeoutError):  # nobody wanted it earlier
                await asyncio.wait_for(self._now.wait(), wait)
            try:
                connection = await self._connect()
            except Exception as error:
                reason = error
            else:
                self.post_message(self.Connected(connection))
                return

    def ask_again(self) -> None:
        """Ask for everything anew; for the connection, too, if there is none."""
        self._now.set()
        super().ask_again()

    def action_refresh(self) -> None:
        """On screens that have nothing more of their own to ask for."""
        self.ask_again()

    def _explain(self, error: BaseException, *, was: bool) -> None:
        """What is in the way of a connection, in a dialog."""
        if self._failing:
            return
        self._failing = True
        from vnet_tui.screens.failure import FailureScreen  # not for the first picture

        def answered(again: bool | None) -> None:
            self._failing = False
            if again:
                self.start_connecting()
            else:
                self.exit()

        wanted = "The connection is lost" if was else "No connection"
        self.push_screen(
            FailureScreen(wanted, error, again="Connect again", close="Quit"), answered
        )

    def tell_failure(self, wanted: str, error: BaseException) -> None:
        """What didn't come about, in a dialog. Who may not change anything, which the error tells,
        goes on looking, if he likes."""
        from vnet_tui.screens.failure import FailureScreen  # not for the first picture

        def answered(again: bool | None) -> None:
            if again:
                self.read_only = True

        barred = isinstance(error, NotPermittedError) and not self.read_only
        screen = FailureScreen(wanted, error, again="Go on only to look" if barred else "")
        self.push_screen(screen, answered)

    # -- on every screen ------------------------------------------------------------------------

    def watch_trouble(self) -> None:
        """What is live is greyed on every screen, and a line tells why; or no longer."""
        for screen in self.screen_stack:
            self._tell_trouble(screen)

    def push_screen(self, screen: Any, *args: Any, **kwargs: Any) -> Any:
        """As every application does; the trouble is told there, too."""
        pushed = super().push_screen(screen, *args, **kwargs)
        if self.trouble:
            self._tell_trouble(self.screen)
        return pushed

    def _tell_trouble(self, screen: Screen[Any]) -> None:
        from vnet_tui.widgets.lost_line import LostLine  # when something is lost

        if isinstance(screen, ModalScreen | SystemModalScreen):
            return  # what is below it tells
        edits = getattr(screen, "EDITS", False)  # what is edited is no past
        screen.set_class(bool(self.trouble) and not edits, "-lost")
        lines = screen.query(LostLine)
        if not self.trouble:
            lines.remove()
        elif lines:
            lines.first().tell(self.trouble)
        else:
            screen.mount(LostLine(self.trouble))


def _in_a_line(error: BaseException) -> str:
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0]
