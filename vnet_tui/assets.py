"""Files that come with the package: found in the wheel and in a checkout."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parent


def style_sheets() -> list[Path]:
    """All style sheets, in the order of their names; the wheel has them beside the code."""
    packed = _PACKAGE / "styles"
    directory = packed if packed.is_dir() else _PACKAGE.parent / "styles"
    return sorted(directory.glob("*.tcss"))


def examples() -> Path:
    """The directory of example networks."""
    return _PACKAGE / "examples"
