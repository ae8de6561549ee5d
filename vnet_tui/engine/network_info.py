"""What a list tells of a network, apart from the other views: a command that only lists networks
would take as long to import those as for all the rest of its work.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal
from uuid import UUID

from vnet_tui.engine.terms import Interface, Mode

Ref = UUID | str
"""A network by UUID, or as a person names it: name, UUID as text, or runtime id."""


Verb = Literal["start", "stop", "restart", "apply"]
"""What can be asked of networks that are defined."""


class State(StrEnum):
    """The state of a network, one word everywhere."""

    DEFINED = "defined"
    ACTIVE = "active"
    DRIFTED = "drifted"
    DAMAGED = "damaged"


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkInfo:
    """A network in a list. ``id`` and ``bridge`` are None unless it runs.

    ``pending``: the definition in the store is another than the one that runs. ``waiting``: so
    many of its rules wait for their guest. ``note`` says in a
    few words what is remarkable (why drifted, why damaged); empty otherwise.
    """

    uuid: UUID
    name: str
    state: State
    mode: Mode
    id: int | None = None
    title: str = ""
    bridge: str | None = None
    addresses: tuple[Interface, ...] = ()
    persistent: bool = True
    autostart: bool = False
    pending: bool = False
    waiting: int = 0
    started: float | None = None
    note: str = ""

    @property
    def active(self) -> bool:
        """Whether it runs, well or not."""
        return self.state in (State.ACTIVE, State.DRIFTED)

    @property
    def unsettled(self) -> bool:
        """Whether it doesn't run as it is defined: the definition changed, or others changed the
        host. Applying its definition mends both."""
        return self.active and (self.pending or self.state is State.DRIFTED)
