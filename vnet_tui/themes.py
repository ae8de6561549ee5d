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
"""Those of in and out are the same in all themes: :mod:`vnet_tui.widgets.roles`."""

POOR = frozenset({"linux", "xterm", "xterm-color", "xterm-16color", "vt100", "vt220", "screen"})
"""Values of TERM that stand for at most sixteen colours, or leave it open."""


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
