"""The log of changes in the journal, with a field for each thing that one may look for.

The protocol is systemd's native one (systemd.io/JOURNAL_NATIVE_PROTOCOL).
"""

from __future__ import annotations

import fcntl
import logging
import os
import socket
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

from vnet_tui.engine.audit import LOG, Entry

JOURNAL = Path("/run/systemd/journal/socket")

_PRIORITIES = ((logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6), (0, 7))  # syslog(3)


def fields(record: logging.LogRecord) -> Iterator[tuple[str, str]]:
    """The fields of a record, in the journal's names; a thing that there are several of has
    several."""
    yield "MESSAGE", record.getMessage()
    yield "PRIORITY", str(next(number for level, number in _PRIORITIES if record.levelno >= level))
    yield "SYSLOG_IDENTIFIER", "vnetd"
    entry = getattr(record, "audit", None)
    if isinstance(entry, Entry):
        for name in entry.__slots__:
            value = getattr(entry, name)
            for one in value if isinstance(value, tuple) else (value,):
                yield f"VNET_{name.upper()}", str(one)


def datagram(record: logging.LogRecord) -> bytes:
    """A record as the journal takes it."""
    parts = []
    for name, value in fields(record):
        raw = value.encode("utf-8", "replace")
        if b"\n" in raw:
            parts.append(name.encode() + b"\n" + struct.pack("<Q", len(raw)) + raw + b"\n")
        else:
            parts.append(name.encode() + b"=" + raw + b"\n")
    return b"".join(parts)


class JournalHandler(logging.Handler):
    """Sends records to the journal. Never waits for it: what it doesn't take goes to stderr."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = str(path)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)

    def emit(self, record: logging.LogRecord) -> None:
        """Send one record."""
        try:
            self._send(datagram(record))
        except OSError:
            print(record.getMessage(), file=sys.stderr)

    def _send(self, data: bytes) -> None:
        try:
            self._socket.sendto(data, self._path)
        except OSError as error:
            if not isinstance(error, BlockingIOError) and len(data) > _SMALL:
                self._send_file(data)
            else:
                raise

    def _send_file(self, data: bytes) -> None:
        """What is too large for a datagram goes as a sealed file in memory."""
        handle = os.memfd_create("vnetd-journal", os.MFD_ALLOW_SEALING | os.MFD_CLOEXEC)
        try:
            with os.fdopen(os.dup(handle), "wb") as file:
                file.write(data)
            seals = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SEAL
            fcntl.fcntl(handle, fcntl.F_ADD_SEALS, seals)
            rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, struct.pack("i", handle))
            self._socket.sendmsg([], [rights], 0, self._path)
        finally:
            os.close(handle)

    def close(self) -> None:
        """Let go."""
        self._socket.close()
        super().close()


_SMALL = 64 * 1024


def follow_audit(path: Path = JOURNAL) -> logging.Handler:
    """Send the log of changes to the journal where there is one, else to stderr."""
    handler = JournalHandler(path) if path.exists() else logging.StreamHandler()
    handler.setLevel(logging.INFO)
    LOG.addHandler(handler)
    LOG.setLevel(logging.INFO)
    LOG.propagate = False
    return handler
