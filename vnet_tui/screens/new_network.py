"""A new network, guided: it begins with what works, and at the end it is created, or staged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePath
from typing import TYPE_CHECKING, ClassVar
from uuid import UUID

from textual.binding import Binding, BindingType
from textual.message import Message

from vnet_tui import actions
from vnet_tui.assets import style_sheet
from vnet_tui.drafts.creating import define_and_start
from vnet_tui.drafts.draft import Draft
from vnet_tui.drafts.guide_steps import GuideStep, steps_of
from vnet_tui.drafts.guided import PREFIX, first_of, proposed, with_interface
from vnet_tui.engine.errors import Problem, VnetError
from vnet_tui.engine.model import Network, Subnet
from vnet_tui.feed import feed_of
from vnet_tui.screens.confirm import ConfirmScreen
from vnet_tui.screens.drafting import TYPING
from vnet_tui.screens.examination import Examination, errors, examine_new
from vnet_tui.screens.guide import STEPS, GuideScreen
from vnet_tui.screens.new_network_addresses import CHOOSE
from vnet_tui.screens.new_network_review import How
from vnet_tui.staging import Stage, staging_of
from vnet_tui.widgets.editing.settings import Settings
from vnet_tui.widgets.operations import Operation, Requested

if TYPE_CHECKING:
    from vnet_tui.client.connection import Connection, OnProgress
    from vnet_tui.engine.views import NetworkInfo


class NewNetworkScreen(GuideScreen):
    """Gives the UUID of the network that was created; None when it was left, or staged."""

    HELP = """\
# New network

**Enter** goes on to the next step, **PgUp** and **PgDn** go back and forth: nothing that was typed
gets lost. **↑** and **↓** go from field to field, **←** and **→** choose. In a list **+** adds,
**Enter** changes, **Delete** removes.

