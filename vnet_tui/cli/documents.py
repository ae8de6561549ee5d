"""The documents that a command is given: files, or standard input."""

from __future__ import annotations

import sys
from pathlib import Path

from vnet_tui.cli.arguments import Arguments
from vnet_tui.cli.spec import Command
from vnet_tui.engine.errors import VnetError

MAX_DOCUMENT = 4 << 20
"""Characters read of a document; the parser's own limit is lower, and tells the reason."""

Document = str | VnetError
"""The text, or why it can't be read: it may be one of several."""


def read_document(name: str) -> str:
    """The text of a file, or of standard input for ``-``. May wait, for a terminal or a pipe.

    Raises :class:`~vnet_tui.engine.errors.VnetError`.
    """
    try:
        if name == "-":
            if sys.stdin is None:
                raise VnetError("can't read standard input: it is closed")
            return sys.stdin.read(MAX_DOCUMENT)
        with Path(name).open(encoding="utf-8") as file:
            return file.read(MAX_DOCUMENT)
    except UnicodeDecodeError as error:
        raise VnetError(f"{name} isn't UTF-8 text: {error}", "save it as UTF-8") from error
    except OSError as error:
        raise VnetError(f"can't read {name}: {error.strerror}") from error


def read_or_error(name: str) -> Document:
    """The same, with the error as a value; and what is no name but an element is the document."""
    if name.lstrip().startswith("<"):
        return name
    try:
        return read_document(name)
    except VnetError as error:
        return error


def documents_of(command: Command, arguments: Arguments) -> list[Document]:
    """The documents that a command line names."""
    return [read_or_error(name) for name in arguments.texts(command.document) if name]


def text_of(document: Document) -> str:
    """The text, or the error raised."""
    if isinstance(document, VnetError):
        raise document
    return document
