"""Definitions at rest: what was saved is found again, and damage stays where it is."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from vnet_tui.engine.errors import StoreError
from vnet_tui.engine.model import Network
from vnet_tui.engine.paths import Paths
from vnet_tui.engine.store import Store
from vnet_tui.engine.xml import parse, write

FOO = Network(name="Foo", uuid=UUID("596a5d21-71f4-8fb2-e068-e2386a5c413e"))
BAR = Network(name="Bar", uuid=UUID("11111111-1111-4111-8111-111111111111"))


def known(network: Network) -> UUID:
    """The UUID of a network that has one."""
    assert network.uuid is not None
    return network.uuid


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths(state=tmp_path / "state", run=tmp_path / "run")


@pytest.fixture
def store(paths: Paths) -> Store:
    return Store(paths)


def file_of(paths: Paths, network: Network) -> Path:
    """Where a definition lies."""
    return paths.definitions / f"{network.uuid}.xml"


def test_an_empty_store_needs_no_directory(store: Store, paths: Paths) -> None:
    assert store.load().networks == {}
    assert store.autostarts() == frozenset()
    assert not paths.state.exists()


def test_what_is_saved_is_found_by_others(store: Store, paths: Paths) -> None:
    store.save(FOO)
    store.save(BAR)
    store.save(replace(FOO, title="changed"))
    expected = {known(BAR): BAR, known(FOO): replace(FOO, title="changed")}
    assert store.load().networks == expected
    assert Store(paths).load().networks == expected
    assert file_of(paths, FOO).read_text() == write(replace(FOO, title="changed"))
    store.remove(known(FOO))
    store.remove(known(FOO))
    assert store.load().networks == Store(paths).load().networks == {known(BAR): BAR}


def test_changes_of_others_are_seen(store: Store, paths: Paths) -> None:
    store.save(FOO)
    assert store.load().networks == {known(FOO): FOO}
    other = Store(paths)
    other.save(replace(FOO, title="of another process"))
    other.save(BAR)
    assert store.load().networks[known(FOO)].title == "of another process"
    assert known(BAR) in store.load().networks
    other.remove(known(FOO))
    assert set(store.load().networks) == {known(BAR)}


def test_what_has_not_changed_is_not_read_again(store: Store) -> None:
    store.save(FOO)
    once, twice = store.load().networks, store.load().networks
    assert once[known(FOO)] is twice[known(FOO)]


def test_a_list_needs_no_whole_documents(store: Store, paths: Paths) -> None:
    store.save(replace(FOO, title="a title"))
    store.save(BAR)
    file_of(paths, BAR).write_text("damaged")
    for each in (store, Store(paths)):
        listed = each.summaries()
        assert listed == each.summaries()
        assert {uuid: (one.name, one.title) for uuid, one in listed.items()} == {
            known(FOO): ("Foo", "a title")
        }
    assert file_of(paths, BAR).exists(), "only load sets damage aside"
    store.save(FOO)
    assert store.summaries()[known(FOO)].title == ""


def test_a_network_without_uuid_cannot_be_saved(store: Store) -> None:
    with pytest.raises(StoreError, match="no UUID"):
        store.save(Network(name="Foo"))


def test_autostart(store: Store, paths: Paths) -> None:
    store.save(FOO)
    assert not store.autostart(known(FOO))
    store.set_autostart(known(FOO), True)
    store.set_autostart(known(FOO), True)
    assert store.autostart(known(FOO))
    assert Store(paths).autostarts() == {known(FOO)}
    store.set_autostart(known(FOO), False)
    store.set_autostart(known(FOO), False)
    assert not store.autostart(known(FOO))
    store.set_autostart(known(FOO), True)
    store.remove(known(FOO))
    assert store.autostarts() == frozenset()


def test_anyone_may_read_and_nobody_else_write(store: Store, paths: Paths) -> None:
    store.save(FOO)
    store.set_autostart(known(FOO), True)
    assert paths.definitions.stat().st_mode & 0o777 == 0o755
    assert file_of(paths, FOO).stat().st_mode & 0o777 == 0o644


DAMAGED = {
    "empty": (b"", "the document is empty"),
    "cut": (write(FOO).encode()[:60], "isn't closed before the end"),
    "zeros": (b"\0" * 4096, "U+0000"),
    "of another network": (write(BAR).encode(), f"it holds the network with the UUID {BAR.uuid}"),
    "too large": (b" " * 10_000_000, "MAX_BYTES"),
    "wrong inside": (write(FOO).replace("<name>", "<bridge mtu='x'/><name>").encode(), 'mtu="x"'),
}


@pytest.mark.parametrize(("content", "reason"), DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_definition_is_set_aside_and_the_others_stay(
    store: Store, paths: Paths, content: bytes, reason: str
) -> None:
    store.save(BAR)
    file_of(paths, FOO).write_bytes(content)
    contents = store.load()
    assert contents.networks == {known(BAR): BAR}
    [damage] = contents.damaged
    assert reason in damage.reason
    assert damage.path == file_of(paths, FOO)
    assert not damage.path.exists()
    assert damage.kept == paths.damaged / damage.path.name
    assert damage.kept.read_bytes() == content
    # It is told as long as it lies there, in other processes too, and can be defined anew.
    assert [str(one) for one in Store(paths).load().damaged] == [str(damage)]
    store.save(FOO)
    assert store.load().networks == {known(BAR): BAR, known(FOO): FOO}


def test_damage_never_takes_the_place_of_earlier_damage(store: Store, paths: Paths) -> None:
    store.save(BAR)
    for content in (b"one", b"two", b"three"):
        file_of(paths, FOO).write_bytes(content)
        store.load()
    kept = sorted(path for path in paths.damaged.iterdir() if path.suffix != ".reason")
    assert [path.read_bytes() for path in kept] == [b"one", b"two", b"three"]
    assert len(store.load().damaged) == 3


def test_a_definition_that_is_no_file_is_set_aside(store: Store, paths: Paths) -> None:
    store.save(BAR)
    os.mkfifo(file_of(paths, FOO))
    (paths.definitions / f"{uuid4()}.xml").mkdir()
    contents = store.load()
    assert set(contents.networks) == {known(BAR)}
    assert [damage.reason for damage in contents.damaged] == ["it isn't a regular file"] * 2


def test_files_that_are_no_definitions(store: Store, paths: Paths) -> None:
    store.save(BAR)
    for name in ("README", f"{uuid4()}.xml~", f".{uuid4()}.xml.swp", ".hidden.xml"):
        (paths.definitions / name).write_text("not ours")
    (paths.definitions / "foo.xml").write_text(write(FOO))
    contents = store.load()
    assert set(contents.networks) == {known(BAR)}
    [damage] = contents.damaged
    assert damage.kept == paths.definitions / "foo.xml"
    assert damage.kept.exists()
    assert "network-define" in damage.reason


def test_a_definition_put_there_by_hand_has_the_uuid_of_its_file(
    store: Store, paths: Paths
) -> None:
    store.save(BAR)
    file_of(paths, FOO).write_text("<network><name>Foo</name></network>")
    assert store.load().networks[known(FOO)] == FOO


def test_where_nothing_can_be_moved_damage_is_told_all_the_same(store: Store, paths: Paths) -> None:
    store.save(BAR)
    file_of(paths, FOO).write_text("damaged")
    paths.damaged.write_text("in the way")
    contents = store.load()
    assert set(contents.networks) == {known(BAR)}
    [damage] = contents.damaged
    assert damage.path == damage.kept == file_of(paths, FOO)
    assert damage.path.read_text() == "damaged"


def test_a_store_that_cannot_be_made_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("in the way")
    store = Store(Paths(state=tmp_path / "state", run=tmp_path / "run"))
    with pytest.raises(StoreError, match=r"can't write .*state/networks"):
        store.save(FOO)
    with pytest.raises(StoreError, match=r"can't write .*state/autostart"):
        store.set_autostart(known(FOO), True)
    with pytest.raises(StoreError, match=r"can't read .*state/networks"):
        store.load()


LONG = "x" * 100_000


def _write_for_ever(paths: Paths, ready: int) -> None:
    store = Store(paths)
    number = 0
    while True:
        number += 1
        store.save(replace(FOO, description=f"{LONG}{number}"))
        os.write(ready, b".")


def _child(paths: Paths, ready: int) -> int:
    """A process that does nothing but save; its id."""
    child = os.fork()
    if child == 0:
        try:
            _write_for_ever(paths, ready)
        finally:
            os._exit(1)
    return child


def test_a_writer_can_be_killed_at_any_time(store: Store, paths: Paths) -> None:
    store.save(BAR)
    for kill_after in range(1, 15):
        receive, send = os.pipe()
        child = _child(paths, send)
        for _ in range(kill_after):
            assert os.read(receive, 1)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(receive)
        os.close(send)
        contents = Store(paths).load()
        assert contents.damaged == ()
        assert (contents.networks[known(FOO)].description or "").startswith(LONG)
    left = paths.definitions / f".{FOO.uuid}.xml.killed.tmp"
    left.write_text("half")
    Store(paths).save(BAR)
    assert sorted(path.name for path in paths.definitions.iterdir()) == sorted(
        file_of(paths, network).name for network in (FOO, BAR)
    )


def test_readers_see_whole_definitions_while_others_write(store: Store, paths: Paths) -> None:
    store.save(FOO)
    receive, send = os.pipe()
    children = [_child(paths, send) for _ in range(2)]
    try:
        for _ in range(50):
            assert os.read(receive, 1)
            contents = store.load()
            assert contents.damaged == ()
            assert known(FOO) in contents.networks
    finally:
        for child in children:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        os.close(receive)
        os.close(send)


def test_lines_are_those_of_the_document_that_is_stored(paths: Paths) -> None:
    given = parse(
        f"<network>\n\n\n<name>Foo</name><uuid>{FOO.uuid}</uuid>\n\n\n<dns domain='lan'/></network>"
    )
    store = Store(paths)
    store.save(given)
    lines = write(given).splitlines()
    for stored in (store, Store(paths)):
        found = stored.load().networks[known(FOO)]
        assert found == given
        assert found.dns is not None
        assert "<dns" in lines[found.dns.line - 1]
