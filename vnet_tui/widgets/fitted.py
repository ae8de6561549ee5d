"""Text made to fill a given number of terminal cells exactly."""

from __future__ import annotations

from typing import Literal

from rich.cells import cell_len, set_cell_size

ELLIPSIS = "…"


def fitted(text: str, width: int, justify: Literal["left", "right"] = "left") -> str:
    """The text in exactly ``width`` cells: padded, or cut with an ellipsis at its end."""
    if width <= 0:
        return ""
    length = len(text) if text.isascii() else cell_len(text)
    if length > width:
        return set_cell_size(text, width - 1) + ELLIPSIS
    padding = " " * (width - length)
    return padding + text if justify == "right" else text + padding
