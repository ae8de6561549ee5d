"""Colours: in and out have each their own everywhere, and poor terminals get their sixteen."""

from __future__ import annotations

from collections.abc import Mapping

from textual.theme import Theme

DARK = Theme(
    name="vnet-dark",
    primary="#4f9fd6",
    secondary="#d9a05b",
    accent="#4fc3b0",
    success="#74c476",
    warning="#e3bd4f",
    error="#ea6a72",
    foreground="#d6dce2",
    background="#101418",
    surface="#171d23",
    panel="#1e262e",
    dark=True,
)
LIGHT = Theme(
    name="vnet-light",
    primary="#1f6fa8",
    secondary="#9a5b10",
    accent="#0b7568",
    success="#2f7d32",
    warning="#8a6100",
    error="#b3261e",
    foreground="#1b2228",
    background="#fbfbfa",
    surface="#f1f2f3",
    panel="#e6e9ec",
    dark=False,
)
HIGH_CONTRAST = Theme(
    name="vnet-high-contrast",
    primary="#7fd4ff",
    secondary="#ffc266",
    accent="#5ff0dc",
    success="#6dff7a",
    warning="#ffe14d",
    error="#ff8f8f",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#1c1c1c",
    dark=True,
    variables={
        "text-muted": "#d8d8d8",
        "text-disabled": "#b0b0b0",
        "block-cursor-background": "#ffffff",
        "block-cursor-foreground": "#000000",
        "border": "#ffffff",
    },
)
"""White and bright colours on black.

The colours of in and out are the same in all dark themes: :mod:`vnet_tui.roles`.
"""

OWN = (DARK, LIGHT, HIGH_CONTRAST)

THEMES = {
    "dark": DARK.name,
    "light": LIGHT.name,
    "high-contrast": HIGH_CONTRAST.name,
    "ansi-dark": "ansi-dark",
    "ansi-light": "ansi-light",
}
"""What a user may choose, and the names of the themes; ``ansi`` are the terminal's sixteen."""

POOR = frozenset({"linux", "xterm", "xterm-color", "xterm-16color", "vt100", "vt220", "screen"})
"""Values of TERM that stand for at most sixteen colours, or leave it open."""


def after(theme: str) -> str:
    """The next theme of :data:`THEMES`."""
    themes = list(THEMES.values())
    return themes[(themes.index(theme) + 1) % len(themes)] if theme in themes else themes[0]


def theme_for(environ: Mapping[str, str]) -> str:
    """The theme for a terminal: ``ansi-dark``, whose colours are the terminal's own sixteen,
    unless it says that it has more."""
    if environ.get("COLORTERM", "").lower() in ("truecolor", "24bit"):
        return DARK.name
    term = environ.get("TERM", "")
    rich = "256color" in term or "direct" in term
    return (
        DARK.name if rich or (term and term not in POOR and "16color" not in term) else "ansi-dark"
    )
