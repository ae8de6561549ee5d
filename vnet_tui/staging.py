"""What the administrator has edited and not applied yet, kept by the application.

A screen that edits posts :class:`Stage` with its draft; whoever shows what is pending watches
``staging_of(self)``, ``"staged"``. Nothing here touches the store or the host.
"""

from __future__ import annotations

from typing import cast
from uuid import UUID

from textual.dom import DOMNode
from textual.message import Message
from textual.reactive import var

from vnet_tui.drafts.draft import Draft
from vnet_tui.drafts.staged import Staged
from vnet_tui.engine.errors import ConnectionLostError
from vnet_tui.feed import Feed


class Stage(Message):
    """A draft is to be kept until it is applied; one that changes nothing any more is dropped."""

    def __init__(self, draft: Draft) -> None:
        super().__init__()
        self.draft = draft


class Drop(Message):
    """What is staged of these networks is to be forgotten."""

    def __init__(self, *uuids: UUID) -> None:
        super().__init__()
        self.uuids = uuids


class Staging(Feed):
    """An application that keeps staged edits."""

    staged: var[Staged] = var(Staged(), init=False)

    async def draft_of(self, uuid: UUID) -> Draft:
        """What is to be edited of a network: its staged draft, or a new one of its definition.

        Raises VnetError where it has no definition.
        """
        if (draft := self.staged.drafts.get(uuid)) is not None:
            return draft
        if self.connection is None:
            raise ConnectionLostError("there is no connection to read the definition from")
        return Draft.of(uuid, await self.connection.xml(uuid, inactive=True))

    def on_stage(self, message: Stage) -> None:
        """Keep it."""
        self.staged = self.staged.stage(message.draft)

    def on_drop(self, message: Drop) -> None:
        """Forget it, until that is undone."""
        self.staged = self.staged.drop(*message.uuids)

    def action_undo_staged(self) -> None:
        """Take back the last edit that was staged, or the last dropping."""
        self.staged = self.staged.undone()


def staging_of(node: DOMNode) -> Staging:
    """The application that a widget is in."""
    return cast("Staging", node.app)
