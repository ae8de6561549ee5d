"""The tab with what the network is as a whole: its name, its mode, its bridge."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.widget import Widget

from vnet_tui.engine import entries
from vnet_tui.engine.check.report import scalar_line
from vnet_tui.engine.model import Bridge, Forwarding, Mode, Network
from vnet_tui.widgets.editing.settings import Setting, Settings, attribute, line_of, with_child
from vnet_tui.widgets.editing.tab import EditorTab
from vnet_tui.widgets.fields import ChoiceField, SwitchField, TextField

MODES = ((Mode.ISOLATED, "isolated"), (Mode.NAT, "NAT"), (Mode.ROUTE, "routed"))


class GeneralTab(EditorTab):
    """Fields only."""

    TITLE: ClassVar[str] = "General"

    def __init__(self, *, named: bool) -> None:
        """``named``: the name is taken, because it runs under it."""
        super().__init__(id="editor-general")
        self._settings = Settings(_settings(named))

    def compose(self) -> ComposeResult:
        """The fields."""
        yield self._settings

    @property
    def focus_target(self) -> Widget | None:
        """None: in a field, the numbers of the tabs would be typed."""
        return None

    @property
    def line(self) -> int:
        """That of the field."""
        return self._settings.line

    def draw(self) -> None:
        """Show the values."""
        if self.network is not None:
            self._settings.show(self.network)


def _settings(named: bool) -> list[Setting]:
    return [
        Setting(
            TextField("name", entries.network_name, needed=True, disabled=named),
            "rename",
            lambda network: network.name,
            lambda network, name: replace(network, name=name),
            line=lambda network: scalar_line(network, "name"),
        ),
        _text("title", "title", entries.title, "e.g. machines of the course"),
        _text("description", "description", entries.line, "e.g. for whom, until when"),
        Setting(
            ChoiceField("mode", MODES, Mode.NAT),
            "change the mode",
            lambda network: network.mode,
            with_mode,
            line=lambda network: line_of(network.forwarding),
        ),
        _bridge("bridge", "name", entries.interface_name, "derived from the name"),
        _bridge("MTU", "mtu", entries.number, "1500, unless said"),
        _bridge("MAC", "mac", entries.mac, "derived"),
        Setting(
            SwitchField("spanning tree", False, words=("on", "off")),
            "switch the spanning tree",
            lambda network: bool(network.bridge and network.bridge.stp),
            lambda network, on: with_child(network, "bridge", Bridge, stp=on or None),
            line=lambda network: line_of(network.bridge),
        ),
        _bridge("forward delay", "delay", entries.number, "seconds: 2 to 30, 0 without STP"),
    ]


def _text(label: str, name: str, read: entries.Reader[str], example: str) -> Setting:
    """A child of the network that is plain text."""

    def put(network: Network, value: str | None) -> Network:
        changes: Any = {name: value}
        return replace(network, **changes)

    def several_lines(network: Network) -> bool:
        return "\n" in (getattr(network, name) or "")

    return Setting(
        TextField(label, read, example=example),
        f"change the {label}",
        lambda network: getattr(network, name),
        put,
        lambda value: (
            f"{value.strip().splitlines()[0]} … (edit it as XML)" if "\n" in value else value
        ),
        several_lines,
        line=lambda network: scalar_line(network, name),
    )


def _bridge(label: str, name: str, read: entries.Reader[Any], example: str) -> Setting:
    """An attribute of the bridge."""
    field = TextField(label, read, example=example)
    return attribute("bridge", Bridge, name, field, f"change the bridge's {name}")


def with_mode(network: Network, mode: Mode) -> Network:
    """With another mode. The rules of a network that gets isolated stay there, and wait."""
    forwarding = network.forwarding
    if mode is Mode.ISOLATED:
        off = None if forwarding is None else replace(forwarding, enabled=False)
        return replace(network, forwarding=off)
    on = replace(forwarding or Forwarding(), enabled=True, mode=mode)
    return replace(network, forwarding=on)
