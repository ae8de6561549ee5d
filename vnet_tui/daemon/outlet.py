"""What waits for a reader who is slow: bounded, and told."""

from __future__ import annotations

from collections import deque

from vnet_tui.protocol.methods import RESULT, SKIPPED
from vnet_tui.protocol.wire import Wire

WAITING = 256
"""Items of a stream that wait for one reader."""


class Outlet:
    """The items of one stream on their way to one reader.

    While the reader is behind, the newest ``waiting`` items are kept; how many were left out is
    told with the next one. Nothing here ever waits, so that no reader slows another.
    """

    def __init__(self, wire: Wire, waiting: int = WAITING) -> None:
        self._wire = wire
        self._waiting: deque[bytes] = deque(maxlen=waiting)
        self._skipped = 0
        wire.on_room = self._flush

    def put(self, item: bytes) -> None:
        """Send an item, JSON already, now or when there is room."""
        if self._wire.behind:
            self._skipped += len(self._waiting) == self._waiting.maxlen
            self._waiting.append(item)
        else:
            self._send(item)

    def close(self) -> None:
        """Nothing more is sent from here."""
        self._wire.on_room = None

    def _flush(self) -> None:
        while self._waiting and not self._wire.behind:
            self._send(self._waiting.popleft())

    def _send(self, item: bytes) -> None:
        skipped = b""
        if self._skipped:
            skipped = b'"%s":%d,' % (SKIPPED.encode(), self._skipped)
            self._skipped = 0
        self._wire.write(
            b'{"continues":true,"parameters":{%s"%s":%s}}\0' % (skipped, RESULT.encode(), item)
        )
