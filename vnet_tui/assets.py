"""Files that come with the package: found in the wheel and in a checkout."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parent


def style_sheet(name: str) -> Path:
    """A style sheet by its name. Screens load theirs when they are first shown."""
    return _styles() / f"{name}.tcss"


def style_sheets() -> list[Path]:
    """All style sheets, in the order of their names."""
    return sorted(_styles().glob("*.tcss"))


def _styles() -> Path:
    """The wheel has them beside the code."""
    packed = _PACKAGE / "styles"
    return packed if packed.is_dir() else _PACKAGE.parent / "styles"


def examples() -> Path:
    """The directory of example networks."""
    return _PACKAGE / "examples"
