"""What applying drafts would do, asked of the engine before it is done."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from vnet_tui.drafts.draft import Draft
from vnet_tui.engine.errors import NotFoundError, Problem, Severity, VnetError
from vnet_tui.engine.views import Disturbance, Preview

if TYPE_CHECKING:
    from vnet_tui.client.connection import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What is known about applying a draft: what is wrong with it beside the other networks and
    drafts, whether its network runs, and the plan (None: there is none, as ``failure`` tells where
    it is known why)."""

    draft: Draft
    active: bool
    problems: tuple[Problem, ...] = ()
    preview: Preview | None = None
    failure: VnetError | None = None

    @property
    def errors(self) -> int:
        """How many problems keep it from being stored."""
        return sum(one.severity is Severity.ERROR for one in self.problems)

    @property
    def warnings(self) -> int:
        """How many only deserve a look."""
        return len(self.problems) - self.errors


async def outlook_of(connection: Connection, draft: Draft, drafts: Iterable[Draft]) -> Outlook:
    """Ask for everything about a draft, which is to be applied together with others of ``drafts``.

    ConnectionLostError and the like pass through.
    """
    others = [other for other in drafts if other.uuid != draft.uuid]
    try:
        active = (await connection.network(draft.uuid)).active
    except NotFoundError:
        active = False
    problems = await problems_of(connection, draft, others)
    outlook = Outlook(draft=draft, active=active, problems=problems)
    if not active or outlook.errors:
        return outlook
    try:
        beside = [other.text for other in others]
        return replace(outlook, preview=await connection.plan_document(draft.text, beside=beside))
    except VnetError as error:
        return replace(outlook, failure=error)


async def problems_of(
    connection: Connection, draft: Draft, others: Sequence[Draft]
) -> tuple[Problem, ...]:
    """Everything wrong with a draft when the others are stored, too; where it collides with one
    of them, that is said."""
    problems = await connection.validate(draft.text, beside=[other.text for other in others])
    colliding = await asyncio.to_thread(_collisions, draft, others)
    return tuple(
        replace(problem, message=f"{problem.message}, as {colliding[problem]} is pending here")
        if problem in colliding
        else problem
        for problem in problems
    )


def _collisions(draft: Draft, others: Iterable[Draft]) -> dict[Problem, str]:
    """The problems that a draft has with others, and the names of those."""
    from vnet_tui.engine.check import check_together  # it and the parser take a moment

    network = draft.network
    return {
        problem: other.name
        for other in others
        if network is not None and other.network is not None
        for problem in check_together(network, [other.network])
    }


def worst(outlooks: Iterable[Outlook]) -> Disturbance:
    """What applying all disturbs at worst."""
    previews = [outlook.preview for outlook in outlooks if outlook.preview is not None]
    return max((preview.disturbs for preview in previews), default=Disturbance.LIVE)
