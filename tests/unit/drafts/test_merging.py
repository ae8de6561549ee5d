"""Two changes of one document, brought together or not."""

from __future__ import annotations

import pytest

from vnet_tui.drafts.merging import merged

BASE = "a\nb\nc\nd\ne\n"


@pytest.mark.parametrize(
    ("mine", "theirs", "both"),
    [
        ("A\nb\nc\nd\ne\n", "a\nb\nc\nd\nE\n", "A\nb\nc\nd\nE\n"),
        ("a\nb\nc\nd\ne\nf\n", "b\nc\nd\ne\n", "b\nc\nd\ne\nf\n"),
        ("a\nb\nC\nd\ne\n", "a\nb\nC\nd\ne\n", "a\nb\nC\nd\ne\n"),
        (BASE, "a\nc\n", "a\nc\n"),
    ],
    ids=["apart", "at both ends", "the same", "only theirs"],
)
def test_changes_that_do_not_meet_are_joined(mine: str, theirs: str, both: str) -> None:
    assert merged(BASE, mine, theirs) == both
    assert merged(BASE, theirs, mine) == both


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [
        ("a\nB\nc\nd\ne\n", "a\nβ\nc\nd\ne\n"),
        ("a\nB\nc\nd\ne\n", "a\nb\nC\nd\ne\n"),
        ("a\nb\nx\nc\nd\ne\n", "a\nb\ny\nc\nd\ne\n"),
        ("a\nd\ne\n", "a\nb\nC\nd\ne\n"),
    ],
    ids=["one line", "neighbours", "one place", "within what is gone"],
)
def test_changes_that_meet_are_left_to_people(mine: str, theirs: str) -> None:
    assert merged(BASE, mine, theirs) is None
    assert merged(BASE, theirs, mine) is None
