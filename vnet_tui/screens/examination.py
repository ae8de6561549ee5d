"""What the engine thinks of a draft: alone, beside other networks, and on the host as it is."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from vnet_tui.drafts.outlook import problems_of
from vnet_tui.engine.check.report import scalar_line
from vnet_tui.engine.errors import Problem, ProblemsError, Severity, VnetError
from vnet_tui.engine.model import Network
from vnet_tui.engine.views import NetworkInfo, Preview

if TYPE_CHECKING:
    from vnet_tui.client.connection import Connection
    from vnet_tui.drafts.draft import Draft


@dataclass(frozen=True, kw_only=True)
class Examination:
    """What a draft says (``network`` is None where it can't be read), and what is in the way.

    ``problems`` are those of the document; ``obstacles`` only keep it from running on the host as
    that is now. ``preview`` is what a start would do; None where that isn't known.
    """

    draft: Draft
    network: Network | None
    problems: tuple[Problem, ...] = ()
    obstacles: tuple[Problem, ...] = ()
    preview: Preview | None = None

    @cached_property
    def told(self) -> tuple[Problem, ...]:
        """All of them, each once."""
        return tuple(dict.fromkeys((*self.problems, *self.obstacles)))


async def examine(
    draft: Draft, connection: Connection | None, others: Sequence[Draft] = ()
) -> Examination:
    """Look at a draft, beside the ``others`` that are staged; without a connection, alone."""
    network = await asyncio.to_thread(lambda: draft.network)
    problems = draft.problems
    if network is not None and connection is not None:
        with suppress(VnetError):  # it is lost, which is told elsewhere; the next one is asked
            problems = await problems_of(connection, draft, others)
    return Examination(draft=draft, network=network, problems=problems)


async def examine_new(
    draft: Draft,
    connection: Connection | None,
    networks: Iterable[NetworkInfo],
    others: Sequence[Draft],
) -> Examination:
    """Look at the draft of a network that isn't there yet, beside the ``networks`` that are known
    and the ``others`` that are staged, and at what it takes to have it run."""
    found = await examine(draft, connection, others)
    if found.network is None:
        return found
    known = {problem.message for problem in found.problems}
    mine = tuple(one for one in taken(found.network, networks) if one.message not in known)
    found = replace(found, problems=(*mine, *found.problems))
    if connection is None or errors(found.problems):
        return found
    try:
        return replace(found, preview=await connection.plan_document(draft.text))
    except ProblemsError as error:
        return replace(found, obstacles=error.problems)
    except VnetError as error:
        return replace(found, obstacles=(Problem(message=error.message, remedy=error.remedy),))


def errors(problems: Iterable[Problem]) -> list[Problem]:
    """Those that are more than a doubt."""
    return [problem for problem in problems if problem.severity is Severity.ERROR]


def taken(network: Network, networks: Iterable[NetworkInfo]) -> Iterator[Problem]:
    """What is another network's already: a definition with its UUID would replace it."""
    for other in networks:
        if other.name == network.name:
            yield Problem(
                message=f"there is another network named {other.name}",
                remedy="choose another name",
                line=scalar_line(network, "name"),
            )
        if other.uuid == network.uuid:
            yield Problem(
                message=f"this is the UUID of the network {other.name}",
                remedy="delete it, and a new one is made",
                line=scalar_line(network, "uuid"),
            )