**F2** goes to the XML, and back: form and XML are two views of one thing. **Ctrl+S** keeps the
network among the pending changes.
"""
    CSS_PATH: ClassVar[list[str | PurePath]] = [
        style_sheet(name) for name in ("app", "new_network")
    ]
    BINDINGS: ClassVar[list[BindingType]] = [
        *(action.binding() for action in actions.GUIDE_ACTIONS),
        Binding("q", "leave_form", "leave", show=False),
    ]

    class Proposed(Message):
        """A subnet that nothing on the host uses."""

        def __init__(self, subnet: Subnet) -> None:
            super().__init__()
            self.subnet = subnet

    class Created(Message):
        """It is there."""

        def __init__(self, uuid: UUID) -> None:
            super().__init__()
            self.uuid = uuid

    def __init__(self, networks: Sequence[NetworkInfo] = ()) -> None:
        """``networks`` are those that are there: the name that is proposed is free."""
        network = proposed({info.name for info in networks})
        draft = Draft.new(network)
        super().__init__(draft, replace(network, uuid=draft.uuid))
        self._wanted: How | None = None

    def on_mount(self) -> None:
        """A subnet is being found meanwhile."""
        self.watch(feed_of(self), "connection", self._follow)

    def _follow(self, connection: Connection | None) -> None:
        """Another connection, or none: whoever is there says what is free and in the way."""
        if connection is not None and self._network is not None and not self._network.ips:
            self.run_worker(self._find_subnet(connection), group="find", exclusive=True)
        self.examine()

    # -- the draft ------------------------------------------------------------------------------

    async def _find_subnet(self, connection: Connection) -> None:
        try:
            self.post_message(self.Proposed(await connection.suggest_subnet(PREFIX[4], 4)))
        except VnetError:
            return  # the second step says how to ask again, and is told why not

    def on_new_network_screen_proposed(self, message: Proposed) -> None:
        """Begin with this subnet, unless somebody was faster. What is being typed comes first."""
        if any(settings.sending for settings in self.query(Settings)):
            self.call_later(self.on_new_network_screen_proposed, message)
            return
        network, what = self._network, CHOOSE.format(4)
        chosen = any(edit.what in (what, TYPING) for edit in self._draft.edits)
        if network is None or network.ips or chosen:
            return
        network = with_interface(network, 4, first_of(message.subnet))
        if self._draft is not self._began:
            self.put(self._draft.edited(what, network), network)
            return
        self.put(Draft.new(network), network)
        self._document.show_document(self._draft.text, mark=False)  # nobody did anything
        self._began = self._draft

    async def judge(self, draft: Draft) -> Examination:
        """Beside all that is there, and with what it takes to have it run."""
        feed = feed_of(self)
        others = staging_of(self).staged.others(draft.uuid)
        return await examine_new(draft, feed.connection, feed.networks or (), others)

    def put(self, draft: Draft, network: Network | None) -> None:
        """What was waited for, was wanted of another draft."""
        if draft is not self._draft:
            self._wanted = None
        super().put(draft, network)

    @property
    def _called(self) -> str:
        return self._network.name if self._network else self._draft.name

    def examined(self) -> None:
        """Create it, if that was waited for."""
        super().examined()
        wanted, self._wanted = self._wanted, None
        if wanted is not None:
            self._create(wanted)

    # -- the end --------------------------------------------------------------------------------

    def finish(self) -> None:
        """Do what was chosen."""
        how = self._review.how
        if how is How.STAGE:
            self.action_stage()
        elif not self.stops_at(STEPS):
            self._create(how)

    def _create(self, how: How) -> None:
        """Create it, once the engine has said what it thinks; what is wrong is told at its step."""
        if self._examination.draft is not self._draft:
            self._wanted = how
            self.examine()
            return
        examination = self._examination
        in_the_way = errors(examination.problems)
        if how.starts:
            in_the_way += examination.obstacles
        if in_the_way:
            self._show_trouble(in_the_way[0])
        elif feed_of(self).connection is None:
            self.notify("There is no connection: Ctrl+S keeps it.", severity="warning")
        else:
            self.post_message(Requested(self._operation(how)))

    def _show_trouble(self, problem: Problem) -> None:
        """Go to the step where a problem is mended, or to its line of the XML."""
        network = self._examination.network
        steps = steps_of(network, problem) - {GuideStep.REVIEW}
        if steps:
            self.open_step(min(steps, key=STEPS.index))
        elif network is None and not self._in_xml:
            self.action_toggle_xml()
            self._document.go_to(problem.line)
        self.notify(problem.message, title="Not created", severity="error")

    def _operation(self, how: How) -> Operation:
        name, text = self._called, self._draft.text

        async def run(connection: Connection, tell: OnProgress) -> None:
            match how:
                case How.TRANSIENT:
                    info = await connection.create(text, on_progress=tell)
                case How.DEFINE:
                    info = await connection.define(text)
                case _:
                    info = await define_and_start(connection, text, on_progress=tell)
            self.post_message(self.Created(info.uuid))

        return Operation(
            word="creating",
            title=f"creating {name}",
            done=f"{name} runs" if how.starts else f"{name} is defined; s starts it",
            wanted=f"create {name}",
            networks=frozenset({self._draft.uuid}),
            run=run,
        )

    def on_new_network_screen_created(self, message: Created) -> None:
        """Done."""
        self.dismiss(message.uuid)

    def action_stage(self) -> None:
        """Keep it among the pending changes, once what was typed can be read."""
        if self.stops_at(STEPS):
            return
        self.app.post_message(Stage(self._draft))
        self.notify(f"{self._called} is staged; P shows what is pending.")
        self.dismiss(None)

    def action_leave_form(self) -> None:
        """Out of the XML; else out of the form. What was typed isn't thrown away unasked."""
        if self._in_xml:
            self.action_toggle_xml()
            return
        if self._draft.text == self._began.text and not self.typed_in_vain:
            self.dismiss(None)
            return

        def answered(sure: bool | None) -> None:
            if sure:
                self.dismiss(None)

        name = self._called
        lost = [f"{name} isn't created, and what was typed is gone.", "Ctrl+S stages it instead."]
        self.app.push_screen(ConfirmScreen(f"Throw away {name}?", lost, "Throw away"), answered)
