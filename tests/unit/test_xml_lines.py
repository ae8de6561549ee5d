"""Colouring XML: every character comes out once, whatever the document."""

from __future__ import annotations

import random

from hypothesis import given, strategies as st

from vnet_tui.widgets.xml_lines import Highlights, Piece, highlight

DOCUMENTS = st.text(alphabet=st.sampled_from(list("<>/!-?='\"ab \t\n\x00")), max_size=80)


@given(DOCUMENTS)
def test_the_pieces_add_up_to_the_document(document: str) -> None:
    lines = ["".join(text for _, text in pieces) for pieces in highlight(document)]
    assert "\n".join(lines) == document
    assert all(text for pieces in highlight(document) for _, text in pieces)


@given(st.lists(DOCUMENTS, min_size=1, max_size=3), st.randoms(use_true_random=False))
def test_lines_that_are_looked_at_one_by_one_are_cut_alike(
    documents: list[str], chance: random.Random
) -> None:
    highlights = Highlights()
    for document in documents:
        lines = document.split("\n")
        highlights.update(lines)
        for line in chance.sample(range(len(lines)), chance.randint(0, len(lines))):
            assert highlights.pieces(line) == list(highlight(document))[line]
    assert highlights.pieces(len(lines)) == []


def test_a_tag_with_attributes() -> None:
    [pieces] = highlight("<ip address=\"10.0.0.1\" prefix='24'/>")
    assert [(piece, text) for piece, text in pieces if text.strip()] == [
        (Piece.MARK, "<"),
        (Piece.TAG, "ip"),
        (Piece.ATTRIBUTE, "address"),
        (Piece.MARK, "="),
        (Piece.VALUE, '"10.0.0.1"'),
        (Piece.ATTRIBUTE, "prefix"),
        (Piece.MARK, "="),
        (Piece.VALUE, "'24'"),
        (Piece.MARK, "/>"),
    ]


def test_a_comment_over_several_lines_stays_a_comment() -> None:
    lines = list(highlight("<a><!-- one\n <b> two\n three --><c/>"))
    assert lines[1] == [(Piece.COMMENT, " <b> two")]
    assert lines[2][0] == (Piece.COMMENT, " three -->")
    assert (Piece.TAG, "c") in lines[2]


def test_a_tag_may_go_on_in_the_next_line() -> None:
    lines = list(highlight('<ip\n  address="10.0.0.1"/>text'))
    assert (Piece.ATTRIBUTE, "address") in lines[1]
    assert lines[1][-1] == (Piece.TEXT, "text")
