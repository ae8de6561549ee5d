"""A new network, guided: five steps and its document, two views of one draft."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePath
from typing import TYPE_CHECKING, ClassVar
from uuid import UUID

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
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
from vnet_tui.screens.drafting import TYPING, DraftScreen
from vnet_tui.screens.examination import Examination, errors, examine_new
from vnet_tui.screens.new_network_addresses import CHOOSE, AddressesStep
from vnet_tui.screens.new_network_dhcp import DhcpStep
from vnet_tui.screens.new_network_forwarding import ForwardingStep
from vnet_tui.screens.new_network_name import NameStep
from vnet_tui.screens.new_network_review import How, ReviewStep
from vnet_tui.staging import Stage, staging_of
from vnet_tui.widgets.editing.document import DocumentEditor
from vnet_tui.widgets.editing.settings import Settings
from vnet_tui.widgets.editing.tab import EditorTab, Running
from vnet_tui.widgets.explained import Paragraph, problem_paragraph
from vnet_tui.widgets.fields import Field, TextField
from vnet_tui.widgets.key_line import KeyLine
from vnet_tui.widgets.operations import Operation, Requested
from vnet_tui.widgets.paragraphs import Paragraphs
from vnet_tui.widgets.progress_line import ProgressLine
from vnet_tui.widgets.step_line import StepLine

if TYPE_CHECKING:
    from vnet_tui.client.connection import Connection, OnProgress
    from vnet_tui.engine.views import NetworkInfo

MOST = 4
"""So many problems are told below the form; the review and the XML have the others."""

STEPS = tuple(GuideStep)


class NewNetworkScreen(DraftScreen[UUID | None]):
    """Gives the UUID of the network that was created; None when it was left, or staged."""

    HELP = """\
# New network

**Enter** goes on to the next step, **PgUp** and **PgDn** go back and forth: nothing that was typed
gets lost. **↑** and **↓** go from field to field, **←** and **→** choose. In a list **+** adds,
**Enter** changes, **Delete** removes.

