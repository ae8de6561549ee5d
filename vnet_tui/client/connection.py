"""The one API that all faces use, whatever hosts the engine."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from vnet_tui.engine.errors import Problem
from vnet_tui.engine.network_info import NetworkInfo, Ref, Verb
from vnet_tui.engine.terms import Subnet

if TYPE_CHECKING:
    from vnet_tui.engine.doctor.explain import Explanation, Query
    from vnet_tui.engine.doctor.findings import Finding
    from vnet_tui.engine.views import (
        Checkpoint,
        Event,
        Flows,
        Guest,
        HistoryPoint,
        HostInfo,
        Lease,
        OnProgress as OnProgress,
        Preview,
        RuleStatus,
        Sample,
    )

_VIEWS = (
    *("Checkpoint", "Event", "Flows", "Guest", "HistoryPoint", "HostInfo", "Lease", "OnProgress"),
    *("Preview", "RuleStatus", "Sample"),
)

IMPORTED_LATER = {
    "Explanation": "vnet_tui.engine.doctor.explain",
    "Finding": "vnet_tui.engine.doctor.findings",
    "Query": "vnet_tui.engine.doctor.explain",
    **dict.fromkeys(_VIEWS, "vnet_tui.engine.views"),
}
"""Names in the annotations below that only their own methods need, and the modules that have
them: what speaks to the daemon imports these when it needs them."""


class Connection(Protocol):
    """A manager of virtual networks. All methods raise :class:`~vnet_tui.engine.errors.VnetError`.

    Changes run to their end or are undone, also when the caller is cancelled while they run.
    """

    async def host(self) -> HostInfo:
        """Where this is and what it works with."""

    async def networks(self) -> tuple[NetworkInfo, ...]:
        """All networks, defined and running, by name."""

    async def network(self, ref: Ref) -> NetworkInfo:
        """One network."""

    async def damaged(self) -> tuple[str, ...]:
        """Definitions that couldn't be read when networks were last listed, each with the reason
        and where it was set aside. Cheaper than :meth:`host`, which tells them too."""

    async def xml(self, ref: Ref, *, inactive: bool = False) -> str:
        """Its document: as it runs (with ``id``); as defined when ``inactive`` or not running."""

    async def validate(self, xml: str, *, beside: Sequence[str] = ()) -> tuple[Problem, ...]:
        """Everything wrong with a document, alone, beside the other definitions, and on the host
        as it is now. ``beside`` are documents that are about to be stored, too: they count in
        place of the definitions of their networks."""

    async def warnings(self, ref: Ref) -> tuple[Problem, ...]:
        """What of a definition (of a transient network: of what runs) deserves a look now: rules
        that never decide, names that look like slips, ports that the host itself listens on."""

    async def define(self, xml: str, *, replacing: str | None = None) -> NetworkInfo:
        """Put a definition into the store, new or in place of the one with its UUID or name.

        ``replacing`` is the definition that this one was made from, as :meth:`xml` gave it:
        where somebody stored another one since, StateError is raised and nothing is overwritten.
        A running network goes on as it runs; :meth:`apply` brings it to its definition.
        """

    async def undefine(self, ref: Ref) -> None:
        """Take a definition from the store; a running network goes on as a transient one."""

    async def create(self, xml: str, *, on_progress: OnProgress | None = None) -> NetworkInfo:
        """Start a transient network."""

    async def start(
        self, refs: Sequence[Ref], *, on_progress: OnProgress | None = None
    ) -> tuple[NetworkInfo, ...]:
        """Start defined networks as one batch: all of them run, or none was started."""

    async def stop(self, refs: Sequence[Ref], *, on_progress: OnProgress | None = None) -> None:
        """Stop networks; transient ones are gone then."""

    async def restart(
        self, refs: Sequence[Ref], *, on_progress: OnProgress | None = None
    ) -> tuple[NetworkInfo, ...]:
        """Make networks anew from their definitions; guests' ports are attached again."""

    async def apply(self, ref: Ref, *, on_progress: OnProgress | None = None) -> NetworkInfo:
        """Bring a running network to its definition with the smallest plan."""

    async def apply_document(
        self, xml: str, *, replacing: str | None = None, on_progress: OnProgress | None = None
    ) -> NetworkInfo:
        """Have a running network run as a document says, with the smallest plan.

        The store keeps its definition: the change lasts until the network stops, is restarted, or
        is brought to its definition. ``replacing`` is the document that this one was made from, as
        :meth:`xml` gave it: where it runs otherwise by now, StateError is raised.
        """

    async def plan(self, verb: Verb, refs: Sequence[Ref]) -> Preview:
        """What :meth:`start`, :meth:`stop`, :meth:`restart` or :meth:`apply` would do."""

    async def plan_document(self, xml: str, *, beside: Sequence[str] = ()) -> Preview:
        """What it would take to have a document's network run as it says, whether it runs now or
        not. ``beside`` is as for :meth:`validate`. Raises DocumentError for one that
        :meth:`define` would refuse."""

    async def cancel(self, uuids: Sequence[UUID]) -> None:
        """Have changes under way of any of these networks given up: no further step is begun, what
        was done is undone, and who asked for them gets StepFailedError or StateError. StateError
        here where there is none."""

    async def set_autostart(self, ref: Ref, on: bool) -> NetworkInfo:
        """Whether a network starts by itself with the host."""

    async def open_checkpoint(self, confirm_within: float) -> Checkpoint:
        """From here on changes are on trial: unless :meth:`confirm` is called within so many
        seconds (1 to 86,400), everything is brought back to what it is now.

        Until then only the session that opened it makes changes; those of others raise StateError.
        The deadline holds whatever becomes of the client and of the engine, over a reboot too.
        """

    async def checkpoint(self) -> Checkpoint | None:
        """The checkpoint that is open, if one is."""

    async def confirm(self, id: str) -> None:
        """Keep what was changed since a checkpoint was opened. Whoever may change networks may
        do this. Raises NotFoundError for an id that there never was, and StateError for one that
        was confirmed or rolled back, or whose time has run out."""

    async def roll_back(self, id: str) -> None:
        """Bring everything back to what it was when a checkpoint was opened, now.

        Raises what :meth:`confirm` raises, and StepFailedError or another VnetError where it
        can't be done yet; then it is tried again by itself.
        """

    async def guests(self, ref: Ref) -> tuple[Guest, ...]:
        """Who is on a running network, and which reservations wait for their guest."""

    async def leases(self, ref: Ref) -> tuple[Lease, ...]:
        """Every lease of a network that dnsmasq keeps, by address."""

    async def flows(self, ref: Ref, most: int = 200) -> Flows:
        """The connections of a running network's guests beyond it, the ``most`` busiest.

        Rates are those since the question before, if that is a second or a few ago. The first
        question makes the kernel count; what connections carried before isn't known.
        """

    async def rules(self, ref: Ref) -> tuple[RuleStatus, ...]:
        """The forwarding rules in document order, incoming first."""

    async def doctor(self, ref: Ref, *, patience: float | None = None) -> tuple[Finding, ...]:
        """What on the host stands in a running network's way, worst first; empty: all is well.

        ``patience`` is how many seconds to wait for other DHCP servers on its bridge.
        """

    async def mend(self, ref: Ref, finding: Finding) -> tuple[Finding, ...]:
        """Run the commands of one of :meth:`doctor`'s findings, and tell what he finds then.

        Only what the doctor himself says now is run: StateError where he doesn't find that any
        more, or knows no command for it. DriverError tells what a command said.
        """

    async def explain(self, query: Query) -> Explanation:
        """Whether one machine reaches another over a running network, and who decides that."""

    async def suggest_subnet(self, prefix: int = 24, family: int = 4) -> Subnet:
        """A private subnet that nothing on the host uses."""

    def samples(self, detailed: Sequence[UUID] | None = None) -> AsyncIterator[Sample]:
        """Statistics, once a second while somebody listens. The ports, rules and guests of some
        networks only, if those are named, else of all: of thousands they are megabytes."""

    async def history(self, ref: Ref | None, port: str | None = None) -> tuple[HistoryPoint, ...]:
        """The last ten minutes of a network or of one of its ports, oldest first; without a
        network, of the host's own link of that name (:attr:`Sample.links`)."""

    def events(self) -> AsyncIterator[Event]:
        """What happens from now on."""

    async def past_events(self, ref: Ref | None = None) -> tuple[Event, ...]:
        """What happened, oldest first, as far back as is kept."""

    async def close(self) -> None:
        """Let go; running networks go on."""
