"""Drafts: a document and a network at once, undone step by step, staged and dropped."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from vnet_tui.assets import examples
from vnet_tui.drafts.draft import KEPT_STEPS, Draft
from vnet_tui.drafts.staged import Staged
from vnet_tui.engine.model import Network
from vnet_tui.engine.xml import parse, write

FOO = UUID("596a5d21-71f4-8fb2-e068-e2386a5c413e")
BASE = write(parse((examples() / "foo.xml").read_text()))


def draft() -> Draft:
    return Draft.of(FOO, BASE)


def titled(before: Draft, title: str) -> Draft:
    assert before.network is not None
    return before.edited(f"title {title}", replace(before.network, title=title))


def test_form_and_document_are_two_views_of_one_thing() -> None:
    by_form = titled(draft(), "Lab")
    assert "<title>Lab</title>" in by_form.text
    by_hand = draft().retyped("typed", by_form.text)
    assert by_hand.network == by_form.network
    assert [line for line in by_form.difference() if line.startswith("+ ")] == [
        "+  <title>Lab</title>"
    ]


def test_what_a_form_makes_is_written_when_its_text_is_asked_for() -> None:
    by_form = titled(draft(), "Lab")
    written_before = by_form.written
    assert "<title>Lab</title>" in by_form.text
    assert (written_before, by_form.written) == (False, True)
    further = titled(titled(draft(), "Lab"), "Laboratory")
    assert "<title>Lab</title>" in further.undone().text


def test_a_broken_document_is_kept_and_told() -> None:
    broken = draft().retyped("typed", BASE.replace("</network>", "</netwrk>"))
    assert broken.network is None
    assert broken.problems
    assert broken.undone().network == draft().network


def test_edits_are_undone_one_by_one_and_the_oldest_stay_made() -> None:
    made = draft()
    for number in range(KEPT_STEPS + 2):
        made = titled(made, f"t{number}")
    assert made.retyped("typed", made.text) is made
    assert made.undone().text == titled(draft(), f"t{KEPT_STEPS}").text
    for _ in range(KEPT_STEPS + 5):
        made = made.undone()
    assert made.text == titled(draft(), "t1").text


def test_an_edit_that_goes_on_is_undone_as_one() -> None:
    first = draft().retyped("typed", BASE + "<!-- a -->")
    further = first.retyped("typed", BASE + "<!-- ab -->", goes_on=True)
    other = further.retyped("moved", BASE + "<!-- abc -->", goes_on=True)
    assert [edit.what for edit in other.edits] == ["typed", "moved"]
    assert other.undone().text == further.text
    assert further.undone().text == BASE


def test_a_new_network_gets_a_uuid_that_stays() -> None:
    new = Draft.new(Network(name="fresh"))
    assert new.changed
    assert new.base is None
    assert str(new.uuid) in new.text
    renamed = new.edited("name", Network(name="other"))
    assert renamed.network is not None
    assert renamed.network.uuid == new.uuid


def test_what_is_staged_is_undone_dropped_and_applied() -> None:
    one, two = titled(draft(), "one"), Draft.new(Network(name="fresh"))
    staged = Staged().stage(one).stage(two)
    assert list(staged.drafts) == [FOO, two.uuid]
    assert list(staged.drop(FOO).drafts) == [two.uuid]
    assert staged.drop(FOO).undone().drafts == staged.drafts
    assert staged.undone().drafts == {FOO: one}
    assert len(staged.stage(one.undone())) == 1
    assert staged.stage(one) is staged


def test_what_was_applied_is_not_undone() -> None:
    one, two = titled(draft(), "one"), Draft.new(Network(name="fresh"))
    left = Staged().stage(one).stage(two).applied(FOO)
    assert list(left.drafts) == [two.uuid]
    while left.past:
        left = left.undone()
        assert FOO not in left.drafts
