"""The colours of what is shown, by its role, the same in every widget."""

from __future__ import annotations

ROLES = ("plain", "dim", "strong", "good", "warn", "bad", "in", "out", "accent")
"""What a stretch of text can be."""

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
}

_GREY = "color: $text-disabled; text-style: none"
"""What was, and may not be any more."""


def role_classes(prefix: str) -> set[str]:
    """The component classes of a widget that draws in roles: ``PREFIX--ROLE``."""
    return {f"{prefix}--{role}" for role in ROLES}


def role_css(widget: str, prefix: str, *, greyed: str = "") -> str:
    """Style rules for these classes, in true colour and for terminals with sixteen colours; all
    alike grey within ``greyed``, a selector, if that is given."""
    if greyed:
        return "\n".join(
            f"{greyed} {widget}{mode} > .{prefix}--{role} {{ {css}; }}"
            for role in ROLES
            for mode, css in (("", _GREY), (":light", _GREY), (":ansi", _SIXTEEN_COLOURS["dim"]))
        )
    rules = [f"{widget} > .{prefix}--{role} {{ {css}; }}" for role, css in _TRUE_COLOUR.items()]
    rules += [f"{widget}:light > .{prefix}--{role} {{ {css}; }}" for role, css in _LIGHT.items()]
    rules += [
        f"{widget}:ansi > .{prefix}--{role} {{ {css}; }}" for role, css in _SIXTEEN_COLOURS.items()
    ]
    return "\n".join(rules)


def cursor_css(widget: str, prefix: str) -> str:
    """Style rules for the component class ``PREFIX--cursor``: what the keys act on."""
    return f"""
    {widget} > .{prefix}--cursor {{ background: $primary 45%; text-style: bold; }}
    {widget}:ansi > .{prefix}--cursor {{
        background: ansi_blue; color: ansi_bright_white; text-style: bold;
    }}
    """
