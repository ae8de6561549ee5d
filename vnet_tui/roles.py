"""The colours of what is shown, by its role, the same in every widget."""

from __future__ import annotations

from collections.abc import Iterable

from rich.style import Style
from textual.dom import DOMNode
from textual.widget import Widget

ROLES = ("plain", "dim", "strong", "good", "warn", "bad", "in", "out", "accent")
"""What a stretch of text can be; ``header`` is what stands above others, which is never greyed."""

_TRUE_COLOUR = {
    "plain": "color: $foreground",
    "dim": "color: $text-muted",
    "strong": "text-style: bold",
    "good": "color: $text-success",
    "warn": "color: $text-warning",
    "bad": "color: $text-error",
    "in": "color: #4fc1d9",
    "out": "color: #d58fe8",
    "accent": "color: $text-primary",
    "header": "color: $text-muted",
}
_LIGHT = {
    "in": "color: #00707f",
    "out": "color: #8a2ba8",
}
"""In and out have their own colours, which no theme gives to a warning or a choice."""

_SIXTEEN_COLOURS = {
    "plain": "color: ansi_default",
    "dim": "color: ansi_default; text-style: dim",
    "good": "color: ansi_green",
    "warn": "color: ansi_yellow",
    "bad": "color: ansi_red; text-style: bold",
    "in": "color: ansi_cyan",
    "out": "color: ansi_magenta",
    "accent": "color: ansi_blue",
    "header": "color: ansi_default; text-style: dim",
}

_GREY = "color: $text-disabled; text-style: none"
"""What was, and may not be any more."""


def role_css() -> str:
    """Style rules for all roles, in true colour and for terminals with sixteen colours."""
    rules = [f"* > .role--{role} {{ {css}; }}" for role, css in _TRUE_COLOUR.items()]
    rules += [f"*:light > .role--{role} {{ {css}; }}" for role, css in _LIGHT.items()]
    rules += [f"*:ansi > .role--{role} {{ {css}; }}" for role, css in _SIXTEEN_COLOURS.items()]
    return "\n".join(rules)


def greyed_css(within: str, widgets: Iterable[str]) -> str:
    """Style rules by which widgets draw all roles alike grey while they are within something; all
    of these are selectors."""
    of = [f"{within} {widget}" for widget in widgets]
    return "\n".join(
        f"{', '.join(f'{one}{mode} > .role--{role}' for one in of)} {{ {css}; }}"
        for role in ROLES
        for mode, css in (("", _GREY), (":light", _GREY), (":ansi", _SIXTEEN_COLOURS["dim"]))
    )


class RoleStyles:
    """The styles in which a widget draws roles, each found when it is first drawn in, and kept
    until the theme changes.

    Textual finds those of component classes beforehand, all of them for each widget that is made:
    that would be two thirds of the time in which a screen opens.
    """

    def __init__(self, widget: Widget) -> None:
        self._widget = widget
        self._known: dict[str, Style] = {}

    def of(self, role: str) -> Style:
        """A role's style."""
        known = self._known.get(role)
        if known is None:
            part = DOMNode(classes=f"role--{role}")
            part._attach(self._widget)  # as Textual does for a component class
            self._widget.app.stylesheet.apply(part)
            known = self._known[role] = part.rich_style
        return known

    def forget(self) -> None:
        """Styles may have changed: what was drawn in those that did is drawn anew."""
        before, self._known = self._known, {}
        if any(self.of(role) != style for role, style in before.items()):
            self._widget.refresh()


def cursor_css(widget: str, part: str) -> str:
    """Style rules for the class of that part of a widget which the keys act on."""
    return f"""
    {widget} > .{part} {{ background: $primary 45%; text-style: bold; }}
    {widget}:ansi > .{part} {{
        background: ansi_blue; color: ansi_bright_white; text-style: bold;
    }}
    """
