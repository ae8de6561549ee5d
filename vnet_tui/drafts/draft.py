"""One definition being edited: as a form's values and as a document, two views of one thing."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from vnet_tui.drafts.wording import Wording

if TYPE_CHECKING:
    from vnet_tui.engine.errors import Problem
    from vnet_tui.engine.model import Network

KEPT_STEPS = 200
"""So many edits of one definition can be undone; older ones stay made."""


@dataclass(frozen=True, slots=True)
class Edit:
    """What was done, in a few words, and the document before it."""

    what: str
    before: Wording


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A definition with the edits made so far.

    ``base`` is the stored document that it was made from, as
    :meth:`~vnet_tui.client.connection.Connection.xml` gave it; None for a network that isn't
    defined yet. Its ``wording`` is the truth: what a person typed may not make sense yet, and is
    kept.
    """

    uuid: UUID
    base: str | None
    wording: Wording
    edits: tuple[Edit, ...] = ()

    @classmethod
    def of(cls, uuid: UUID, base: str) -> Draft:
        """A draft of a definition that is stored."""
        return cls(uuid=uuid, base=base, wording=Wording(base))

    @classmethod
    def new(cls, network: Network) -> Draft:
        """A draft of a network that isn't defined yet; it gets its UUID here."""
        uuid = network.uuid or uuid4()
        wording = Wording(network=replace(network, uuid=uuid))
        return cls(uuid=uuid, base=None, wording=wording)

    @property
    def text(self) -> str:
        """The document. It is written when it is first asked for, which takes its time where it
        is long."""
        return self.wording.text

    @property
    def written(self) -> bool:
        """Whether the text can be had at once."""
        return self.wording.written

    @cached_property
    def _examined(self) -> tuple[Network | None, tuple[Problem, ...]]:
        from vnet_tui.engine.xml import examine  # brings lxml along

        return examine(self.text)

    @property
    def network(self) -> Network | None:
        """What the document says; None where its form is broken."""
        return self._examined[0]

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Everything wrong with the document by itself, by line.

        Beside other networks, :meth:`~vnet_tui.client.connection.Connection.validate` tells.
        """
        return self._examined[1]

    @property
    def name(self) -> str:
        """What its network is called, also while its document is broken."""
        named = self.network or Draft.of(self.uuid, self.base or "").network
        return named.name if named else str(self.uuid)[:8]

    @property
    def changed(self) -> bool:
        """Whether there is anything to store."""
        return self.text != self.base

    def edited(self, what: str, network: Network, *, goes_on: bool = False) -> Draft:
        """The draft with another network in it, as a form makes it; the same UUID stays."""
        return self._with(what, Wording(network=replace(network, uuid=self.uuid)), goes_on)

    def retyped(self, what: str, text: str, *, goes_on: bool = False) -> Draft:
        """The draft with another document; itself where that is the same."""
        return self if text == self.text else self._with(what, Wording(text), goes_on)

    def _with(self, what: str, wording: Wording, goes_on: bool) -> Draft:
        """``goes_on``: this is the same edit as the last one, a key further."""
        if goes_on and self.edits and self.edits[-1].what == what:
            return replace(self, wording=wording)
        edits = (*self.edits, Edit(what, self.wording))[-KEPT_STEPS:]
        return replace(self, wording=wording, edits=edits)

    def undone(self) -> Draft:
        """The draft before its last edit; itself where there is none."""
        if not self.edits:
            return self
        *earlier, last = self.edits
        return replace(self, wording=last.before, edits=tuple(earlier))

    def rebased(self, base: str | None) -> Draft:
        """The same document, as a change of what is stored now; None: nothing is."""
        return replace(self, base=base)

    def difference(self) -> tuple[str, ...]:
        """What would change in the store, as the lines of a unified diff."""
        before = (self.base or "").splitlines()
        lines = difflib.unified_diff(before, self.text.splitlines(), "stored", "edited", n=2)
        return tuple(line.rstrip("\n") for line in lines)
