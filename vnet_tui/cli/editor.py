"""A text in the editor that a person has chosen."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from vnet_tui.engine.errors import VnetError


def editor(environ: Mapping[str, str] = os.environ) -> list[str]:
    """The editor's program and arguments: VISUAL, else EDITOR, else vi. No shell reads them.

    Raises :class:`~vnet_tui.engine.errors.VnetError` for a variable that is no command.
    """
    for name in ("VISUAL", "EDITOR"):
        if chosen := environ.get(name, "").strip():
            try:
                return shlex.split(chosen)
            except ValueError as error:
                raise VnetError(f"{name} is no command: {error}", "like EDITOR=nano") from error
    return ["vi"]


def edited(text: str, suffix: str) -> str:
    """What becomes of a text in the editor; blocks until it ends. Nobody else can read the file.

    Raises :class:`~vnet_tui.engine.errors.VnetError` where the editor can't be run or fails.
    """
    command = editor()
    with tempfile.TemporaryDirectory(prefix="vnet-") as directory:
        file = Path(directory) / f"edit{suffix}"
        file.write_text(text, encoding="utf-8")
        try:
            done = subprocess.run([*command, str(file)], check=False)
        except OSError as error:
            raise VnetError(
                f"can't run the editor {command[0]}: {error.strerror}", "set EDITOR to yours"
            ) from error
        if done.returncode:
            raise VnetError(f"the editor {command[0]} ended with status {done.returncode}")
        try:
            return file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise VnetError(f"can't read what the editor left: {error}") from error
