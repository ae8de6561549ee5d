"""libnftables through ctypes: the little of it that we need (libnftables(3)).

A context talks over a socket of the network namespace in which it was made, and is not safe in
several threads: make, use and free it in one.
"""

from __future__ import annotations

import ctypes
import json
import os
from collections.abc import Callable
from typing import Any, cast

from vnet_tui.engine.drivers.firewall.layout import FAMILY, TABLE
from vnet_tui.engine.drivers.firewall.nft_errors import absent, driver_error

_SONAME = "libnftables.so.1"
_OUTPUT_HANDLE = 1 << 3  # NFT_CTX_OUTPUT_HANDLE, <nftables/libnftables.h>
_OUTPUT_JSON = 1 << 4  # NFT_CTX_OUTPUT_JSON


def load() -> ctypes.CDLL | None:
    """The library with its functions declared, or None where the host hasn't got it."""
    try:
        library = ctypes.CDLL(_SONAME)
    except OSError:
        return None
    context = ctypes.c_void_p
    library.nft_ctx_new.argtypes = [ctypes.c_uint32]
    library.nft_ctx_new.restype = context
    library.nft_ctx_free.argtypes = [context]
    library.nft_ctx_free.restype = None
    for function in (library.nft_ctx_buffer_output, library.nft_ctx_buffer_error):
        function.argtypes = [context]
        function.restype = ctypes.c_int
    for function in (library.nft_ctx_get_output_buffer, library.nft_ctx_get_error_buffer):
        function.argtypes = [context]
        function.restype = ctypes.c_char_p
    library.nft_ctx_set_dry_run.argtypes = [context, ctypes.c_bool]
    library.nft_ctx_set_dry_run.restype = None
    library.nft_ctx_output_set_flags.argtypes = [context, ctypes.c_uint]
    library.nft_ctx_output_set_flags.restype = None
    for function in (library.nft_run_cmd_from_buffer, library.nft_run_cmd_from_filename):
        function.argtypes = [context, ctypes.c_char_p]
        function.restype = ctypes.c_int
    return library


class Libnftables:
    """One context. All methods block for as long as the kernel needs."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self._library = library
        self._context = library.nft_ctx_new(0)
        if not self._context:
            raise MemoryError("nft_ctx_new")
        library.nft_ctx_buffer_output(self._context)
        library.nft_ctx_buffer_error(self._context)

    def run(self, commands: str) -> None:
        """Run commands as one transaction, wholly or not at all.

        They go through a file in memory: only for files does the library name the line at fault.
        """
        with os.fdopen(os.memfd_create("transaction"), "wb") as file:
            file.write(commands.encode())
            file.flush()
            path = f"/proc/self/fd/{file.fileno()}"
            status, _, error = self._call(self._library.nft_run_cmd_from_filename, path, 0)
        if status:
            raise driver_error(commands, error)

    def accepts(self, commands: str) -> bool:
        """Whether the kernel would take commands; nothing is done."""
        self._library.nft_ctx_set_dry_run(self._context, True)
        try:
            status, _, _ = self._call(self._library.nft_run_cmd_from_buffer, commands, 0)
        finally:
            self._library.nft_ctx_set_dry_run(self._context, False)
        return status == 0

    def table(self) -> list[dict[str, Any]] | None:
        """All objects of our table as libnftables-json(5) has them; None without a table."""
        command = f"list table {FAMILY} {TABLE}"
        run = self._library.nft_run_cmd_from_buffer
        status, output, error = self._call(run, command, _OUTPUT_JSON)
        if status and absent(error):
            return None
        if status:
            raise driver_error(command, error)
        return cast("list[dict[str, Any]]", json.loads(output)["nftables"])

    def listing(self, command: str, *, as_json: bool) -> str:
        """What a command lists: as JSON, or as text with the handles of rules."""
        flags = _OUTPUT_JSON if as_json else _OUTPUT_HANDLE
        run = self._library.nft_run_cmd_from_buffer
        status, output, error = self._call(run, command, flags)
        if status:
            raise driver_error(command, error)
        return output

    def close(self) -> None:
        """Free the context."""
        self._library.nft_ctx_free(self._context)
        self._context = None

    def _call(
        self, function: Callable[[int | None, bytes], int], argument: str, flags: int
    ) -> tuple[int, str, str]:
        self._library.nft_ctx_output_set_flags(self._context, flags)
        status = function(self._context, argument.encode())
        output = self._library.nft_ctx_get_output_buffer(self._context) or b""
        error = self._library.nft_ctx_get_error_buffer(self._context) or b""
        return status, output.decode(errors="replace"), error.decode(errors="replace")
