"""The program nft, for hosts without libnftables: the same commands, a process for each."""

from __future__ import annotations

import json
import subprocess
from typing import Any, cast

from vnet_tui.engine.drivers.firewall.layout import FAMILY, TABLE
from vnet_tui.engine.drivers.firewall.nft_errors import absent, driver_error


class NftProgram:
    """Runs nft (``path``: where it is). All methods block until it has ended."""

    def __init__(self, path: str) -> None:
        self._path = path

    def run(self, commands: str) -> None:
        """Run commands as one transaction, wholly or not at all."""
        status, _, error = self._run(["-f", "-"], commands)
        if status:
            raise driver_error(commands, error)

    def accepts(self, commands: str) -> bool:
        """Whether the kernel would take commands; nothing is done."""
        return self._run(["-c", "-f", "-"], commands)[0] == 0

    def table(self) -> list[dict[str, Any]] | None:
        """All objects of our table as libnftables-json(5) has them; None without a table."""
        command = ["-j", "list", "table", FAMILY, TABLE]
        status, output, error = self._run(command, "")
        if status and absent(error):
            return None
        if status:
            raise driver_error(" ".join(command), error)
        return cast("list[dict[str, Any]]", json.loads(output)["nftables"])

    def listing(self, command: str, *, as_json: bool) -> str:
        """What a command lists: as JSON, or as text with the handles of rules."""
        status, output, error = self._run(["-j" if as_json else "-a", *command.split()], "")
        if status:
            raise driver_error(command, error)
        return output

    def close(self) -> None:
        """Nothing is kept between calls."""

    def _run(self, arguments: list[str], text: str) -> tuple[int, str, str]:
        done = subprocess.run([self._path, *arguments], input=text, capture_output=True, text=True)
        return done.returncode, done.stdout, done.stderr
