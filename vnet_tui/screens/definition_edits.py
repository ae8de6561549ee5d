"""Where edits of a definition begin: the editor, and what a key does to one guest."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from textual.message import Message

from vnet_tui.drafts.draft import Draft
from vnet_tui.engine.errors import StateError, VnetError
from vnet_tui.engine.text import printable
from vnet_tui.engine.views import Guest, NetworkInfo
from vnet_tui.screens.ways import Ways
from vnet_tui.staging import Stage, staging_of

if TYPE_CHECKING:
    from vnet_tui.widgets.guests_pane import GuestsPane

Then = Callable[[Draft], None]


class DefinitionEdits(Ways):
    """A screen with networks, whose definitions can be edited. Nothing is stored: drafts are
    staged."""

    class Drafted(Message):
        """What can be edited of a network, or why nothing can; ``then`` does it."""

        def __init__(self, name: str, draft: Draft | None, error: VnetError | None, then: Then):
            super().__init__()
            self.name = name
            self.draft = draft
            self.error = error
            self.then = then

    def _draft(self, uuid: UUID, name: str, then: Then) -> None:
        """Read what is to be edited, and go on when it is there."""
        self.run_worker(self._read(uuid, name, then), group="drafts")

    async def _read(self, uuid: UUID, name: str, then: Then) -> None:
        try:
            draft = await staging_of(self).draft_of(uuid)
        except VnetError as error:
            self.post_message(self.Drafted(name, None, error, then))
            return
        await asyncio.to_thread(lambda: draft.network)  # the first parsing takes in the parser
        self.post_message(self.Drafted(name, draft, None, then))

    def on_definition_edits_drafted(self, message: Drafted) -> None:
        """Go on, unless the screen was left meanwhile."""
        if message.draft is None:
            self.notify(f"{message.name}: {message.error}", severity="error")
        elif self.is_current:
            try:
                message.then(message.draft)
            except StateError as error:
                self.notify(str(error), severity="warning")

    @property
    def editor_tab(self) -> int:
        """Which tab of the editor suits what is shown here."""
        return 0

    def edit(self, info: NetworkInfo) -> None:
        """Open the editor."""

        def then(draft: Draft) -> None:
            from vnet_tui.screens.editor import EditorScreen  # not for the first picture

            self.app.push_screen(EditorScreen(draft, info, tab=self.editor_tab))

        self._draft(info.uuid, info.name, then)

    def on_guests_pane_keep_wanted(self, message: GuestsPane.KeepWanted) -> None:
        """Reserve the address of a guest."""
        message.stop()
        guest = message.guest

        def then(draft: Draft) -> None:
            from vnet_tui.drafts.guest_edits import kept_address, reserved

            network = draft.network
            if network is None:
                raise StateError(
                    f"the staged edits of {message.info.name} have errors", "mend them"
                )
            after = reserved(network, guest)
            who = guest.name or guest.mac
            what = f"reserve {kept_address(guest)} for {who}"
            self.post_message(Stage(draft.edited(what, after)))
            self.notify(
                f"{kept_address(guest)} is kept for {who}: staged; P shows what is pending."
            )

        self._draft(message.info.uuid, message.info.name, then)

    def on_guests_pane_forward_wanted(self, message: GuestsPane.ForwardWanted) -> None:
        """Ask which port is to lead to a guest."""
        message.stop()

        def then(draft: Draft) -> None:
            self._ask_forward(draft, message.info, message.guest)

        self._draft(message.info.uuid, message.info.name, then)

    def _ask_forward(self, draft: Draft, info: NetworkInfo, guest: Guest) -> None:
        from vnet_tui.drafts.guest_edits import forwarded, named, reserved
        from vnet_tui.engine.model import Action, Network, Protocol, Rule
        from vnet_tui.screens.element import ElementScreen, tidied
        from vnet_tui.widgets.editing.element_fields import FORWARD_FIELDS, GUEST_NAME

        network = draft.network
        if network is None:
            raise StateError(f"the staged edits of {info.name} have errors", "mend them")
        name = named(network, guest)

        def made(values: Mapping[str, Any]) -> Network:
            known = tidied(values)
            called = known.pop("domain", name)
            base = network if name else reserved(network, guest, called)
            return forwarded(base, Rule(action=Action.ALLOW, domain=called, **known))

        def answered(after: Network | None) -> None:
            if after is not None:
                who = name or "the guest"
                self.post_message(Stage(draft.edited(f"forward a port to {who}", after)))
                self.notify(f"A port leads to {who}: staged; P shows what is pending.")

        fields = FORWARD_FIELDS if name else (GUEST_NAME, *FORWARD_FIELDS)
        made(
            {"domain": "guest"}
        )  # where nothing can be forwarded to it, that is said before a form
        title = printable(f"Forward a port of {info.name}'s host to {name or guest.mac}")
        self.app.push_screen(
            ElementScreen(title, fields, {"protocol": Protocol.TCP}, network, made), answered
        )
