"""A connection through which nothing can be changed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, cast

from vnet_tui.engine.errors import NotPermittedError
from vnet_tui.protocol.methods import changes

if TYPE_CHECKING:
    from vnet_tui.client.connection import Connection


class _ReadOnly:
    """Hands on what only reads."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def __getattr__(self, name: str) -> object:
        return _refusal(name) if changes(name) else getattr(self._connection, name)


def only_reading(connection: Connection) -> Connection:
    """The same connection, whose changes raise
    :class:`~vnet_tui.engine.errors.NotPermittedError`."""
    return cast("Connection", _ReadOnly(connection))


def _refusal(name: str) -> Callable[..., Awaitable[None]]:
    async def refuse(*_: Any, **__: Any) -> None:
        raise NotPermittedError(
            f"this is only to look: {name} would change something",
            "start vnet-tui without --read-only",
        )

    return refuse
