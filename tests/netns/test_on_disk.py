"""Definitions changed by hand are noticed and told, shown as pending, and never applied."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from pathlib import Path

import pytest

from tests.support.eventually import soon
from tests.support.heard import Heard
from tests.support.inventory import inventory
from tests.support.lab import Lab
from tests.support.networks import document, network
from vnet_tui.engine.engine import Engine
from vnet_tui.engine.model import Network
from vnet_tui.engine.store import Store, StoreContents
from vnet_tui.engine.views import EventKind, NetworkInfo, State
from vnet_tui.engine.xml import reread, write

ONE, TWO = document("one"), document("two", address="10.2.0.1")
EDITED = ONE.replace("10.1.0.200", "10.1.0.150")
TOLD = EventKind.CHANGED_ON_DISK
MANY = 1_500


@pytest.fixture
async def engine(lab: Lab) -> AsyncIterator[Engine]:
    """An engine that watches network ``one`` run, and ``two`` lie in the store."""
    async with Engine(lab.paths) as made:
        await made.define(ONE)
        await made.define(TWO)
        await made.start(["one"])
        await made.watch()
        await soon(lambda: _is(made, "one", State.ACTIVE))
        yield made
        await made.stop([info.uuid for info in await made.networks() if info.active])


async def _is(engine: Engine, name: str, state: State) -> bool:
    return (await engine.network(name)).state is state


def _file(lab: Lab, name: str) -> Path:
    return lab.paths.definitions / f"{network(name).uuid}.xml"


async def _settled(engine: Engine, heard: Heard) -> NetworkInfo:
    """Let what was done before come through: a definition put on disk afterwards is told later."""
    told = len(heard.of(TOLD))
    marker = document("marker", address="10.77.0.1")
    path = engine.paths.definitions / f"{network('marker').uuid}.xml"
    path.write_text(marker)
    await heard.told(TOLD, times=told + 1)
    return await engine.network("one")


async def test_an_edit_is_told_shown_as_pending_and_not_applied(engine: Engine, lab: Lab) -> None:
    before, heard = inventory(lab.paths), Heard(engine)
    _file(lab, "one").write_text(EDITED)
    assert "pending, vnet network-apply one puts it into force" in await heard.told(TOLD)
    one = await engine.network("one")
    assert (one.state, one.pending) == (State.ACTIVE, True)
    await _settled(engine, heard)
    assert inventory(lab.paths) == before
    _file(lab, "one").write_text(ONE)
    assert await heard.told(TOLD, times=3) == "its definition was changed on disk, to what runs"
    assert not (await engine.network("one")).pending
    _file(lab, "two").write_text(TWO.replace("10.2.0.200", "10.2.0.150"))
    assert await heard.told(TOLD, times=4) == "its definition was changed on disk"


async def test_one_that_is_removed_makes_what_runs_transient(engine: Engine, lab: Lab) -> None:
    heard = Heard(engine)
    _file(lab, "one").unlink()
    assert "goes on as a transient one" in await heard.told(TOLD)
    one = await engine.network("one")
    assert (one.active, one.persistent) == (True, False)
    _file(lab, "two").unlink()
    assert await heard.told(TOLD, times=2) == "its definition was removed from disk"
    _file(lab, "two").write_text(TWO)
    assert await heard.told(TOLD, times=3) == "its definition was put on disk"
    assert not (await engine.network("two")).active


async def test_a_damaged_one_is_told_with_the_reason_and_the_place(
    engine: Engine, lab: Lab
) -> None:
    heard = Heard(engine)
    _file(lab, "one").write_text("<network><name>one</name>")
    message = await heard.told(TOLD)
    assert "line 1" in message
    assert f"set aside as {lab.paths.damaged}" in message
    assert "the network goes on as a transient one" in message
    assert await _is(engine, "one", State.ACTIVE)
    (lab.paths.definitions / "mine.xml").write_text(ONE)
    assert "its name is no UUID" in await heard.told(TOLD, times=2)


async def test_what_engines_do_isnt_told_as_done_by_hand(engine: Engine, lab: Lab) -> None:
    heard = Heard(engine)
    await engine.define(EDITED)
    async with Engine(lab.paths) as other:
        await other.define(TWO.replace("10.2.0.200", "10.2.0.150"))
        await other.undefine("two")
    await engine.define(ONE)
    await _settled(engine, heard)
    assert heard.of(TOLD) == ["its definition was put on disk"]


async def test_of_two_engines_that_watch_one_tells(engine: Engine, lab: Lab) -> None:
    async with Engine(lab.paths) as other:
        await other.watch()
        heard, told = Heard(engine), Heard(other)
        _file(lab, "one").write_text(EDITED)
        await asyncio.gather(heard.told(TOLD), told.told(TOLD))
        await _settled(engine, heard)
        await told.told(TOLD, times=2)
        assert len(heard.of(TOLD)) == len(told.of(TOLD)) == 2
        assert (await other.network("one")).pending


async def test_a_reload_tells_what_changed_since(lab: Lab) -> None:
    async with Engine(lab.paths) as engine:
        await engine.define(ONE)
        await engine.reload()
        heard = Heard(engine)
        _file(lab, "one").write_text(write(network("one", "<title>by hand</title>")))
        await engine.reload()
        assert await heard.told(TOLD) == "its definition was changed on disk"
        await engine.reload()
        assert len(heard.of(TOLD)) == 1


async def test_a_flood_of_them_is_looked_at_and_told_together(
    engine: Engine, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[bytes] = []
    looked: list[int] = []

    def parsed(content: bytes) -> Network:
        read.append(content)
        return reread(content)

    def contents(store: Store, names: Collection[str]) -> StoreContents:
        looked.append(len(names))
        return load_files(store, names)

    def whole(_: Store) -> StoreContents:
        raise AssertionError("all files were looked at")

    heard = Heard(engine)
    # All files are looked at once more after they began to be watched, and what is told of the
    # first of these may be that; the second is heard of.
    for times, name in enumerate(("before", "just-before"), start=1):
        (lab.paths.definitions / f"{network(name).uuid}.xml").write_text(write(network(name)))
        await heard.told(TOLD, times=times)
    load_files = Store.load_files
    monkeypatch.setattr("vnet_tui.engine.store.reread", parsed)
    monkeypatch.setattr(Store, "load_files", contents)
    monkeypatch.setattr(Store, "load", whole)
    for number in range(MANY):
        name = f"flood-{number:04}"
        found = network(name)
        (lab.paths.definitions / f"{found.uuid}.xml").write_text(write(found))
    await heard.told(TOLD, times=3)
    assert heard.of(TOLD)[2:] == [
        f"{MANY:,} definitions were put on disk: "
        + f"flood-0000, flood-0001, flood-0002 and {MANY - 3:,} more"
    ]
    assert looked == [MANY]
    assert len(read) == MANY
    _file(lab, "two").write_text(TWO.replace("10.2.0.200", "10.2.0.150"))
    assert await heard.told(TOLD, times=4) == "its definition was changed on disk"
    assert looked == [MANY, 1]
    assert len(read) == MANY + 1
