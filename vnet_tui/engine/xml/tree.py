"""The XML parser and the schema: the only place where lxml is used."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from lxml import etree

from vnet_tui.engine.errors import DocumentError, Problem

Xml = etree._Element

_WORDS = (
    (
        "AttValue: \" or ' expected",
        "the value of an attribute has no quotes",
        'name="value"',
    ),
    (
        "Unescaped '<' not allowed in attributes values",
        "a < stands in the value of an attribute",
        "is a quote missing before it? A < that is meant is written &lt;",
    ),
    (
        "AttValue: ' expected",
        "the value of an attribute has no closing quote",
        "write the same quote on both sides of the value",
    ),
    (
        "attributes construct error",
        "attributes aren't divided by spaces, or one has no value",
        'name="value" other="value"',
    ),
    (
        "Specification mandates value for attribute",
        "an attribute has no value",
        'name="value"',
    ),
    ("Couldn't find end of Start Tag", "a tag isn't closed", "write > or /> at its end"),
    ("xmlParseEntityRef: no name", "an & stands alone", "write &amp;"),
    ("EntityRef: expecting ';'", "an & begins an entity that has no end", "write &amp; for an &"),
    (
        "xmlParseCharRef",
        "a character reference isn't allowed or isn't a number",
        "&#65; or &#x41;, and no control characters",
    ),
    (
        "Extra content at the end of the document",
        "something stands after the end of the root element",
        "one document holds one <network>; delete what follows </network>",
    ),
    (
        "XML declaration allowed only at the start",
        "the <?xml … ?> declaration isn't at the very beginning",
        "delete what is before it, or it",
    ),
    (
        "Double hyphen within comment",
        "a comment holds --",
        "comments end with --> and can't have -- before that",
    ),
    ("Start tag expected, '<' not found", "the document is no XML", "it begins with <network>"),
    ("Document is empty", "the document is empty", "it begins with <network>"),
)
"""What libxml2 says (the beginnings of its messages), what that means, and how to mend it."""

_ENTITY = re.compile(r"Entity '(.*?)' not defined")
_ATTRIBUTE_TWICE = re.compile(r"Attribute (\S+) redefined")
_PREFIX = re.compile(r"Namespace prefix (\S+) (?:for \S+ )?on (\S+) is not defined")


def tree(text: str) -> Xml:
    """The root element of a document.

    Entities other than the five of XML can't occur, nothing is fetched, comments and CDATA
    sections stay. Raises :class:`~vnet_tui.engine.errors.DocumentError` with the first error.
    """
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        strip_cdata=False,
    )
    try:
        return etree.fromstring(text.encode(), parser)
    except etree.XMLSyntaxError as error:
        entries = list(parser.error_log)
        if entries:
            problem = _in_words(entries[0].message, entries[0].line, entries[0].column)
        else:
            line, column = error.position
            problem = _in_words(error.msg or "no XML", line, column)
        raise DocumentError("the document is not well-formed XML", [problem]) from None


def is_comment(node: Xml) -> bool:
    """Whether a node is a comment (lxml counts them as elements)."""
    return isinstance(node, etree._Comment)


def _in_words(message: str, line: int, column: int) -> Problem:
    for beginning, meaning, remedy in _WORDS:
        if message.startswith(beginning):
            return Problem(message=meaning, remedy=remedy, line=line, column=column)
    if found := _ENTITY.match(message):
        return Problem(
            message=f"the entity &{found[1]}; isn't known",
            remedy="only &amp; &lt; &gt; &quot; &apos; and numbers like &#228; are; an & itself is "
            "written &amp;",
            line=line,
            column=column,
        )
    if found := _ATTRIBUTE_TWICE.match(message):
        return Problem(
            message=f"the attribute {found[1]} is given twice",
            remedy="delete one of the two",
            line=line,
            column=column,
        )
    if found := _PREFIX.match(message):
        return Problem(
            message=f"{found[2]} has the prefix {found[1]}: that nothing declares",
            remedy=f'declare it, xmlns:{found[1]}="…", on <metadata>; elsewhere use no prefixes',
            line=line,
            column=column,
        )
    return Problem(message=message.strip(), line=line, column=column)


@cache
def schema() -> etree.RelaxNG:
    """The schema that ships with the package."""
    return etree.RelaxNG(etree.fromstring(Path(__file__).with_name("schema.rng").read_bytes()))


def schema_problem(root: Xml) -> Problem | None:
    """The first thing that the schema has against a document, in libxml2's words; None: valid."""
    checker = schema()
    if checker.validate(root):
        return None
    first = checker.error_log[0]
    return Problem(message=first.message, line=first.line)
