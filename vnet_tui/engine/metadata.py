"""Programs' own data in a network's document: one element a program, known by its XML namespace.

As virDomainSetMetadata has it: whoever reads gets the element without the namespace, whoever
writes gives it so. What other programs keep there stays. Pure.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from vnet_tui.engine.errors import VnetError
from vnet_tui.engine.model import Network

if TYPE_CHECKING:
    from vnet_tui.engine.xml.tree import Xml

_PREFIX = re.compile(r"[A-Za-z_][\w.-]{0,63}")


def metadata_of(network: Network, uri: str) -> str | None:
    """The element of the program with the namespace ``uri``, without it; None: there is none."""
    from lxml import etree

    for element in _elements(network, uri):
        for node in element.iter():
            if isinstance(node.tag, str) and etree.QName(node).namespace == uri:
                node.tag = etree.QName(node).localname
        etree.cleanup_namespaces(element)
        return str(etree.tostring(element, encoding="unicode", with_tail=False))
    return None


def with_metadata(network: Network, uri: str, element: str | None, prefix: str = "") -> Network:
    """The network with a program's element replaced, or added; or removed where it is None.

    ``prefix`` is what stands for the namespace in the document. Raises
    :class:`~vnet_tui.engine.errors.VnetError` for what is no element, no prefix, or no namespace.
    """
    from lxml import etree

    if not uri or uri != uri.strip():
        raise VnetError(f"{uri!r} is no XML namespace", "like http://example.org/my-program")
    for old in _elements(network, uri):
        parent = old.getparent()
        if parent is not None:
            parent.remove(old)
        root = parent
        break
    else:
        root = _root(network)
    if element is not None:
        if root is None:
            root = etree.Element("metadata")
        root.append(_named(element, uri, prefix))
    if root is None or (not len(root) and not (root.text or "").strip()):
        return replace(network, metadata=None)
    return replace(network, metadata=str(etree.tostring(root, encoding="unicode", with_tail=False)))


def _root(network: Network) -> Xml | None:
    from vnet_tui.engine.xml.tree import tree

    return None if network.metadata is None else tree(network.metadata)


def _elements(network: Network, uri: str) -> list[Xml]:
    from lxml import etree

    root = _root(network)
    if root is None:
        return []
    return [
        child
        for child in root
        if isinstance(child.tag, str) and etree.QName(child).namespace == uri
    ]


def _named(element: str, uri: str, prefix: str) -> Xml:
    """The element, in a namespace."""
    from lxml import etree

    from vnet_tui.engine.xml.tree import tree

    if not _PREFIX.fullmatch(prefix):
        raise VnetError(
            f"{prefix!r} is no prefix of a namespace"
            if prefix
            else "metadata needs a prefix (key)",
            "a letter, then letters and digits",
        )
    given = tree(element.strip())
    if etree.QName(given).namespace is not None:
        raise VnetError(
            f"<{etree.QName(given).localname}> has a namespace already", "leave xmlns out"
        )
    try:
        made = etree.Element(etree.QName(uri, str(given.tag)), nsmap={prefix: uri, **given.nsmap})
    except ValueError as error:
        raise VnetError(f"{uri!r} is no XML namespace: {error}") from error
    made.text = given.text
    for name, value in given.items():
        made.set(name, value)
    made.extend(list(given))
    return made
