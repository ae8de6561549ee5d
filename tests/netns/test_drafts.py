"""Staged drafts on a real engine: all of them are applied, or none."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest

from tests.support.inventory import inventory
from tests.support.lab import Lab
from tests.support.networks import document
from vnet_tui.client.connection import Connection
from vnet_tui.client.local import LocalConnection
from vnet_tui.drafts.applying import NotAppliedError, apply_drafts
from vnet_tui.drafts.draft import Draft
from vnet_tui.drafts.outlook import outlook_of
from vnet_tui.engine.errors import StateError
from vnet_tui.engine.model import Dhcp, Network
from vnet_tui.engine.xml import parse


async def defined(connection: Connection, name: str, address: str = "10.61.0.1") -> Draft:
    info = await connection.define(document(name, address=address))
    return Draft.of(info.uuid, await connection.xml(info.uuid, inactive=True))


def named(draft: Draft, title: str) -> Draft:
    assert draft.network is not None
    return draft.edited("title", replace(draft.network, title=title))


def shorter(draft: Draft) -> Draft:
    assert draft.network is not None
    dhcp = draft.network.dhcp or Dhcp()
    return draft.edited("lease time", replace(draft.network, dhcp=replace(dhcp, lease_time=600)))


async def titles(connection: Connection) -> dict[str, str]:
    return {info.name: info.title for info in await connection.networks()}


async def test_all_drafts_are_stored_and_applied_to_what_runs(lab: Lab) -> None:
    async with LocalConnection(lab.paths) as connection:
        one = await defined(connection, "one")
        await connection.start(["one"])
        new = Draft.new(Network(name="fresh"))
        applied = await apply_drafts(connection, [shorter(named(one, "first")), new])
        assert (applied.checkpoint, applied.warnings) == (None, ())
        assert await titles(connection) == {"fresh": "", "one": "first"}
        info = await connection.network("one")
        assert (info.pending, info.active) == (False, True)
        runs = parse(await connection.xml("one")).dhcp
        assert runs is not None
        assert runs.lease_time == 600
        assert await connection.checkpoint() is None
        await connection.stop(["one"])


async def test_one_that_somebody_changed_keeps_all_from_being_applied(lab: Lab) -> None:
    async with LocalConnection(lab.paths) as mine, LocalConnection(lab.paths) as theirs:
        one = await defined(mine, "one")
        new = Draft.new(Network(name="fresh"))
        await apply_drafts(theirs, [named(one, "theirs")])
        before = inventory(lab.paths)
        with pytest.raises(NotAppliedError, match="changed since you read it") as caught:
            await apply_drafts(mine, [new, named(one, "mine")])
        assert isinstance(caught.value.cause, StateError)
        assert (caught.value.name, caught.value.still_open) == ("one", None)
        assert len(caught.value.taken_back) == 1
        assert "fresh" in caught.value.taken_back[0]
        assert await titles(mine) == {"one": "theirs"}
        assert inventory(lab.paths) == before
        assert await mine.checkpoint() is None
        again = named(one, "mine").rebased(await mine.xml("one", inactive=True))
        await apply_drafts(mine, [again])
        assert await titles(mine) == {"one": "mine"}


async def test_changes_on_trial_go_back_unless_they_are_confirmed(lab: Lab) -> None:
    async with LocalConnection(lab.paths) as connection:
        one = await defined(connection, "one")
        kept: list[UUID] = []
        for confirmed in (False, True):
            tried = await apply_drafts(connection, [named(one, "trial")], confirm_within=60)
            checkpoint = tried.checkpoint
            assert checkpoint is not None
            assert await titles(connection) == {"one": "trial"}
            if confirmed:
                await connection.confirm(checkpoint.id)
                kept.append(one.uuid)
            else:
                await connection.roll_back(checkpoint.id)
                assert await titles(connection) == {"one": ""}
        assert kept
        assert await titles(connection) == {"one": "trial"}


async def test_what_one_gives_up_another_may_take_whichever_was_begun_first(lab: Lab) -> None:
    async with LocalConnection(lab.paths) as connection:
        one = await defined(connection, "one")
        two = await defined(connection, "two", "10.62.0.1")
        await connection.start(["one", "two"])
        free = two.retyped("move", two.text.replace("10.62.", "10.63."))
        takes = one.retyped("move", one.text.replace("10.61.", "10.62."))
        (problem,) = await connection.validate(takes.text)
        assert "overlaps 10.62.0.0/24 of the network two" in problem.message
        assert not (await outlook_of(connection, takes, [takes, free])).problems
        clash = takes.retyped("clash", takes.text.replace("10.62.", "10.63."))
        (problem,) = (await outlook_of(connection, clash, [clash, free])).problems
        assert problem.message.endswith("of the network two, as two is pending here")
        await apply_drafts(connection, [takes, free])
        assert [str(info.addresses[0]) for info in await connection.networks()] == [
            "10.62.0.1/24",
            "10.63.0.1/24",
        ]
        await connection.stop(["one", "two"])
