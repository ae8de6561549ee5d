"""What the tabs of one network have in common: they fetch, then show, or tell what failed."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar, Generic, TypeVar
from uuid import UUID

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.reactive import var
from textual.widget import Widget

from vnet_tui.client.connection import Connection
from vnet_tui.engine.errors import VnetError
from vnet_tui.engine.views import NetworkInfo, NetworkTraffic
from vnet_tui.widgets.live_table import Cell
from vnet_tui.widgets.picture import Picture

Data = TypeVar("Data")


class Pane(Vertical, Generic[Data]):
    """One tab of a network.

    Only the visible one is given anything: :meth:`open` when it comes into view and whenever its
    network changed, :meth:`take_sample` once a second.
    """

    TITLE: ClassVar[str]
    SHORT: ClassVar[str] = ""
    """What it is called where there is little room, if not by its title."""

    DETAILED: ClassVar[bool] = False
    """Whether it shows ports, rules or guests of samples."""

    DEFAULT_CSS = """
    Pane > .pane--failure { display: none; padding: 0 1; }
    Pane.-failed > * { display: none; }
    Pane.-failed > .pane--failure { display: block; }
    """

    presented: var[UUID | None] = var(None, init=False)
    """The network that is shown; None before the first answer and after a failure."""

    class Fetched(Message, bubble=False):
        """The answer to a question; ``failure`` is what went wrong, if anything did."""

        def __init__(self, info: NetworkInfo, data: Any, failure: VnetError | None) -> None:
            super().__init__()
            self.info = info
            self.data = data
            self.failure = failure

    def __init__(
        self, connection: Connection, info: NetworkInfo, clock: Callable[[], float]
    ) -> None:
        super().__init__()
        self.connection = connection
        self.info = info
        self.clock = clock
        self._wanted = False
        self._asking = False

    def compose(self) -> ComposeResult:
        """The place for a failure, and what the tab is made of."""
        failure = Picture()
        failure.add_class("pane--failure")
        yield failure
        yield from self.compose_body()

    @abstractmethod
    def compose_body(self) -> ComposeResult:
        """What the tab is made of."""

    @abstractmethod
    async def fetch(self, info: NetworkInfo) -> Data:
        """Ask for what is shown. Runs in a worker and so must not touch widgets."""

    @abstractmethod
    def present(self, data: Data) -> None:
        """Show what was fetched about the network that ``info`` tells of."""

    @property
    def focus_target(self) -> Widget | None:
        """What the keys go to while the tab is open; None: nothing in it needs them."""
        return None

    def open(self, info: NetworkInfo) -> None:
        """Show this network, as it is now. What was shown stays until the answer is there.

        One question is asked at a time: however fast things happen, each answer is shown.
        """
        self.info = info
        self._wanted = True
        if not self._asking:
            self._asking = True
            self.run_worker(self._ask(), group="fetch")

    async def _ask(self) -> None:
        try:
            while self._wanted:
                self._wanted = False
                self.post_message(await self._answer(self.info))
        finally:
            self._asking = False

    async def _answer(self, info: NetworkInfo) -> Fetched:
        try:
            return self.Fetched(info, await self.fetch(info), None)
        except VnetError as error:
            return self.Fetched(info, None, error)

    def on_pane_fetched(self, message: Fetched) -> None:
        """Show the answer, unless it is about a network that is no longer the one shown."""
        if message.info.uuid != self.info.uuid:
            return
        self.set_class(message.failure is not None, "-failed")
        if message.failure is None:
            self.present(message.data)
            self.presented = message.info.uuid
            return
        self.presented = None
        lines = [(Cell(f"✗ {message.failure.message}", "bad"),)]
        if message.failure.remedy:
            lines.append((Cell(f"  {message.failure.remedy}"),))
        self.query_one(".pane--failure", Picture).show(lines)

    def take_sample(self, time: float, traffic: NetworkTraffic | None) -> None:
        """A second went by; None: the network doesn't run, or nothing was told of it yet."""
