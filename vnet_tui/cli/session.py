"""What a command works with: a connection, opened when it is asked for, and where it prints."""

from __future__ import annotations

import os
import select
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar

from vnet_tui.cli.arguments import Arguments
from vnet_tui.cli.documents import Document

if TYPE_CHECKING:
    from vnet_tui.client.connection import Connection
    from vnet_tui.engine.paths import Paths

T = TypeVar("T")

_SPAN = 0.5


class Session:
    """One command's surroundings, or those of all commands of one shell.

    ``documents`` are what the command was given to read, ``received`` the signals that asked it to
    end.
    """

    def __init__(self, shared: Arguments) -> None:
        self.json = shared.flag("json")
        self.quiet = shared.flag("quiet")
        self.documents: Sequence[Document] = ()
        self.received: list[int] = []
        self._shared = shared
        self._connection: Connection | None = None
        self._aside = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        await self.close()

    async def connection(self, *, watch: bool = False) -> Connection:
        """The manager of networks that was asked for; with ``watch``, one that follows the host.

        A person who may not change anything can still look at what an engine without a daemon
        knows. Raises :class:`~vnet_tui.engine.errors.VnetError`.
        """
        if self._connection is None:
            from vnet_tui.client import open as connect

            watch = watch and os.geteuid() == 0
            uri = self._shared.text("connect")
            self._connection = await connect(uri, paths=self.paths, watch=watch)
        return self._connection

    def connect_at_once(self) -> bool:
        """Whether the daemon of this host is what was asked for, and is there: then this session
        asks it without an event loop."""
        from vnet_tui.client import SYSTEM
        from vnet_tui.client.blocking import connect
        from vnet_tui.engine.errors import VnetError

        uri = self._shared.text("connect") or os.environ.get("VNET_URI", "")
        if uri in ("", SYSTEM):
            with suppress(VnetError):
                self._connection = connect(self.paths)
        return self._connection is not None

    @property
    def paths(self) -> Paths:
        """The directories of an engine in this process."""
        from vnet_tui.engine.paths import Paths

        return Paths.choose(self._shared.text("state_dir"), self._shared.text("run_dir"))

    async def close(self) -> None:
        """Let the connection go; the next command opens another one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    @contextmanager
    def also(self, shared: Arguments) -> Iterator[None]:
        """For one command of many, what was given with that one."""
        json, quiet = self.json, self.quiet
        self.json, self.quiet = json or shared.flag("json"), quiet or shared.flag("quiet")
        try:
            yield
        finally:
            self.json, self.quiet = json, quiet

    def tell_extra(self, text: str) -> None:
        """Something for people only."""
        if not self.json and not self.quiet:
            print(text)

    def tell(self, text: str, value: object) -> None:
        """What was done, for people; with ``--json`` the value instead."""
        if self.json:
            self.data(value)
        elif not self.quiet:
            print(text)

    def show(self, text: str, value: object) -> None:
        """What was asked for: the text, or with ``--json`` the value."""
        if self.json:
            self.data(value)
        elif text:
            print(text)

    def data(self, value: object) -> None:
        """A value as JSON."""
        from vnet_tui.cli.plain import document

        print(document(value))

    def line(self, text: str, value: object) -> None:
        """One of many, as it comes: a line of text, or a line of JSON. Seen at once."""
        if self.json:
            from vnet_tui.cli.plain import line

            text = line(value)
        print(text, flush=True)

    def warn(self, text: str) -> None:
        """Something that people should know, beside what was asked for."""
        print(text, file=sys.stderr)

    @property
    def interactive(self) -> bool:
        """Whether somebody sits at a terminal, to be asked."""
        return not self.json and _is_terminal()

    async def aside(self, work: Callable[[], T]) -> T:
        """Let a person do something else at the terminal, in an editor for example: Ctrl-C is meant
        for that meanwhile."""
        import asyncio

        self._aside = True
        try:
            return await asyncio.to_thread(work)
        finally:
            self._aside = False

    async def answer(self, prompt: str, seconds: float | None = None) -> str | None:
        """A line that a person types, empty at the end of input; None if none comes in time."""
        import asyncio

        print(prompt, end="", flush=True)
        deadline = None if seconds is None else time.monotonic() + seconds
        while deadline is None or time.monotonic() < deadline:
            # In short spans: a thread that waits can't be cancelled.
            if await asyncio.to_thread(_readable, _SPAN):
                return sys.stdin.readline()
        return None

    @asynccontextmanager
    async def ended_in_order(self) -> AsyncIterator[None]:
        """Let signals that end programs cancel this task, which lets a change come to its end.

        The second one has its usual effect; the next engine then ends what was begun. ``received``
        gets the number of the first.
        """
        import asyncio

        task, loop = asyncio.current_task(), asyncio.get_running_loop()
        self.received = []
        numbers = [
            number
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
            if signal.getsignal(number) is not signal.SIG_IGN  # nohup, or the background of a shell
        ]

        def forget() -> None:
            for number in numbers:
                loop.remove_signal_handler(number)

        def end(number: int) -> None:
            if self._aside and number == signal.SIGINT:
                return
            self.received.append(number)
            forget()
            if task is not None:
                task.cancel()

        for number in numbers:
            loop.add_signal_handler(number, end, number)
        try:
            yield
        finally:
            forget()


def _readable(seconds: float) -> bool:
    return bool(select.select([sys.stdin], [], [], seconds)[0])


def _is_terminal() -> bool:
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout))
