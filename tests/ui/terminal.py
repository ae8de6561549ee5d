"""A terminal in a few lines: what a program's output makes of an empty screen."""

from __future__ import annotations

import re

from rich.cells import get_character_cell_size

_ENDED = {"22": {"1", "2"}, "23": {"3"}, "24": {"4"}, "27": {"7"}, "29": {"9"}}
"""Which attributes a parameter of SGR ends."""

_SEQUENCE = re.compile(r"\x1b\[(?P<parameters>[0-9;]*)(?P<final>[A-Za-z])")


class Screen:
    """Cells of (character, SGR parameters in force); knows CUP, CHA, CUF, DL, IL and SGR (ECMA-48),
    and margins (DECSTBM)."""

    def __init__(self, width: int, height: int) -> None:
        self.cells = [[(" ", "")] * width for _ in range(height)]
        self._x = 0
        self._y = 0
        self._margins = (0, height)
        self._pen = _Pen()

    def feed(self, text: str) -> None:
        """Take a program's output. ValueError: a sequence that isn't known here."""
        position = 0
        while position < len(text):
            if text[position] == "\x1b":
                found = _SEQUENCE.match(text, position)
                if found is None:
                    raise ValueError(f"unknown sequence {text[position : position + 12]!r}")
                self._obey(found["parameters"], found["final"])
                position = found.end()
                continue
            self._put(text[position])
            position += 1

    @property
    def lines(self) -> list[str]:
        """The characters alone."""
        return ["".join(character for character, _ in line) for line in self.cells]

    def _obey(self, parameters: str, final: str) -> None:
        if final == "H":
            y, _, x = parameters.partition(";")
            self._y, self._x = int(y) - 1, int(x or 1) - 1
        elif final == "G":
            self._x = int(parameters) - 1
        elif final == "C":
            self._x += int(parameters)
        elif final == "m":
            self._pen.change(parameters)
        elif final == "r":
            top, _, bottom = parameters.partition(";")
            self._margins = (int(top or 1) - 1, int(bottom or len(self.cells)))
            self._y = self._x = 0
        elif final in "ML":
            self._move_lines(int(parameters), up=final == "M")
        else:
            raise ValueError(f"unknown sequence {parameters}{final}")

    def _move_lines(self, count: int, *, up: bool) -> None:
        """From the cursor's line to the lower margin; empty lines have the pen's background."""
        top, bottom = self._y, self._margins[1]
        if not self._margins[0] <= top < bottom:
            return
        rows = self.cells[top:bottom]
        empty = [[(" ", self._pen.of(" "))] * len(rows[0]) for _ in range(count)]
        rows = rows[count:] + empty if up else empty + rows[:-count]
        self.cells[top:bottom] = rows
        self._x = 0

    def _put(self, character: str) -> None:
        size = get_character_cell_size(character)
        if size == 0:
            before, pen = self.cells[self._y][self._x - 1]
            self.cells[self._y][self._x - 1] = (before + character, pen)
            return
        self.cells[self._y][self._x] = (character, self._pen.of(character))
        if size == 2:
            self.cells[self._y][self._x + 1] = ("", self._pen.of(character))
        self._x += size


class _Pen:
    def __init__(self) -> None:
        self._attributes: set[str] = set()
        self._ink = ""
        self._paper = ""

    def change(self, parameters: str) -> None:
        codes = parameters.split(";")
        while codes:
            code = codes.pop(0)
            if code in ("", "0"):
                self._attributes, self._ink, self._paper = set(), "", ""
            elif code in ("38", "48"):
                count = 4 if codes[0] == "2" else 2
                color = ";".join([code, *codes[:count]])
                codes = codes[count:]
                if code == "38":
                    self._ink = color
                else:
                    self._paper = color
            elif code in ("39", "49"):
                self._ink, self._paper = ("", self._paper) if code == "39" else (self._ink, "")
            elif 30 <= int(code) <= 37 or 90 <= int(code) <= 97:
                self._ink = code
            elif 40 <= int(code) <= 47 or 100 <= int(code) <= 107:
                self._paper = code
            elif code in _ENDED:
                self._attributes -= _ENDED[code]
            else:
                self._attributes.add(code)

    def of(self, character: str) -> str:
        """How a character looks; a blank has only its background."""
        if character == " " and not self._attributes & {"4", "7", "9"}:
            return self._paper
        return "|".join([",".join(sorted(self._attributes)), self._ink, self._paper])
