"""Our varlink beside asyncvarlink's: round trips, streams, imports, and what bad clients cost.

Needs asyncvarlink: ``pip install asyncvarlink``. It runs both as servers of the same two methods,
each a process of its own, on sockets in a temporary directory, asked by the same plain client.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import importlib.util
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any, cast
from uuid import UUID

from benchmarks.lib.processes import proportional_memory
from benchmarks.lib.report import Comparison, print_report

MIB = 1024 * 1024
CALLS, ITEMS, FLOOD = 2000, 5000, 64
INTERFACES = {"ours": "io.vnet.Manager", "asyncvarlink": "net.example.Peer"}
IMPORTS = {
    "ours": "from vnet_tui.protocol import methods, wire",
    "asyncvarlink": "import asyncvarlink",
}


async def serve_ours(path: str) -> None:
    """Our server, with an API that is made up."""
    from vnet_tui.daemon.rights import Rights
    from vnet_tui.daemon.server import Server
    from vnet_tui.engine.model import Mode
    from vnet_tui.engine.views import HistoryPoint, NetworkInfo, State

    info = NetworkInfo(uuid=UUID(int=1), name="office", state=State.ACTIVE, mode=Mode.NAT)

    class Api:
        async def network(self, _ref: str) -> NetworkInfo:
            return info

        async def samples(self) -> AsyncIterator[HistoryPoint]:
            for number in range(ITEMS):
                yield HistoryPoint(time=float(number), in_bits=1.0, out_bits=2.0)
                await asyncio.sleep(0)

    server = Server(cast("Any", Api()), Rights())
    points = server.methods["Samples"]
    points.__dict__["result"] = HistoryPoint
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listening.bind(path)
    await server.serve(listening)
    await asyncio.Event().wait()


async def serve_asyncvarlink(path: str) -> None:
    """asyncvarlink's server, with the same."""
    from benchmarks.lib import asyncvarlink_peer

    await asyncvarlink_peer.serve(path, INTERFACES["asyncvarlink"], ITEMS)


SERVERS = {"ours": serve_ours, "asyncvarlink": serve_asyncvarlink}


class Client:
    """A plain client."""

    def __init__(self, path: Path, interface: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(20)
        self.socket.connect(str(path))
        self._interface = interface
        self._buffer = b""

    def call(self, method: str, more: bool = False, **parameters: str) -> None:
        """Send a call."""
        self.socket.sendall(self.packed(method, more, **parameters))

    def packed(self, method: str, more: bool = False, **parameters: str) -> bytes:
        """A call as bytes."""
        message: dict[str, object] = {"method": f"{self._interface}.{method}"}
        message |= {"parameters": parameters} | ({"more": True} if more else {})
        return json.dumps(message).encode() + b"\0"

    def reply(self) -> dict[str, Any]:
        """The next reply."""
        while b"\0" not in self._buffer:
            if not (data := self.socket.recv(1 << 16)):
                raise SystemExit("the server ended the connection")
            self._buffer += data
        message, _, self._buffer = self._buffer.partition(b"\0")
        found: dict[str, Any] = json.loads(message)
        if "error" in found:
            raise SystemExit(f"an error: {found}")
        return found


@contextlib.contextmanager
def server(name: str, directory: Path) -> Iterator[tuple[int, Callable[[], Client]]]:
    """A server's process id, and how to connect with it."""
    path = directory / f"{name}.sock"
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.varlink_servers", "--serve", name, str(path)]
    )
    try:
        while not path.exists():
            if process.poll() is not None:
                raise SystemExit(f"{name} doesn't start")
            time.sleep(0.05)
        time.sleep(0.2)
        yield process.pid, lambda: Client(path, INTERFACES[name])
    finally:
        process.kill()
        process.wait()


def measure(name: str, directory: Path) -> dict[str, list[float]]:
    """All figures of one server."""
    taken: dict[str, list[float]] = {"call": [], "stream": []}
    with server(name, directory) as (pid, connect):
        client = connect()
        for _ in range(CALLS):
            began = time.perf_counter()
            client.call("Network", ref="office")
            client.reply()
            taken["call"].append((time.perf_counter() - began) * 1e6)
        for _ in range(5):
            client = connect()
            began = time.perf_counter()
            client.call("Samples", more=True)
            while client.reply().get("continues"):
                pass
            taken["stream"].append((time.perf_counter() - began) / ITEMS * 1e6)
        taken["endless"] = [_grown(pid, _endless(connect(), FLOOD))]
        taken["unread"] = [_grown(pid, _unread(connect()))]
    taken["import"] = [_import_time(IMPORTS[name]) for _ in range(11)]
    return taken


def _grown(pid: int, flood: Iterator[None]) -> float:
    before = proportional_memory([pid])
    next(flood)
    time.sleep(0.5)
    grown = (proportional_memory([pid]) - before) / MIB
    flood.close()  # type: ignore[attr-defined]
    return max(grown, 0.1)


def _endless(client: Client, size: int) -> Iterator[None]:
    """A message without an end."""
    client.socket.settimeout(3)
    with contextlib.suppress(OSError):
        for _ in range(size):
            client.socket.sendall(b"x" * MIB)
    yield
    client.socket.close()


def _unread(client: Client) -> Iterator[None]:
    """Calls whose replies nobody reads."""
    client.socket.settimeout(3)
    many = client.packed("Network", ref="x" * 20) * 1000
    with contextlib.suppress(OSError):
        for _ in range(100):
            client.socket.sendall(many)
    yield
    client.socket.close()


def _import_time(statement: str) -> float:
    """What an import takes after that of asyncio, in ms."""
    code = (
        "import asyncio, time; began = time.perf_counter()\n"
        f"{statement}\nprint(time.perf_counter() - began)"
    )
    environ = {name: value for name, value in os.environ.items() if "BYTECODE" not in name}
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, env=environ, capture_output=True, text=True
    )
    return float(done.stdout) * 1000


FIGURES = {
    "call": ("a call", "µs "),
    "stream": ("an item of a stream", "µs "),
    "import": ("import, after asyncio", "ms "),
    "endless": (f"{FLOOD} MiB without an end", "MiB"),
    "unread": ("100,000 calls, none read", "MiB"),
}


def main() -> int:
    """Measure both, and print a table; 0."""
    parser = argparse.ArgumentParser(prog="benchmarks.varlink_servers", description=__doc__)
    parser.add_argument("--serve", nargs=2, metavar=("SERVER", "SOCKET"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        asyncio.run(SERVERS[options.serve[0]](options.serve[1]))
        return 0
    if importlib.util.find_spec("asyncvarlink") is None:
        parser.error("asyncvarlink is missing: pip install asyncvarlink")
    with tempfile.TemporaryDirectory() as directory:
        taken = {name: measure(name, Path(directory)) for name in SERVERS}
    print_report(
        "asyncvarlink",
        [
            Comparison(
                what=what, unit=unit, ours=taken["ours"][key], peers=taken["asyncvarlink"][key]
            )
            for key, (what, unit) in FIGURES.items()
        ],
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
