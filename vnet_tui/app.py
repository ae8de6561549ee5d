"""The application: the connection, the running changes, and which screen is shown. Nothing else."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from rich.console import RenderableType
from textual import events
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.binding import BindingType
from textual.command import CommandPalette
from textual.message import Message
from textual.notifications import SeverityLevel
from textual.reactive import var
from textual.screen import Screen

from vnet_tui import actions
from vnet_tui.engine.text import printable
from vnet_tui.feed import Lost
from vnet_tui.screens.networks import NetworksScreen
from vnet_tui.screens.too_small import TooSmallScreen, fits
from vnet_tui.staging import Staging
from vnet_tui.themes import DARK, LIGHT, theme_for
from vnet_tui.widgets.operations import Operation, Requested, Running
from vnet_tui.wire import LeanUpdate, Wire

if TYPE_CHECKING:
    from vnet_tui.client.connection import Connection
    from vnet_tui.engine.views import Progress

Connect = Callable[[], "Awaitable[Connection]"]


class StillPalette(CommandPalette):
    """The command palette with a cursor that doesn't blink: blinking is 2,500 bytes a second."""

    def on_mount(self) -> None:
        """Before the input gets the focus."""
        from textual.widgets import Input

        self.query_one(Input).cursor_blink = False


class VnetApp(Staging):
    """vnet-tui. ``connect`` is awaited beside the first picture, and again after a loss; it must
    leave what blocks to a thread."""

    TITLE = "vnet"
    ENABLE_COMMAND_PALETTE = True
    BINDINGS: ClassVar[list[BindingType]] = [
        actions.KEYS.binding(),
        actions.QUIT.binding(),
        actions.REDRAW.binding(),
        actions.SUSPEND.binding(),
    ]

    operations: var[tuple[Running, ...]] = var(())
    """The changes that are running, oldest first."""

    class Connected(Message):
        """There is a connection."""

        def __init__(self, connection: Connection) -> None:
            super().__init__()
            self.connection = connection

    class Advanced(Message):
        """A change got on."""

        def __init__(self, operation: Operation, progress: Progress) -> None:
            super().__init__()
            self.operation = operation
            self.progress = progress

    class Ended(Message):
        """A change is over; ``error`` is why it didn't come about, if it didn't."""

        def __init__(self, operation: Operation, error: BaseException | None) -> None:
            super().__init__()
            self.operation = operation
            self.error = error

    def __init__(
        self,
        connect: Connect,
        *,
        theme: str | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """``theme`` is chosen for the terminal unless given; ``clock`` tells seconds since 1970."""
        super().__init__()
        self._connect = connect
        self._home = NetworksScreen(clock=clock)
        self._wire = Wire()
        self._failing = False
        self.register_theme(DARK)
        self.register_theme(LIGHT)
        self.theme = theme or theme_for(os.environ)

    def on_mount(self) -> None:
        """Connect while the first picture is painted."""
        self.push_screen(self._home)
        self.app_resume_signal.subscribe(self, lambda _: self._wire.forget())
        if not self.is_headless:
            for number in (signal.SIGTERM, signal.SIGHUP):
                asyncio.get_running_loop().add_signal_handler(number, self._end_for, number)
        self._start_connecting()

    # -- the connection -------------------------------------------------------------------------

    def _start_connecting(self) -> None:
        self.run_worker(self._find_connection(), group="connect", exclusive=True)

    async def _find_connection(self) -> None:
        try:
            connection = await self._connect()
        except Exception as error:
            self.post_message(Lost(error))
        else:
            self.post_message(self.Connected(connection))

    def on_vnet_app_connected(self, message: Connected) -> None:
        """Everything hangs on it."""
        self.connection = message.connection

    def on_lost(self, message: Lost) -> None:
        """Say so once, and offer to connect again; the last picture stays."""
        if self._failing:
            return
        self._failing = True
        from vnet_tui.screens.failure import FailureScreen  # not for the first picture

        lost, self.connection = self.connection, None
        wanted = "The connection is lost" if lost else "No connection"

        async def answered(again: bool | None) -> None:
            self._failing = False
            if lost is not None:
                await lost.close()
            if again:
                self._start_connecting()
            else:
                self.exit()

        screen = FailureScreen(wanted, message.error, again="Connect again", close="Quit")
        self.push_screen(screen, answered)

    # -- changes --------------------------------------------------------------------------------

    def on_requested(self, message: Requested) -> None:
        """Run a change beside everything else, but one at a time of each network."""
        if self.connection is None:
            return
        operation = message.operation
        for running in self.operations:
            if running.operation.networks & operation.networks:
                self.notify(f"Still {running.operation.title}.", severity="warning")
                return
        self.operations = (*self.operations, Running(operation=operation))
        self.run_worker(self._perform(self.connection, operation), group="operations")

    async def _perform(self, connection: Connection, operation: Operation) -> None:
        def advanced(progress: Progress) -> None:
            self.post_message(self.Advanced(operation, progress))

        try:
            await operation.run(connection, advanced)
        except Exception as error:
            self.post_message(self.Ended(operation, error))
        else:
            self.post_message(self.Ended(operation, None))

    def on_vnet_app_advanced(self, message: Advanced) -> None:
        """Keep how far it is."""
        self.operations = tuple(
            replace(running, progress=message.progress)
            if running.operation is message.operation
            else running
            for running in self.operations
        )

    def on_vnet_app_ended(self, message: Ended) -> None:
        """Say how it ended: in passing when it is well, in a dialog when not."""
        operation = message.operation
        self.operations = tuple(
            running for running in self.operations if running.operation is not operation
        )
        if message.error is None:
            self.notify(f"{operation.done}.")
        else:
            from vnet_tui.screens.failure import FailureScreen  # not for the first picture

            self.push_screen(FailureScreen(f"Could not {operation.wanted}", message.error))

    # -- keys -----------------------------------------------------------------------------------

    def action_command_palette(self) -> None:
        """Everything by name."""
        if not isinstance(self.screen, CommandPalette):
            self.push_screen(StillPalette(id="--command-palette"))

    def action_keys(self) -> None:
        """Show or hide all keys."""
        if self.screen.query("HelpPanel"):
            self.action_hide_help_panel()
        else:
            self.action_show_help_panel()

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = False,  # noqa: ARG002 - Textual's signature
    ) -> None:
        """Say something in passing. Networks and guests are named in it: it is never markup."""
        super().notify(
            printable(message), title=title, severity=severity, timeout=timeout, markup=False
        )

    def action_redraw(self) -> None:
        """Write every cell again."""
        self._wire.forget()
        self.screen.refresh()

    def action_leave(self) -> None:
        """Leave; while something is being changed, ask."""
        if not self.operations:
            self.exit()
            return

        from vnet_tui.screens.confirm import ConfirmScreen  # not for the first picture

        def answered(sure: bool | None) -> None:
            if sure:
                self.exit()

        running = ", ".join(running.operation.title for running in self.operations)
        consequences = [f"Still {running}.", "It will be brought to its end, or undone, first."]
        self.push_screen(ConfirmScreen("Quit?", consequences, "Quit"), answered)

    def _end_for(self, number: int) -> None:
        """Leave because of a signal, after what is being changed; a second one ends it at once."""
        for handled in (signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().remove_signal_handler(handled)
        self.exit(return_code=128 + number)

    async def on_unmount(self) -> None:
        """Let the connection go."""
        if self.connection is not None:
            await self.connection.close()

    # -- the terminal ---------------------------------------------------------------------------

    def on_resize(self, event: events.Resize) -> None:
        """A terminal that is too small is told so."""
        shown = isinstance(self.screen, TooSmallScreen)
        if not fits(event.size) and not shown:
            self.push_screen(TooSmallScreen())
        elif fits(event.size) and shown:
            self.pop_screen()

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        """What Textual paints, reduced to what differs."""
        update: RenderableType | None = renderable
        if isinstance(renderable, ChopsUpdate | LayoutUpdate) and self._writes:
            difference = self._wire.difference(renderable, self.size, self.console)
            update = LeanUpdate(difference) if difference else None
        super()._display(screen, update)

    @property
    def _writes(self) -> bool:
        """Whether an update reaches the terminal now, as Textual decides it."""
        return (
            self._running
            and not self._closed
            and not self._batch_count
            and not self.is_headless
            and self._driver is not None
        )
