"""What can be done to a network, by key and by palette, on every screen that shows one."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType

from vnet_tui import actions
from vnet_tui.engine.views import NetworkInfo
from vnet_tui.feed import feed_of
from vnet_tui.screens.definition_edits import DefinitionEdits
from vnet_tui.widgets import operations
from vnet_tui.widgets.operations import Operation, Requested

ACTIONS_ON_NETWORKS = frozenset(
    action.id.replace("-", "_") for action in (*actions.NETWORK_ACTIONS, *actions.LIST_ACTIONS)
)


class NetworkActions(DefinitionEdits):
    """A screen whose keys act on :attr:`selected`, and whose palette on any network."""

    BINDINGS: ClassVar[list[BindingType]] = [
        action.binding() for action in actions.NETWORK_ACTIONS if action is not actions.OPEN
    ]

    @property
    @abstractmethod
    def selected(self) -> NetworkInfo | None:
        """The network that keys act on."""

    @property
    def selection(self) -> Sequence[NetworkInfo]:
        """The networks that starting and stopping act on."""
        return (self.selected,) if self.selected else ()

    @property
    @abstractmethod
    def offered(self) -> Sequence[NetworkInfo]:
        """The networks that are shown."""

    @abstractmethod
    def compose(self) -> ComposeResult:
        """What is on the screen."""

    @abstractmethod
    def open_network(self, info: NetworkInfo) -> None:
        """Show everything about a network."""

    def guests_on(self, info: NetworkInfo) -> int:
        """How many guests would lose a network: its ports, as the last sample counted them; 0 where
        that isn't known."""
        sample = feed_of(self).sample
        figures = sample.networks.get(info.uuid) if sample else None
        return figures.port_count if figures else 0

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Without any network, keys that act on one are not offered."""
        if not self.offered and action in ACTIONS_ON_NETWORKS:
            return False
        return super().check_action(action, parameters)

    def perform(self, action: str, info: NetworkInfo) -> None:
        """Do one of :data:`~vnet_tui.actions.NETWORK_ACTIONS`, by id, to a network.

        What the network's state forbids is answered with the reason; what disturbs is asked first.
        """
        match action:
            case actions.OPEN.id:
                self.open_network(info)
            case actions.EDIT.id:
                if self._when(info.persistent, info, "has no definition: it is transient"):
                    self.edit(info)
            case actions.START.id:
                self._start([info])
            case actions.STOP.id:
                self._stop([info])
            case actions.RESTART.id:
                self._restart([info])
            case actions.APPLY.id:
                if self._when(info.active, info, "doesn't run"):
                    reason = "runs as it is defined"
                    self._when(info.unsettled, info, reason, operations.apply(info))
            case actions.DOCTOR.id:
                if self._when(info.active, info, "doesn't run: there is nothing to examine"):
                    self._ask_doctor(info)
            case actions.EXPLAIN.id:
                if self._when(info.active, info, "doesn't run: nobody reaches anybody"):
                    self._explain(info)
            case actions.UNDEFINE.id:
                if self._when(info.persistent, info, "has no definition"):
                    self._undefine(info)
            case actions.AUTOSTART.id:
                self._when(
                    info.persistent,
                    info,
                    "is transient: only a defined network can start with the host",
                    operations.toggle_autostart(info),
                )

    def _when(
        self, possible: bool, info: NetworkInfo, reason: str, operation: Operation | None = None
    ) -> bool:
        """Ask for the operation if it is possible, else say why not."""
        if not possible:
            self.notify(f"{info.name} {reason}.", severity="warning")
        elif operation is not None:
            self.post_message(Requested(operation))
        return possible

    def _start(self, infos: Sequence[NetworkInfo]) -> None:
        idle = [info for info in infos if not info.active]
        if idle:
            self.post_message(Requested(operations.start(*idle)))
        else:
            self._refuse(infos, "runs already", "run already")

    def _stop(self, infos: Sequence[NetworkInfo]) -> None:
        running = [info for info in infos if info.active]
        if not running:
            self._refuse(infos, "doesn't run", "don't run")
            return
        consequences = self._cut_off(running, "will lose")
        gone = [info for info in running if not info.persistent]
        if gone and len(running) == 1:
            consequences.append("It is transient: once stopped it is gone, with its definition.")
        elif gone:
            names = ", ".join(info.name for info in gone)
            consequences.append(f"Transient, and gone once stopped: {names}.")
        question = f"Stop {operations.told(running)}?"
        self._ask(question, consequences, "Stop", operations.stop(*running))

    def _restart(self, infos: Sequence[NetworkInfo]) -> None:
        running = [info for info in infos if info.active]
        if not running:
            self._refuse(infos, "doesn't run", "don't run")
            return
        consequences = self._cut_off(running, "will be cut off for a moment from")
        question = f"Restart {operations.told(running)}?"
        self._ask(question, consequences, "Restart", operations.restart(*running))

    def _refuse(self, infos: Sequence[NetworkInfo], one: str, several: str) -> None:
        reason = one if len(infos) == 1 else several
        self.notify(f"{operations.told(infos)} {reason}.", severity="warning")

    def _cut_off(self, infos: Sequence[NetworkInfo], what: str) -> list[str]:
        """Who notices: of one network how many guests, of several those of each."""
        guests = {info.name: count for info in infos if (count := self.guests_on(info))}
        if not guests:
            return []
        if len(infos) == 1:
            return [f"{_guests(*guests.values())} {what} it."]
        each = ", ".join(f"{name} ({count})" for name, count in guests.items())
        return [f"Guests {what} their network: {each}."]

    def _ask_doctor(self, info: NetworkInfo) -> None:
        from vnet_tui.screens.doctor import DoctorScreen  # not for the first picture

        self.app.push_screen(DoctorScreen(info))

    def _explain(self, info: NetworkInfo) -> None:
        from vnet_tui.screens.explain import ExplainScreen  # not for the first picture

        self.app.push_screen(ExplainScreen(info))

    def _undefine(self, info: NetworkInfo) -> None:
        consequences = ["Its definition will be deleted from the store."]
        if info.active:
            consequences.append("It runs on, as a transient network, until it is stopped.")
        self._ask(f"Undefine {info.name}?", consequences, "Undefine", operations.undefine(info))

    def _ask(
        self, question: str, consequences: Sequence[str], yes: str, operation: Operation
    ) -> None:
        """Ask only where there is something to lose."""
        if not consequences:
            self.post_message(Requested(operation))
            return

        from vnet_tui.screens.confirm import ConfirmScreen  # not for the first picture

        def answered(sure: bool | None) -> None:
            if sure:
                self.post_message(Requested(operation))

        self.app.push_screen(ConfirmScreen(question, consequences, yes), answered)

    def _on_selected(self, action: str) -> None:
        if self.selected is not None:
            self.perform(action, self.selected)

    def action_edit_network(self) -> None:
        """Edit the selected network's definition."""
        self._on_selected(actions.EDIT.id)

    def action_start_network(self) -> None:
        """Start what is selected."""
        if self.selection:
            self._start(self.selection)

    def action_stop_network(self) -> None:
        """Stop what is selected."""
        if self.selection:
            self._stop(self.selection)

    def action_restart_network(self) -> None:
        """Restart what is selected."""
        if self.selection:
            self._restart(self.selection)

    def action_apply_network(self) -> None:
        """Apply the selected network's definition."""
        self._on_selected(actions.APPLY.id)

    def action_undefine_network(self) -> None:
        """Undefine the selected network."""
        self._on_selected(actions.UNDEFINE.id)

    def action_toggle_autostart(self) -> None:
        """Toggle the selected network's autostart."""
        self._on_selected(actions.AUTOSTART.id)

    def action_doctor(self) -> None:
        """Ask the doctor about the selected network."""
        self._on_selected(actions.DOCTOR.id)

    def action_explain(self) -> None:
        """Explain who reaches whom over the selected network."""
        self._on_selected(actions.EXPLAIN.id)


def _guests(count: int) -> str:
    return "One guest" if count == 1 else f"{count} guests"
