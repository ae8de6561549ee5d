"""What guests name must be safe to show."""

from __future__ import annotations

import unicodedata

from hypothesis import given, strategies as st
from rich.cells import cell_len

from vnet_tui.engine.text import printable
from vnet_tui.widgets.fitted import fitted


@given(st.text())
def test_no_control_character_is_left(text: str) -> None:
    shown = printable(text)
    assert len(shown) == len(text)
    assert not any(unicodedata.category(character)[0] == "C" for character in shown)
    assert "\u2028" not in shown


def test_what_is_plain_stays() -> None:
    assert printable("größe-日本.example") == "größe-日本.example"


def test_tricks_don_t() -> None:
    assert printable("a\x1b[2J\u202eb\nc\x9b") == "a\ufffd[2J\ufffdb\ufffdc\ufffd"


@given(st.text(), st.integers(min_value=0, max_value=30), st.sampled_from(["left", "right"]))
def test_fitted_text_fills_its_cells(text: str, width: int, justify: str) -> None:
    made = fitted(printable(text), width, "right" if justify == "right" else "left")
    assert cell_len(made) == width


def test_cut_text_says_so() -> None:
    assert fitted("abcdef", 4) == "abc…"
    assert fitted("日本語", 4) == "日 …"
