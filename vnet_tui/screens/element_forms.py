"""Opening the form of one element: for a new one, or to change one. The answer is an ``Edited``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from textual.dom import DOMNode

from vnet_tui.drafts.lists import Kind, Place, added, changed, proposed
from vnet_tui.engine.model import Network
from vnet_tui.screens.element import ElementScreen, Values, tidied
from vnet_tui.widgets.editing.element_fields import FIELDS, WORDS
from vnet_tui.widgets.editing.list_tab import ListTab
from vnet_tui.widgets.editing.tab import Edited, EditorTab, KindWanted
from vnet_tui.widgets.picture import Line


def ask_kind(asker: DOMNode, network: Network, wanted: KindWanted, tab: EditorTab) -> None:
    """Ask what to add, then for its values; :class:`Edited` is posted to ``asker``."""
    from vnet_tui.screens.add_what import AddWhatScreen  # when something is added

    def answered(kind: Kind | None) -> None:
        if kind is not None:
            fill_in(asker, network, Place(kind, len(kind.get(network))), tab, new=True)

    asker.app.push_screen(AddWhatScreen(wanted.kinds, wanted.first), answered)


def fill_in(asker: DOMNode, network: Network, place: Place, tab: EditorTab, *, new: bool) -> None:
    """Ask for the values of an element; :class:`Edited` is posted to ``asker``. ``tab`` is where
    it is listed."""
    kind = place.kind
    element: Any = None if new else place.of(network)
    fields = FIELDS[kind]
    values = (
        proposed(network, kind)
        if new
        else {field.name: getattr(element, field.name) for field in fields}
    )

    def made(values: Values) -> Network:
        if new:
            return added(network, place, kind.make(**tidied(values)))
        return changed(network, place, replace(element, **values))

    def answered(after: Network | None) -> None:
        if after is not None and after != network:
            verb = "add" if new else "change"
            asker.post_message(Edited(f"{verb} {WORDS[kind]}", after, at=place))

    def drawing(after: Network, width: int) -> Sequence[Line]:
        return tab.drawing(after, place, width) if isinstance(tab, ListTab) else ()

    title = f"{'Add' if new else 'Change'} {WORDS[kind]}"
    screen = ElementScreen(title, fields, values, network, made, drawing=drawing)
    asker.app.push_screen(screen, answered)
