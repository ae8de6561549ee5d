"""What the tabs of the editor have in common: they show a network, and post how it is edited."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from textual.containers import Vertical
from textual.message import Message
from textual.widget import Widget

from vnet_tui.drafts.lists import Kind, Place
from vnet_tui.engine.errors import Problem
from vnet_tui.engine.model import Address, Network
from vnet_tui.engine.rule_counters import Count
from vnet_tui.engine.views import RuleStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """What is known of the network as it runs: its rules by key, what each has decided, and which
    addresses are in use. Empty while it doesn't run."""

    active: bool = False
    rules: Mapping[str, RuleStatus] = field(default_factory=dict)
    counts: Mapping[str, Count] = field(default_factory=dict)
    used: Collection[Address] = ()

    def differs(self, other: Running) -> bool:
        """Whether anything but the counters is another value; those change every second."""
        return (
            self.active is not other.active
            or self.rules is not other.rules
            or self.used is not other.used
        )


class Edited(Message):
    """The network is to be another one. ``what`` says how, in a few words; ``goes_on``: it is the
    last edit, a key further; ``at``: what is to be under the cursor then."""

    def __init__(
        self, what: str, network: Network, *, goes_on: bool = False, at: Place | None = None
    ) -> None:
        super().__init__()
        self.what = what
        self.network = network
        self.goes_on = goes_on
        self.at = at


class Wanted(Message):
    """A form is to be opened: for the element at ``place``, or for a new one to be put there."""

    def __init__(self, place: Place, *, new: bool = False) -> None:
        super().__init__()
        self.place = place
        self.new = new


class KindWanted(Message):
    """A new element is to be added: of which of these kinds? ``first`` is the likely one."""

    def __init__(self, kinds: Sequence[Kind], first: Kind) -> None:
        super().__init__()
        self.kinds = tuple(kinds)
        self.first = first


class EditorTab(Vertical):
    """One tab. It is told what to show with :meth:`show`, :meth:`take` and :meth:`tell`."""

    TITLE: ClassVar[str]
    KINDS: ClassVar[tuple[Kind, ...]] = ()
    """What is listed in it."""
    DEFAULT_CSS = "EditorTab { height: 1fr; display: none; } EditorTab.-open { display: block; }"

    network: Network | None = None
    running: Running = Running()
    problems: Sequence[Problem] = ()
    _worst: Mapping[int, Problem] = {}

    @property
    @abstractmethod
    def focus_target(self) -> Widget | None:
        """What the keys go to when the tab is opened."""

    @property
    def line(self) -> int:
        """The line of the document with what the keys go to, counted from 1; 0: there is none."""
        return 0

    @abstractmethod
    def draw(self) -> None:
        """Show the network, what is wrong with it, and what is known of it as it runs."""

    def show(self, network: Network, problems: Sequence[Problem], running: Running) -> None:
        """Show these; what is the same as before costs nothing."""
        before = self.running
        another = network is not self.network or problems is not self.problems
        if problems is not self.problems:
            by_severity = sorted(problems, key=lambda one: one.severity.value, reverse=True)
            self._worst = {one.line: one for one in by_severity}
        self.network, self.problems, self.running = network, problems, running
        if another or running.differs(before):
            self.draw()
        elif running.counts is not before.counts:
            self.count()

    def count(self) -> None:
        """Show what was counted since; nothing, where nothing is counted."""

    def move_to(self, place: Place) -> None:
        """Put the cursor on an element, once it is shown."""

    def problem_at(self, place: Place) -> Problem | None:
        """The worst that is wrong at the line of an element that is there."""
        line = place.line(self.network) if self.network else 0
        return self._worst.get(line) if line else None