**F2** goes to the XML, and back: form and XML are two views of one thing. **Ctrl+S** keeps the
network among the pending changes.
"""
    AUTO_FOCUS = ""  # each step says what gets the keys
    CSS_PATH: ClassVar[list[str | PurePath]] = [
        style_sheet(name) for name in ("app", "new_network")
    ]
    BINDINGS: ClassVar[list[BindingType]] = [
        replace(actions.STEP_BEFORE.binding(), priority=True),
        replace(actions.NEXT_STEP.binding(), priority=True, key_display="enter"),
        *(action.binding() for action in actions.GUIDE_ACTIONS),
        *(
            Binding(str(number), f"open_step({number - 1})", show=False)
            for number in range(1, len(STEPS) + 1)
        ),
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
        document = DocumentEditor(id="new-document")
        super().__init__(draft, replace(network, uuid=draft.uuid), document)
        self._wanted: How | None = None
        self._opened = GuideStep.NAME
        self._in_xml = False
        self._waited = False
        self._told: list[Paragraph] = []
        self._review = ReviewStep()
        self._tabs: dict[GuideStep, EditorTab] = {
            GuideStep.NAME: NameStep(),
            GuideStep.ADDRESSES: AddressesStep(),
            GuideStep.DHCP: DhcpStep(),
            GuideStep.FORWARDING: ForwardingStep(),
            GuideStep.REVIEW: self._review,
        }

    def compose(self) -> ComposeResult:
        """Steps, the form of one and the document beside it, what is wrong, keys."""
        yield StepLine("New network", STEPS)
        with Horizontal(id="new-body"):
            with Vertical(id="new-form"):
                yield from self._tabs.values()
                yield Paragraphs(id="new-problems")
            yield self._document
        yield KeyLine()
        yield ProgressLine()

    def on_mount(self) -> None:
        """Begin with what works; a subnet is being found meanwhile."""
        self.query_one("#new-problems").can_focus = False
        self._document.show_document(self._draft.text)
        self._open(GuideStep.NAME)
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

    @property
    def form(self) -> EditorTab:
        """The open step."""
        return self._tabs[self._opened]

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
        """Create it, if that was waited for. After XML that couldn't be read, the keys go to the
        form again."""
        if self._waited is not self.broken:
            self._waited = self.broken
            self._focus_inside()
        wanted, self._wanted = self._wanted, None
        if wanted is not None:
            self._create(wanted)

    def _problems_at(self, step: GuideStep) -> list[Problem]:
        """What is to be told at a step, worst first; at the review, everything."""
        told = self.problems
        network = self._examination.network
        if network is not None and step is not GuideStep.REVIEW:
            told = tuple(one for one in told if step in steps_of(network, one))
        return sorted(told, key=lambda one: one.severity.value)

    def show(self) -> None:
        """The open step, and what is wrong where."""
        if self._network is not None:
            self.form.show(self._network, self.problems, Running())
        if self._opened is GuideStep.REVIEW:
            preview = self._examination.preview if self._current else None
            self._review.tell(self._draft.text, preview, beside=self.wide)
        wrong = [n for n, step in enumerate(STEPS) if errors(self._problems_at(step))]
        self.query_one(StepLine).tell(STEPS.index(self._opened), wrong)
        problems = self._problems_at(self._opened)
        shown = [problem_paragraph(problem) for problem in problems[:MOST]]
        if len(problems) > MOST:
            shown.append(Paragraph("", f"and {len(problems) - MOST} more"))
        if shown != self._told:
            self._told = shown
            self.call_later(self.query_one("#new-problems", Paragraphs).show, shown)

    @property
    def _current(self) -> bool:
        """Whether the engine has said what it thinks of the draft as it is."""
        return self._examination.draft is self._draft and self._examination.network is not None

    # -- steps ----------------------------------------------------------------------------------

    def _open(self, step: GuideStep) -> None:
        self._opened = step
        for each, tab in self._tabs.items():
            tab.set_class(each is step, "-open")
        self.open_or_bar()
        self.show()
        self._focus_inside()
        self.refresh_bindings()

    def _focus_inside(self) -> None:
        """What the keys go to: nothing, while the form waits for the XML."""
        target = self._document if self._in_xml else self._tabs[self._opened].focus_target
        waits = self.broken and not self._in_xml
        if waits:
            self.set_focus(None)  # at once: a key more would be typed in the document
        else:
            self.call_after_refresh(self.set_focus, target)

    def on_field_submitted(self, message: Field.Submitted) -> None:
        """Enter goes on, once what was typed can be read; at the end it creates."""
        message.stop()
        if self._opened is GuideStep.REVIEW:
            self._create(self._review.how)
        elif not self._faulty(self._opened):
            self.action_next_step()

    def _faulty(self, step: GuideStep) -> bool:
        """Whether a field of a step can't be read; then that is where the cursor goes."""
        for field in self._tabs[step].query(TextField):
            if field.insist() is not None:
                field.control.focus()
                return True
        return False

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """In the XML, these keys are its own; before the first step and after the last is none."""
        if self._in_xml and action in ("next_step", "step_before", "undo_edit"):
            return False
        if action == "step_before" and self._opened is STEPS[0]:
            return False
        if action == "next_step" and self._opened is STEPS[-1]:
            return False
        return super().check_action(action, parameters)

    def action_next_step(self) -> None:
        """The step after this one."""
        self._open(STEPS[STEPS.index(self._opened) + 1])

    def action_step_before(self) -> None:
        """The step before this one."""
        self._open(STEPS[STEPS.index(self._opened) - 1])

    def action_open_step(self, number: int) -> None:
        """Any step."""
        self._open(STEPS[number])

    def on_step_line_chosen(self, message: StepLine.Chosen) -> None:
        """A click opens a step."""
        message.stop()
        self._open(STEPS[message.number])

    # -- the document ---------------------------------------------------------------------------

    def on_resize(self, event: events.Resize) -> None:  # noqa: ARG002 - Textual's signature
        """The document comes beside the form, or goes."""
        self._lay_out()
        self.show()

    def _lay_out(self) -> None:
        self.query_one("#new-form").display = self.wide or not self._in_xml
        self._document.display = self.wide or self._in_xml

    def action_toggle_xml(self) -> None:
        """To the XML, or back to the form."""
        self._in_xml = not self._in_xml
        self._lay_out()
        self._focus_inside()
        self.refresh_bindings()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """A click, or Tab, leads to the XML and back, too."""
        if self.wide and self._in_xml is not (event.widget is self._document):
            self._in_xml = not self._in_xml
            self.refresh_bindings()

    # -- the end --------------------------------------------------------------------------------

    def _create(self, how: How) -> None:
        """Create it, once the engine has said what it thinks; what is wrong is told at its step."""
        if any(self._faulty_at(step) for step in STEPS):
            return
        if how is How.STAGE:
            self.action_stage()
            return
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

    def _faulty_at(self, step: GuideStep) -> bool:
        faulty = any(field.insist() is not None for field in self._tabs[step].query(TextField))
        if faulty:
            self._open(step)
        return faulty

    def _show_trouble(self, problem: Problem) -> None:
        """Go to the step where a problem is mended, or to its line of the XML."""
        network = self._examination.network
        steps = steps_of(network, problem) - {GuideStep.REVIEW}
        if steps:
            self._open(min(steps, key=STEPS.index))
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
        """Keep it among the pending changes."""
        self.app.post_message(Stage(self._draft))
        self.notify(f"{self._called} is staged; P shows what is pending.")
        self.dismiss(None)

    def action_leave_form(self) -> None:
        """Out of the XML; else out of the form. What was typed isn't thrown away unasked."""
        if self._in_xml:
            self.action_toggle_xml()
            return
        if self._draft.text == self._began.text:
            self.dismiss(None)
            return

        def answered(sure: bool | None) -> None:
            if sure:
                self.dismiss(None)

        name = self._called
        lost = [f"{name} isn't created, and what was typed is gone.", "Ctrl+S stages it instead."]
        self.app.push_screen(ConfirmScreen(f"Throw away {name}?", lost, "Throw away"), answered)
