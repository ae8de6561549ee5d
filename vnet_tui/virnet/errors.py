"""``libvirtError``, and which of the engine's errors is which of libvirt's codes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from vnet_tui.engine import errors
from vnet_tui.virnet import constants as c

ErrorTuple = tuple[int, int, str, int, str | None, str | None, str | None, int, int]
"""Code, domain, message, level, three texts and two numbers that say more: virterror.h."""

ErrorHandler = Callable[[Any, ErrorTuple], object]

_CODES: tuple[tuple[type[errors.VnetError], int, int], ...] = (
    (errors.DocumentError, c.VIR_ERR_XML_ERROR, c.VIR_FROM_NETWORK),
    (errors.NotFoundError, c.VIR_ERR_NO_NETWORK, c.VIR_FROM_NETWORK),
    (errors.StateError, c.VIR_ERR_OPERATION_INVALID, c.VIR_FROM_NETWORK),
    (errors.UnsupportedError, c.VIR_ERR_CONFIG_UNSUPPORTED, c.VIR_FROM_NETWORK),
    (errors.BusyError, c.VIR_ERR_RESOURCE_BUSY, c.VIR_FROM_NETWORK),
    (errors.NotPermittedError, c.VIR_ERR_ACCESS_DENIED, c.VIR_FROM_NETWORK),
    (errors.ConnectionLostError, c.VIR_ERR_RPC, c.VIR_FROM_RPC),
    (errors.VnetError, c.VIR_ERR_OPERATION_FAILED, c.VIR_FROM_NETWORK),
)


class libvirtError(Exception):
    """What every method raises. ``err`` is what libvirt's bindings keep there."""

    def __init__(self, defmsg: str, err: ErrorTuple | None = None) -> None:
        super().__init__(err[2] if err else defmsg)
        self.err = err

    def get_error_code(self) -> int | None:
        """One of ``VIR_ERR_*``."""
        return self.err[0] if self.err else None

    def get_error_domain(self) -> int | None:
        """One of ``VIR_FROM_*``."""
        return self.err[1] if self.err else None

    def get_error_message(self) -> str | None:
        """What went wrong, where, and how to mend it."""
        return self.err[2] if self.err else None

    def get_error_level(self) -> int | None:
        """``VIR_ERR_ERROR``."""
        return self.err[3] if self.err else None

    def get_str1(self) -> str | None:
        """More text: here the message again, as libvirt does."""
        return self.err[4] if self.err else None

    def get_str2(self) -> str | None:
        """More text: here how to mend it, or None."""
        return self.err[5] if self.err else None

    def get_str3(self) -> str | None:
        """More text."""
        return self.err[6] if self.err else None

    def get_int1(self) -> int | None:
        """A number that says more: here the line of a document, or -1."""
        return self.err[7] if self.err else None

    def get_int2(self) -> int | None:
        """A number that says more: here the column of a document, or -1."""
        return self.err[8] if self.err else None


_handler: tuple[ErrorHandler, Any] | None = None


def registerErrorHandler(f: ErrorHandler | None, ctx: Any) -> int:
    """Call ``f(ctx, error)`` before each error is raised, in the thread that it is raised in;
    None: nobody any more. Without one nothing is written anywhere. Returns 1."""
    global _handler
    _handler = (f, ctx) if f is not None else None
    return 1


def failure(code: int, domain: int, message: str, *, remedy: str = "") -> libvirtError:
    """An error that didn't come from the engine, told to the handler."""
    return _told((code, domain, message, c.VIR_ERR_ERROR, message, remedy or None, None, -1, -1))


@contextmanager
def translated() -> Iterator[None]:
    """Errors of the engine leave as libvirt's."""
    try:
        yield
    except errors.VnetError as error:
        raise _translation(error) from error


def _translation(error: errors.VnetError) -> libvirtError:
    code, domain = next((code, domain) for kind, code, domain in _CODES if isinstance(error, kind))
    problems = error.problems if isinstance(error, errors.ProblemsError) else ()
    line, column = (problems[0].line or -1, problems[0].column or -1) if problems else (-1, -1)
    texts = (str(error), error.remedy or None, None)
    return _told((code, domain, str(error), c.VIR_ERR_ERROR, *texts, line, column))


def _told(err: ErrorTuple) -> libvirtError:
    if _handler is not None:
        function, context = _handler
        function(context, err)
    return libvirtError(err[2], err)
