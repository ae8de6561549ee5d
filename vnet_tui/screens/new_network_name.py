"""The first step of a new network: what it is called, and what it is for."""

from __future__ import annotations

from dataclasses import replace

from textual.app import ComposeResult
from textual.widget import Widget

from vnet_tui.engine import entries
from vnet_tui.engine.check.report import scalar_line
from vnet_tui.engine.conflicts import unsupported
from vnet_tui.engine.model import Bridge, Connections, Mode, Network, SharedInterface, Switch
from vnet_tui.widgets.editing.general import with_mode
from vnet_tui.widgets.editing.settings import Setting, Settings, attribute, line_of
from vnet_tui.widgets.editing.tab import EditorTab
from vnet_tui.widgets.fields import LABEL, ChoiceField, Field, TextField
from vnet_tui.widgets.live_table import Cell
from vnet_tui.widgets.picture import Line, Picture

PURPOSES = ((Mode.NAT, "NAT"), (Mode.ROUTE, "routed"), (Mode.ISOLATED, "isolated"))

EXPLAINED = {
    Mode.NAT: (
        "Guests reach what this host reaches, under the host's address;",
        "from outside only what you forward reaches them.",
    ),
    Mode.ROUTE: (
        "Guests reach others under their own addresses; routers beyond",
        "this host must know that it leads to them.",
    ),
    Mode.ISOLATED: (
        "Guests reach each other, and DHCP and DNS of this host;",
        "nothing else reaches them, or is reached by them.",
    ),
}

OTHERS = (
    ("shared interface", Network(name="other", interface=SharedInterface(name="eth0"))),
    ("tunnel to other hosts", Network(name="other", connections=Connections())),
    ("VDE switch beside the bridge", Network(name="other", switch=Switch(type="vde"))),
)
"""What else a network can be; all are written in the XML, where an engine can run them."""


class NameStep(EditorTab):
    """Name, title, kind and bridge; below, what the kind means."""

    TITLE = "Name"

    def __init__(self) -> None:
        super().__init__(id="new-name")
        self._settings = Settings(_settings())

    def compose(self) -> ComposeResult:
        """The fields, and an explanation."""
        yield self._settings
        yield Picture(id="new-kind")

    @property
    def focus_target(self) -> Widget:
        """The name."""
        return self.query(Field).first().control

    @property
    def line(self) -> int:
        """That of the field."""
        return self._settings.line

    def draw(self) -> None:
        """Put what it says into the fields."""
        if self.network is not None:
            self._settings.show(self.network)
            self.query_one("#new-kind", Picture).show(kind_lines(self.network.mode))


def _settings() -> list[Setting]:
    bridge = TextField("bridge", entries.interface_name, example="named after the network")
    return [
        Setting(
            TextField("name", entries.network_name, needed=True, example="what it is called"),
            "name it",
            lambda network: network.name,
            lambda network, name: replace(network, name=name),
            line=lambda network: scalar_line(network, "name"),
        ),
        Setting(
            TextField("title", entries.title, example="what it is for; may be empty"),
            "give it a title",
            lambda network: network.title,
            lambda network, title: replace(network, title=title),
            line=lambda network: scalar_line(network, "title"),
        ),
        attribute("bridge", Bridge, "name", bridge, "name its bridge"),
        Setting(
            ChoiceField("kind", PURPOSES, Mode.NAT),
            "choose its kind",
            lambda network: network.mode,
            with_mode,
            line=lambda network: line_of(network.forwarding),
        ),
    ]


def kind_lines(mode: Mode) -> list[Line]:
    """What a kind of network means, and which kinds the form doesn't offer."""
    indent = " " * (LABEL + 2)
    lines: list[Line] = [(), *((Cell(f"{indent}{text}"),) for text in EXPLAINED[mode]), ()]
    for words, network in OTHERS:
        how = "not by this version" if unsupported(network) else "written in the XML"
        lines.append((Cell(f"{indent}{words}: {how}", "dim"),))
    return lines
