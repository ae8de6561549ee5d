"""Where the files are that aren't code: in an installed package, or in a checkout."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parent


def styles_dir() -> Path:
    """The interface's style sheets, one ``.tcss`` a screen.

    They stand beside the package in a checkout and are packed into it in a wheel.
    """
    packed = _PACKAGE / "styles"
    return packed if packed.is_dir() else _PACKAGE.parent / "styles"


def examples_dir() -> Path:
    """The example networks, one ``.xml`` each."""
    return _PACKAGE / "examples"


def schema_file() -> Path:
    """The RELAX NG schema of a network document, with a description of each element."""
    return _PACKAGE / "engine" / "xml" / "schema.rng"
