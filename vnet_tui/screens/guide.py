"""The steps in which a new network is described, one at a time, and its document beside them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import replace
from typing import ClassVar
from uuid import UUID

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical

from vnet_tui import actions
from vnet_tui.drafts.draft import Draft
from vnet_tui.drafts.guide_steps import GuideStep, steps_of
from vnet_tui.engine.errors import Problem
from vnet_tui.engine.model import Network
from vnet_tui.screens.drafting import DraftScreen, unread
from vnet_tui.screens.examination import errors
from vnet_tui.screens.new_network_addresses import AddressesStep
from vnet_tui.screens.new_network_dhcp import DhcpStep
from vnet_tui.screens.new_network_forwarding import ForwardingStep
from vnet_tui.screens.new_network_name import NameStep
from vnet_tui.screens.new_network_review import ReviewStep
from vnet_tui.widgets.editing.document import DocumentEditor
from vnet_tui.widgets.editing.tab import EditorTab, Running
from vnet_tui.widgets.explained import Paragraph, problem_paragraph
from vnet_tui.widgets.fields import Field, TextField
from vnet_tui.widgets.key_line import KeyLine
from vnet_tui.widgets.paragraphs import Paragraphs
from vnet_tui.widgets.progress_line import ProgressLine
from vnet_tui.widgets.step_line import StepLine

MOST = 4
"""So many problems are told below the form; the review and the XML have the others."""

STEPS = tuple(GuideStep)


class GuideScreen(DraftScreen[UUID | None]):
    """Goes from step to step, says what is wrong at which, and goes to the XML and back. What
    becomes of the draft at the end is somebody else's."""

    AUTO_FOCUS = ""  # each step says what gets the keys
    BINDINGS: ClassVar[list[BindingType]] = [
        replace(actions.STEP_BEFORE.binding(), priority=True),
        replace(actions.NEXT_STEP.binding(), priority=True, key_display="enter"),
        *(
            Binding(str(number), f"open_step({number - 1})", show=False)
            for number in range(1, len(STEPS) + 1)
        ),
    ]

    def __init__(self, draft: Draft, network: Network) -> None:
        super().__init__(draft, network, DocumentEditor(id="new-document"))
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
        """Begin at the first step."""
        self.query_one("#new-problems").can_focus = False
        self._document.show_document(self._draft.text)
        self.open_step(GuideStep.NAME)

    @property
    def form(self) -> EditorTab:
        """The open step."""
        return self._tabs[self._opened]

    @property
    def settled(self) -> bool:
        """Whether the engine has said what it thinks of the draft as it is."""
        return self._examination.draft is self._draft and self._examination.network is not None

    @abstractmethod
    def finish(self) -> None:
        """Enter was pressed at the review."""

    def examined(self) -> None:
        """After XML that couldn't be read, the keys go to the form again."""
        if self._waited is not self.broken:
            self._waited = self.broken
            self._focus_inside()

    # -- what is wrong --------------------------------------------------------------------------

    def show(self) -> None:
        """The open step, and what is wrong where."""
        if self._network is not None:
            self.form.show(self._network, self.problems, Running())
        if self._opened is GuideStep.REVIEW:
            preview = self._examination.preview if self.settled else None
            self._review.tell(self._draft.text, preview, beside=self.wide)
        self._mark()
        problems = self._problems_at(self._opened)
        shown = [problem_paragraph(problem) for problem in problems[:MOST]]
        if len(problems) > MOST:
            shown.append(Paragraph("", f"and {len(problems) - MOST} more"))
        if shown != self._told:
            self._told = shown
            self.call_later(self.query_one("#new-problems", Paragraphs).show, shown)

    def _problems_at(self, step: GuideStep) -> list[Problem]:
        """What is to be told at a step, worst first; at the review, everything."""
        told = self.problems
        network = self._examination.network
        if network is not None and step is not GuideStep.REVIEW:
            told = tuple(one for one in told if step in steps_of(network, one))
        return sorted(told, key=lambda one: one.severity.value)

    def _mark(self) -> None:
        """Mark the steps where something is wrong, also what was typed and is no value."""
        wrong = [
            number
            for number, step in enumerate(STEPS)
            if errors(self._problems_at(step))
            or any(field.problem for field in self._tabs[step].query(TextField))
        ]
        self.query_one(StepLine).tell(STEPS.index(self._opened), wrong)

    def on_field_changed(self, message: Field.Changed) -> None:
        """What was typed may be no value, or one again."""
        message.stop()
        self._mark()

    def stops_at(self, steps: Iterable[GuideStep]) -> bool:
        """Whether a field of these steps can't be read; then the cursor goes there. While the
        document can't, it is what counts."""
        if self.broken:
            return False
        for step in steps:
            if (field := unread(self._tabs[step])) is not None:
                if self._in_xml:
                    self.action_toggle_xml()
                if step is not self._opened:
                    self.open_step(step)
                self._mark()
                self.call_after_refresh(field.control.focus)
                return True
        return False

    # -- steps ----------------------------------------------------------------------------------

    def open_step(self, step: GuideStep) -> None:
        """Show a step, and go into it."""
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
        """Enter goes on, once what was typed can be read."""
        message.stop()
        if self._opened is GuideStep.REVIEW:
            self.finish()
        elif not self.stops_at([self._opened]):
            self.action_next_step()

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
        self.open_step(STEPS[STEPS.index(self._opened) + 1])

    def action_step_before(self) -> None:
        """The step before this one."""
        self.open_step(STEPS[STEPS.index(self._opened) - 1])

    def action_open_step(self, number: int) -> None:
        """Any step."""
        self.open_step(STEPS[number])

    def on_step_line_chosen(self, message: StepLine.Chosen) -> None:
        """A click opens a step."""
        message.stop()
        self.open_step(STEPS[message.number])

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
