"""The tab with the network's DNS."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from vnet_tui.drafts.lists import FORWARDER, HOST, RECORD, Kind, Place
from vnet_tui.engine import entries
from vnet_tui.engine.model import Dns, DnsHost, Forwarder, Record
from vnet_tui.widgets.columns import Column
from vnet_tui.widgets.editing.list_tab import ListTab
from vnet_tui.widgets.editing.settings import Setting, attribute
from vnet_tui.widgets.fields import SwitchField, TextField
from vnet_tui.widgets.live_table import Cell

COLUMNS = (
    Column(key="kind", label="", width=10),
    Column(key="what", label="name", width=28, grow=2, most=60),
    Column(key="detail", label="is", width=32, grow=3),
)


class DnsTab(ListTab):
    """Names of hosts, other records, and who is asked for all else."""

    TITLE = "DNS"
    KINDS: ClassVar[tuple[Kind, ...]] = (HOST, RECORD, FORWARDER)
    EMPTY_TEXT: ClassVar[str] = (
        "Guests are known by their names; + adds other names, or servers to ask."
    )

    def __init__(self) -> None:
        super().__init__(COLUMNS, _settings(), id="editor-dns")

    def cells(self, place: Place, element: Any) -> Sequence[Cell]:
        """One of the three."""
        kind = Cell(place.kind.word, "dim")
        match element:
            case DnsHost():
                return kind, Cell(element.name), Cell(str(element.address))
            case Record():
                return kind, Cell(f"{element.name}"), Cell(_record(element))
            case Forwarder():
                port = f" port {element.port}" if element.port else ""
                what = element.domain or "everything else"
                return kind, Cell(what), Cell(f"asked of {element.address}{port}")
        raise AssertionError(element)


def _record(record: Record) -> str:
    numbers = (record.priority, record.weight, record.port)
    words = [record.type.upper(), *(str(number) for number in numbers if number is not None)]
    return " ".join([*words, *(text for text in (record.target, record.value) if text)])


def _settings() -> list[Setting]:
    domain = TextField("domain", entries.host_name, example="e.g. lab.example")
    return [
        attribute(
            "dns", Dns, "enabled", SwitchField("DNS", True, words=("on", "off")), "switch DNS"
        ),
        attribute("dns", Dns, "domain", domain, "change the domain"),
    ]
