"""All the drafts of one administrator, between editing and applying."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from uuid import UUID

from vnet_tui.drafts.draft import Draft

KEPT_STEPS = 200
"""So many changes of what is staged can be undone."""


@dataclass(frozen=True, kw_only=True)
class Staged:
    """The staged drafts by network, in the order in which they were begun, and what there was
    before each change, so that the last one can be undone."""

    drafts: Mapping[UUID, Draft] = field(default_factory=dict)
    past: tuple[Mapping[UUID, Draft], ...] = ()

    def __len__(self) -> int:
        return len(self.drafts)

    def stage(self, draft: Draft) -> Staged:
        """With this draft in the place of the network's earlier one; one that changes nothing any
        more is taken out."""
        drafts = {**self.drafts, draft.uuid: draft}
        if not draft.changed:
            del drafts[draft.uuid]
        return self._with(drafts)

    def drop(self, *uuids: UUID) -> Staged:
        """Without the drafts of these networks."""
        rest = {uuid: draft for uuid, draft in self.drafts.items() if uuid not in uuids}
        return self._with(rest)

    def applied(self, *uuids: UUID) -> Staged:
        """Without these drafts for good: what was stored isn't undone by a key."""
        rest = {uuid: draft for uuid, draft in self.drafts.items() if uuid not in uuids}
        past = ({u: d for u, d in step.items() if u not in uuids} for step in self.past)
        return Staged(drafts=rest, past=tuple(step for step in past if step != rest))

    def undone(self) -> Staged:
        """As before the last staging or dropping; itself where there is none."""
        if not self.past:
            return self
        *earlier, last = self.past
        return Staged(drafts=last, past=tuple(earlier))

    def others(self, uuid: UUID) -> tuple[Draft, ...]:
        """The drafts of all other networks."""
        return tuple(draft for draft in self.drafts.values() if draft.uuid != uuid)

    def forgotten(self) -> tuple[tuple[Draft, int], ...]:
        """The drafts that :meth:`undone` takes edits from for good, and how many those are."""
        earlier = self.past[-1] if self.past else self.drafts
        counts = (
            (draft, len(draft.edits) - len(before.edits if before is not None else ()))
            for uuid, draft in self.drafts.items()
            if (before := earlier.get(uuid)) is not draft
        )
        return tuple((draft, max(1, count)) for draft, count in counts)

    def _with(self, drafts: Mapping[UUID, Draft]) -> Staged:
        if drafts == self.drafts:
            return self
        return replace(self, drafts=drafts, past=(*self.past, self.drafts)[-KEPT_STEPS:])
