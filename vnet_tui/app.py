"""The application: the running changes, and which screen is shown. Nothing else."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from math import inf
from typing import TYPE_CHECKING, Any, ClassVar

from rich.console import RenderableType
from textual import events
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.binding import BindingType
from textual.command import CommandPalette, Provider
from textual.message import Message
from textual.notifications import SeverityLevel
from textual.reactive import var
from textual.screen import Screen

from vnet_tui import actions
from vnet_tui.config import Config
from vnet_tui.configured import Configured
from vnet_tui.connecting import AGAIN_AFTER, Connect
from vnet_tui.engine.errors import VnetError
from vnet_tui.engine.text import printable
from vnet_tui.screens.networks import NetworksScreen
from vnet_tui.screens.too_small import TooSmallScreen, fits
from vnet_tui.widgets.operations import Operation, Requested, Running
from vnet_tui.wire import LeanUpdate, Wire

if TYPE_CHECKING:
    from vnet_tui.client.connection import Connection
    from vnet_tui.drafts.applying import Warned
    from vnet_tui.engine.views import Progress
    from vnet_tui.remembered import Remembered

UNCONFIGURED = Config()

MOST_WARNINGS = 3
"""So many things to look at are told of a change; the editor and ``vnet network-validate`` tell
all."""


class StillPalette(CommandPalette):
    """The command palette with a cursor that doesn't blink: blinking is 2,500 bytes a second."""

    def on_mount(self) -> None:
        """Before the input gets the focus."""
        from textual.widgets import Input

        self.query_one(Input).cursor_blink = False


def _commands() -> type[Provider]:
    """Imported when the palette is opened."""
    from vnet_tui.screens.commands import Commands

    return Commands


class VnetApp(Configured):
    """vnet-tui. It connects beside the first picture."""

    TITLE = "vnet"
    ENABLE_COMMAND_PALETTE = True
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {_commands}
    BINDINGS: ClassVar[list[BindingType]] = [
        *(action.binding() for action in actions.TRIAL_ACTIONS),
        actions.CANCEL.binding(),
        actions.PENDING.binding(),
        actions.UNDO_STAGED.binding(),
        actions.KEYS.binding(),
        actions.JUMP.binding(),
        actions.QUIT.binding(),
        actions.REDRAW.binding(),
        actions.SUSPEND.binding(),
    ]

    operations: var[tuple[Running, ...]] = var(())
    """The changes that are running, oldest first."""

    class Advanced(Message):
        """A change got on."""

        def __init__(self, operation: Operation, progress: Progress) -> None:
            super().__init__()
            self.operation = operation
            self.progress = progress

    class Ended(Message):
        """A change is over; ``error`` is why it didn't come about, if it didn't, and ``warnings``
        what deserves a look if it did."""

        def __init__(
            self,
            operation: Operation,
            error: BaseException | None,
            warnings: Sequence[Warned] = (),
        ) -> None:
            super().__init__()
            self.operation = operation
            self.error = error
            self.warnings = warnings

    def __init__(
        self,
        connect: Connect,
        *,
        theme: str | None = None,
        config: Config = UNCONFIGURED,
        remembered: Remembered | None = None,
        clock: Callable[[], float] = time.time,
        again_after: Sequence[float] = AGAIN_AFTER,
        silence: float = inf,
    ) -> None:
        """``clock`` tells seconds since 1970; the rest is for
        :class:`~vnet_tui.configured.Configured` and :class:`~vnet_tui.connecting.Connecting`."""
        super().__init__(connect, clock=clock, again_after=again_after, silence=silence)
        self._home = NetworksScreen(clock=clock)
        self._wire = Wire()
        self.set_up(config, remembered=remembered, theme=theme or "")

    def on_mount(self) -> None:
        """Connect while the first picture is painted."""
        self.push_screen(self._home)
        self.app_resume_signal.subscribe(self, lambda _: self._wire.forget())
        if not self.is_headless:
            for number in (signal.SIGTERM, signal.SIGHUP):
                asyncio.get_running_loop().add_signal_handler(number, self._end_for, number)
        self.tell_problems()
        self.start_connecting()

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

        warnings: Sequence[Warned] = ()
        try:
            await operation.run(connection, advanced)
            if operation.warns:
                from vnet_tui.drafts.applying import warnings_of

                warnings = await warnings_of(connection, operation.networks)
        except Exception as error:
            self.post_message(self.Ended(operation, error))
        else:
            self.post_message(self.Ended(operation, None, warnings))

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
            if operation.done:
                self.notify(f"{operation.done}.")
            for name, problem in message.warnings[:MOST_WARNINGS]:
                self.notify(f"{name}: {problem}", severity="warning", timeout=20)
        else:
            self.tell_failure(f"Could not {operation.wanted}", message.error)

    def watch_operations(self) -> None:
        """What is being changed can be cancelled."""
        self.screen.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """There is something to cancel while something is being changed."""
        if action == "cancel_change" and not self.operations:
            return False
        return super().check_action(action, parameters)

    def action_cancel_change(self) -> None:
        """Have the changes that run given up; each tells what was undone when it ended."""
        if self.connection is not None:
            self.run_worker(self._cancel(self.connection), group="operations")

    async def _cancel(self, connection: Connection) -> None:
        for running in self.operations:
            try:
                await connection.cancel([*running.operation.networks])
            except VnetError as error:
                self.notify(f"Can't cancel {running.operation.title}: {error}", severity="warning")

    # -- keys -----------------------------------------------------------------------------------

    def action_command_palette(self) -> None:
        """Everything by name."""
        if not isinstance(self.screen, CommandPalette):
            self.push_screen(StillPalette(id="--command-palette"))

    def action_jump(self) -> None:
        """Letters over all places of the screen."""
        from vnet_tui.screens.jump import JumpScreen
        from vnet_tui.widgets.jumping import Place, places

        def chosen(place: Place | None) -> None:
            if place is not None:
                place.go()

        self.push_screen(JumpScreen(places(self.screen)), chosen)

    def action_keys(self) -> None:
        """Show all keys."""
        from vnet_tui.screens.keys import KeysScreen

        if not isinstance(self.screen, KeysScreen):
            self.push_screen(KeysScreen(self.screen))

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
        """Leave; while something is being changed, is on trial or is pending, ask."""
        if not self.operations:
            if not self.ask_before_leaving():
                self.exit()
            return

        from vnet_tui.screens.confirm import ConfirmScreen  # not for the first picture

        def answered(sure: bool | None) -> None:
            if sure:
                self.exit()

        running = ", ".join(running.operation.title for running in self.operations)
        consequences = [f"Still {running}.", "It will be brought to its end, or undone, first."]
        self.push_screen(ConfirmScreen("Quit?", consequences, "Quit"), answered)

    async def action_quit(self) -> None:
        """What Textual binds to Ctrl+Q loses no more than the key of ours."""
        self.action_leave()

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
