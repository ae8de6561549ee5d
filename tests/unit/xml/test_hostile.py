"""Documents that are made to hurt, or that were damaged: refused, at once, with a reason."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.unit.xml.test_messages import problems_of
from vnet_tui.engine.xml import limits, parse

PATIENCE = 2.0
"""Seconds of CPU that no document may take; most are refused within a tenth of one."""

LAUGHS = "".join(f'<!ENTITY l{n + 1} "{f"&l{n};" * 10}">' for n in range(9))
ATTRIBUTES = " ".join(f"a{n}='1'" for n in range(10_000))

HOSTILE = {
    "billion laughs": (
        f'<!DOCTYPE network [<!ENTITY l0 "lol">{LAUGHS}]><network><name>&l9;</name></network>',
        "a <!DOCTYPE>",
    ),
    "doctype in the middle": ("<network><!DOCTYPE a></network>", "a <!DOCTYPE>"),
    "depth": ("<network>" + "<a>" * 10_000, "nested more than 16 deep (MAX_DEPTH)"),
    "balanced depth": ("<a>" * 17 + "</a>" * 17, "nested more than 16 deep (MAX_DEPTH)"),
    "10 MB": (f"<network><name>{'x' * 10_000_000}</name></network>", "2097152 bytes (MAX_BYTES)"),
    "10 MB of bytes": (b" " * 10_000_000, "2097152 bytes (MAX_BYTES)"),
    "large only as UTF-8": ("<network>" + "€" * 1_000_000, "2097152 bytes (MAX_BYTES)"),
    "elements": (f"<network>{'<a/>' * 30_001}</network>", "30000 elements and comments"),
    "comments": (f"<network>{'<!---->' * 30_001}</network>", "30000 elements and comments"),
    "attributes": (
        f"<network {ATTRIBUTES}/>",
        "65536 characters (MAX_TAG)",
    ),
    "many open comments": ("<!--" * 500_000, "this comment never ends"),
    "no tags": ("<" * 2_000_000, "StartTag: invalid element name"),
    "open quotes": ('<a "' * 500_000, "error parsing attribute name"),
    "end tags": ("</a>" * 500_000, "</a> closes nothing"),
    "a long name": ("<" + "a" * 2_000_000, "Name too long: NCName"),
    "a long entity": (f"<network>&{'a' * 2_000_000}</network>", "Name too long: Name"),
    "NUL": ("<network><name>a\0b</name></network>", "U+0000"),
    "NUL in bytes": (b"<network>\0</network>", "U+0000"),
    "escape": ("<network><name>\x1b[2J</name></network>", "U+001B"),
    "C1": ("<network><name>\x9b2J</name></network>", "U+009B"),
    "surrogate": ("<network><name>\ud800</name></network>", "U+D800"),
    "invalid UTF-8": (b"<network>\n <name>\xff</name></network>", "the byte 0xff is no utf-8"),
    "cut UTF-16": ("<network/>".encode("utf-16")[:-1], "is no utf-16"),
    "unknown encoding": (b'<?xml version="1.0" encoding="klingon"?><network/>', "'klingon'"),
    "dangerous encoding": (
        b'<?xml version="1.0" encoding="unicode_escape"?><network/>',
        "isn't read",
    ),
}


@pytest.mark.parametrize(("document", "expected"), HOSTILE.values(), ids=HOSTILE.keys())
def test_it_is_refused_quickly_and_by_name(document: str | bytes, expected: str) -> None:
    begin = time.process_time()
    problems = problems_of(document)
    assert time.process_time() - begin < PATIENCE
    assert expected in problems[0].message
    assert len(problems) <= limits.MAX_PROBLEMS + 1


def test_an_external_file_is_never_looked_at(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    for declaration in (f'SYSTEM "{secret}"', f'[<!ENTITY x SYSTEM "file://{secret}">]'):
        problems = problems_of(f"<!DOCTYPE network {declaration}><network>&x;</network>")
        assert [problem.message[:13] for problem in problems] == ["a <!DOCTYPE> "]


def test_as_many_rules_as_the_limit_says_are_read() -> None:
    rules = "".join(f'<deny port="{port}"/>' for port in range(1, limits.MAX_RULES + 1))
    document = "<network><name>x</name><forwarding><outgoing>{}</outgoing></forwarding></network>"
    network = parse(document.format(rules))
    assert len(network.outgoing.rules) == limits.MAX_RULES
    [problem] = problems_of(document.format(rules + "<deny/>"))
    assert "more than 10000 rules (MAX_RULES)" in problem.message


def test_no_more_problems_are_told_than_anyone_reads() -> None:
    problems = problems_of(f"<network><name>x</name>{'<a/>' * 1000}</network>")
    assert len(problems) == limits.MAX_PROBLEMS + 1
    assert problems[-1].message == "and 800 problems more (MAX_PROBLEMS)"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "iso-8859-1", "windows-1252"])
def test_usual_encodings_are_read(encoding: str) -> None:
    document = f'<?xml version="1.0" encoding="{encoding.removesuffix("-sig")}"?>\r\n'
    document += "<network>\r\n<name>Büro</name></network>"
    network = parse(document.encode(encoding))
    assert network.name == "Büro"
    assert network.line == 2
