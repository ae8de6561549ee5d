"""From a document to the model, with everything that is wrong with its form at once."""

from __future__ import annotations

from dataclasses import replace

from vnet_tui.engine.model import Network
from vnet_tui.engine.xml.similar import Similar
from vnet_tui.engine.xml.source import plain
from vnet_tui.engine.xml.walk import Reading, document_error, walk

_read_before = Similar()


def parse(document: str | bytes) -> Network:
    """The network that a document describes.

    Raises :class:`~vnet_tui.engine.errors.DocumentError` with every problem of its form, each with
    line and column. Whether what it says makes sense is :mod:`vnet_tui.engine.check`'s to tell.
    """
    reading = read(document)
    if reading.problems:
        raise document_error(reading.problems)
    return reading.network


def reread(document: str | bytes) -> Network:
    """The network in a document that was parsed before it was kept, at half the cost.

    Our own walk finds whatever is wrong with it by now; the schema, which tests hold to agree with
    the walk, isn't asked again. Raises :class:`~vnet_tui.engine.errors.DocumentError`.
    """
    known = _read_before.read(plain(document), valid=False)
    if known is not None:
        return known
    found = walk(document)
    if found.reading.problems:
        raise document_error(found.reading.problems)
    _read_before.remember(found, valid=False)
    return found.reading.network


def read(document: str | bytes) -> Reading:
    """As much as can be read of a document, and what is wrong with the rest.

    The schema has the last word: what it refuses is refused, though our own walk over the document
    found nothing to say. Raises :class:`~vnet_tui.engine.errors.DocumentError` for one that is no
    XML, too large, or not about a network at all.
    """
    from vnet_tui.engine.xml import tree

    known = _read_before.read(plain(document), valid=True)
    if known is not None:
        return Reading(known, (), frozenset())
    found = walk(document)
    if found.reading.problems:
        return found.reading
    if refused := tree.schema_problem(found.root):
        return replace(found.reading, problems=(refused,))
    _read_before.remember(found, valid=True)
    return found.reading
