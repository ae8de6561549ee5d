"""From the bytes that somebody sent to text that an XML parser may see."""

from __future__ import annotations

import codecs
import re

from vnet_tui.engine.errors import DocumentError, Problem
from vnet_tui.engine.xml.limits import MAX_BYTES

_DECLARATION = re.compile(rb"""\s*<\?xml[^>]*?\bencoding\s*=\s*["']([^"'>]{1,40})["']""")

_ENCODINGS = ("utf-8", "utf-16", "ascii", "iso8859-1", "iso8859-15", "cp1252")
"""Those that are read, by Python's names; each is a plain table or UTF, without tricks."""

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
"""What XML 1.0 (section 2.2) forbids, and the C1 control characters that it only discourages:
terminals obey some of them."""


def plain(document: str | bytes) -> str:
    """The document as text with plain newlines, whatever characters there are in it.

    Raises :class:`~vnet_tui.engine.errors.DocumentError` when it is too large, in an encoding
    that isn't read, or not valid in its encoding.
    """
    if len(document) > MAX_BYTES:
        raise _too_large()
    text = _decode(document) if isinstance(document, bytes) else document.removeprefix("\ufeff")
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if len(text) * 4 > MAX_BYTES and len(text.encode(errors="surrogatepass")) > MAX_BYTES:
        raise _too_large()
    return text


def decode(document: str | bytes) -> str:
    """The document as :func:`plain` text without control characters. Raises
    :class:`~vnet_tui.engine.errors.DocumentError` as that does, and where it has any."""
    text = plain(document)
    problems = [
        Problem(
            message=f"the control character U+{ord(found.group()):04X} stands in the document",
            remedy="delete it",
            line=text.count("\n", 0, found.start()) + 1,
            column=found.start() - text.rfind("\n", 0, found.start()),
        )
        for found, _ in zip(CONTROL.finditer(text), range(10), strict=False)
    ]
    if problems:
        raise DocumentError("the document has characters that XML doesn't allow", problems)
    return text


def _too_large() -> DocumentError:
    problem = Problem(
        message=f"the document has more than {MAX_BYTES} bytes (MAX_BYTES)",
        remedy="a network with 10,000 rules needs less than half; check that this is the file "
        "that you mean",
    )
    return DocumentError("the document is too large", [problem])


def _decode(data: bytes) -> str:
    encoding = next((name for mark, name in _BYTE_ORDER_MARKS if data.startswith(mark)), None)
    if encoding is None:
        declared = _DECLARATION.match(data)
        encoding = _known(declared.group(1).decode("latin-1"), data) if declared else "utf-8"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        before = data[: error.start]
        problem = Problem(
            message=f"the byte 0x{data[error.start]:02x} is no {encoding}: {error.reason}",
            remedy="save the document as UTF-8, or say its encoding in the first line: "
            '<?xml version="1.0" encoding="ISO-8859-1"?>',
            line=before.count(b"\n") + 1,
            column=error.start - before.rfind(b"\n"),
        )
        raise DocumentError("the document is not text in its encoding", [problem]) from None


def _known(declared: str, data: bytes) -> str:
    try:
        name = codecs.lookup(declared).name
    except LookupError:
        name = ""
    if name not in _ENCODINGS:
        line = data[: data.find(b"encoding")].count(b"\n") + 1
        problem = Problem(
            message=f"the encoding {declared!r} isn't read here",
            remedy="save the document as UTF-8",
            line=line,
        )
        raise DocumentError("the document is in an unknown encoding", [problem])
    return name
