"""What answers in the sandbox: a small web server and an echo, on sockets made elsewhere."""

from __future__ import annotations

import asyncio
import socket
from typing import cast

_LARGEST = 1 << 20
_CHUNK = 8 << 10
_PAUSE = 0.05
_PATIENCE = 10.0
_PAGE = b"<!doctype html><title>It works</title><p>You reached a web server of the sandbox.</p>\n"
_FILLING = bytes(range(32, 127)) * (_CHUNK // 95 + 1)


async def web(listening: socket.socket) -> asyncio.Server:
    """HTTP/1.0: ``GET /`` a page, ``GET /N`` N bytes (at most 1 MiB), ``PUT`` is read and dropped.

    Bodies come at no more than some 1.3 Mbit/s (``_CHUNK`` bytes every ``_PAUSE`` seconds).
    """
    return await asyncio.start_server(_serve_web, sock=listening, limit=_CHUNK)


async def echo(listening: socket.socket) -> asyncio.Server:
    """Sends back what comes, over TCP."""
    return await asyncio.start_server(_serve_echo, sock=listening)


async def echo_datagrams(bound: socket.socket) -> asyncio.DatagramTransport:
    """Sends back what comes, over UDP."""
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(_Echo, sock=bound)
    return transport


class _Echo(asyncio.DatagramProtocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._transport.sendto(data, addr)


async def _serve_echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass  # the other end is gone: nobody is left to tell
    finally:
        writer.close()


async def _serve_web(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        async with asyncio.timeout(_PATIENCE):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").splitlines()
            method, target, *_ = [*head[0].split(), "", ""]
            if method == "PUT":
                await _drop_body(reader, head)
                _answer(writer, "204 No Content", 0)
            elif method == "GET":
                await _send(writer, target.lstrip("/"))
            else:
                _answer(writer, "501 Not Implemented", 0)
            await writer.drain()
    except (OSError, EOFError, ValueError, asyncio.LimitOverrunError):
        pass  # a client that went, or wasn't one
    finally:
        writer.close()


async def _drop_body(reader: asyncio.StreamReader, head: list[str]) -> None:
    fields = (line.partition(":") for line in head[1:])
    lengths = [int(value) for name, _, value in fields if name.lower() == "content-length"]
    left = min(lengths[0], _LARGEST) if lengths else 0
    while left > 0 and (data := await reader.read(_CHUNK)):
        left -= len(data)


async def _send(writer: asyncio.StreamWriter, target: str) -> None:
    if not target.isdigit():
        _answer(writer, "200 OK", len(_PAGE), "text/html")
        writer.write(_PAGE)
        return
    left = min(int(target), _LARGEST)
    _answer(writer, "200 OK", left)
    while left > 0:
        writer.write(_FILLING[: min(left, _CHUNK)])
        left -= _CHUNK
        await writer.drain()
        await asyncio.sleep(_PAUSE)


def _answer(
    writer: asyncio.StreamWriter, status: str, length: int, kind: str = "text/plain"
) -> None:
    head = (f"HTTP/1.0 {status}", f"Content-Type: {kind}", f"Content-Length: {length}", "", "")
    writer.write("\r\n".join(head).encode())
