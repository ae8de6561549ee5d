"""Fields that are bound to values of a network: what is typed is an edit, and edits are shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from textual.app import ComposeResult
from textual.containers import VerticalScroll

from vnet_tui.engine.errors import StateError
from vnet_tui.engine.model import Element, Network
from vnet_tui.widgets.editing.tab import Edited
from vnet_tui.widgets.fields import ChoiceField, Field, TextField


def line_of(element: Element | None) -> int:
    """Where an element begins in its document; 0: nowhere."""
    return element.line if element else 0


def _nowhere(network: Network) -> int:  # noqa: ARG001 - for settings that know
    return 0


@dataclass(frozen=True, slots=True)
class Setting:
    """A field, and how its value is read from a network and put into it. ``write`` makes the text
    of a value that isn't None. ``fixed``: whether a network's value is none for a field. ``line``
    is where the value stands in the document; 0: nowhere."""

    field: Field[Any]
    what: str
    get: Callable[[Network], Any]
    put: Callable[[Network, Any], Network]
    write: Callable[[Any], str] = str
    fixed: Callable[[Network], bool] | None = None
    line: Callable[[Network], int] = _nowhere

    def show(self, network: Network) -> None:
        """Show the network's value; what says the same already, as it was typed, stays."""
        value = self.get(network)
        if self.fixed is not None:
            self.field.disabled = self.fixed(network)
        if self.field.value == value and (value is not None or not self.field.unusable):
            return
        if isinstance(self.field, ChoiceField):
            self.field.value = value
        elif isinstance(self.field, TextField) and not self._being_typed:
            self.field.text = "" if value is None else self.write(value)

    @property
    def _being_typed(self) -> bool:
        wrong = self.field.unusable and self.field.has_focus_within
        return wrong or (isinstance(self.field, TextField) and self.field.behind)

    def edited(self, network: Network) -> Network:
        """The network with what the field says; the same where that is nothing to be kept."""
        if self.field.unusable or self.field.value == self.get(network):
            return network
        return self.put(network, self.field.value)


def with_child(
    network: Network, child: str, make: Callable[[], Element], **changes: Any
) -> Network:
    """With other attributes of a child of the network, such as ``dns``, which ``make`` makes where
    there is none; without one that says nothing any more."""
    bare = make()
    after = replace(getattr(network, child) or bare, **changes)
    put: Any = {child: None if after == bare else after}
    return replace(network, **put)


def attribute(
    child: str,
    make: Callable[[], Element],
    name: str,
    field: Field[Any],
    what: str,
    write: Callable[[Any], str] = str,
) -> Setting:
    """A field bound to an attribute of such a child."""
    return Setting(
        field,
        what,
        lambda network: getattr(getattr(network, child) or make(), name),
        lambda network, value: with_child(network, child, make, **{name: value}),
        write,
        line=lambda network: line_of(getattr(network, child)),
    )


class Settings(VerticalScroll, can_focus=False):
    """Several of them, one below the other."""

    DEFAULT_CSS = "Settings { height: auto; padding: 0 1; scrollbar-size-vertical: 1; }"

    def __init__(self, settings: Iterable[Setting], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._settings = {setting.field: setting for setting in settings}
        self._network: Network | None = None
        self._last: Field[Any] | None = None
        self._shown: dict[Field[Any], object] = {}
        self._told: Network | None = None
        self._sent: list[Network] = []

    def compose(self) -> ComposeResult:
        """The fields."""
        yield from self._settings

    @property
    def line(self) -> int:
        """Where the value of the field that the keys go to stands in the document; 0: nowhere."""
        focused = (one for field, one in self._settings.items() if field.has_focus_within)
        setting = next(focused, None)
        return setting.line(self._network) if setting and self._network else 0

    def show(self, network: Network) -> None:
        """Show a network's values. Text that is none stays until its value is another one; while
        later edits are still on their way to whoever shows this, what was typed stays."""
        if network == self._told:
            return
        self._told = network
        own = next((at for at, sent in enumerate(self._sent) if sent is network), None)
        self._sent = [] if own is None else self._sent[own + 1 :]
        if self._sent:
            return
        self._network = network
        for field, setting in self._settings.items():
            value = setting.get(network)
            if not field.unusable or self._shown.get(field, field) != value:
                setting.show(network)
            self._shown[field] = value

    @property
    def sending(self) -> bool:
        """Whether edits are on their way to whoever shows this."""
        return bool(self._sent)

    def on_field_changed(self, message: Field.Changed) -> None:
        """An edit, if it says another thing than the network."""
        field, network = message.field, self._network
        setting = self._settings[field]
        if network is None or (isinstance(field, TextField) and not field.typed):
            return
        try:
            after = setting.edited(network)
        except StateError as error:
            field.tell(error)
            return
        if after == network:
            return
        goes_on = isinstance(field, TextField) and self._last is field
        self._last = field
        self._network = after
        self._sent.append(after)
        self.post_message(Edited(setting.what, after, goes_on=goes_on))

    def on_descendant_blur(self) -> None:
        """Whoever comes back to a field begins another edit."""
        self._last = None
