"""Records on their way to the journal, in its own form."""

from __future__ import annotations

import logging
import os
import socket
import struct
from pathlib import Path
from uuid import UUID

import pytest

from vnet_tui.daemon.journal import JournalHandler, datagram
from vnet_tui.engine.audit import Entry

ENTRY = Entry(
    who="alice (uid 1000, pid 4)",
    session="s",
    verb="start",
    networks=("web", "shop"),
    uuids=(UUID(int=1),),
    result="done",
    steps=("create bridge vn-web",),
)


def record(message: str, entry: Entry | None = None) -> logging.LogRecord:
    made = logging.LogRecord("vnet.audit", logging.INFO, "", 0, message, None, None)
    if entry is not None:
        made.audit = entry
    return made


def test_every_part_of_an_entry_is_a_field() -> None:
    lines = datagram(record("alice: start web, shop", ENTRY)).decode().splitlines()
    assert lines[:3] == ["MESSAGE=alice: start web, shop", "PRIORITY=6", "SYSLOG_IDENTIFIER=vnetd"]
    assert {"VNET_NETWORKS=web", "VNET_NETWORKS=shop", "VNET_STEPS=create bridge vn-web"} <= {
        *lines
    }


def test_text_of_several_lines_forges_no_field() -> None:
    data = datagram(record("one\nPRIORITY=0"))
    size = struct.pack("<Q", len("one\nPRIORITY=0"))
    assert data.startswith(b"MESSAGE\n" + size + b"one\nPRIORITY=0\nPRIORITY=6\n")


def test_what_is_too_large_for_a_datagram_comes_as_a_file(tmp_path: Path) -> None:
    long = record("x" * 4_000_000)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journal:
        journal.bind(str(tmp_path / "journal"))
        handler = JournalHandler(tmp_path / "journal")
        handler.emit(long)
        handler.close()
        data, (handle,), _, _ = socket.recv_fds(journal, 100, 1)
    with os.fdopen(handle, "rb") as file:
        file.seek(0)
        assert (data, file.read()) == (b"", datagram(long))


def test_a_journal_that_doesnt_read_is_not_waited_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journal:
        journal.bind(str(tmp_path / "journal"))
        handler = JournalHandler(tmp_path / "journal")
        for number in range(10_000):
            handler.emit(record(f"entry {number}"))
        handler.close()
    assert "entry 9999" in capsys.readouterr().err
