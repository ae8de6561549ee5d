"""Everything that the interface is drawn with has a counterpart in ASCII, as wide as it is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.color import Color

import vnet_tui
from vnet_tui.plain_glyphs import SIGNS, PlainGlyphs, needs_ascii, plain

PACKAGE = Path(vnet_tui.__file__).parent
DRAWING = [PACKAGE / "widgets", PACKAGE / "screens", PACKAGE / "drafts", PACKAGE / "engine"]


def drawn() -> set[str]:
    """Every character beyond ASCII in the sources of what is shown."""
    files = [file for directory in DRAWING for file in directory.rglob("*.py")]
    files += [file for file in PACKAGE.glob("*.py") if file.name != "plain_glyphs.py"]
    return {
        character
        for file in files
        for character in re.findall(r"[^\x00-\x7f]", file.read_text(encoding="utf-8"))
    }


def test_everything_drawn_has_a_counterpart() -> None:
    found = drawn()
    assert {"─", "▇", "↓", "✗", "●"} <= found
    without = {one for one in found if plain(one) == "?" and SIGNS.get(one) != "?"}
    assert not without


@pytest.mark.parametrize("first", [0x2500, 0x2580, 0x2800])
def test_boxes_blocks_and_braille_are_as_wide(first: int) -> None:
    for code in range(first, first + (0x100 if first == 0x2800 else 0x20)):
        assert plain(chr(code)).isascii()
        assert cell_len(plain(chr(code))) == 1
        assert plain(chr(code)) != "?"


def test_a_full_cell_looks_fuller_than_an_empty_one() -> None:
    assert plain("⠀⣀⠉⣿") == " .'#"
    assert plain("▁▄▇") == "_.#"


def test_letters_lose_their_accents_and_others_are_marked() -> None:
    assert plain("Bücher für Zoë") == "Bucher fur Zoe"
    assert plain("a\u65e5b") == "a??b"
    assert all(cell_len(sign) == cell_len(of) == 1 for of, sign in SIGNS.items())


def test_segments_keep_their_style() -> None:
    style = Style(bold=True)
    ((text, kept, _), same) = PlainGlyphs().apply(
        [Segment("↓ 5", style), Segment("plain")], Color(0, 0, 0)
    )
    assert (text, kept) == ("v 5", style)
    assert same == Segment("plain")


def test_when() -> None:
    assert needs_ascii("auto", {"TERM": "linux"})
    assert not needs_ascii("auto", {"TERM": "xterm"})
    assert needs_ascii("on", {"TERM": "xterm"})
    assert not needs_ascii("off", {"TERM": "linux"})
