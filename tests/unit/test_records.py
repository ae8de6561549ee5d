"""Records of running networks: written whole, and told when they are damaged."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.networks import network, record
from vnet_tui.engine.catalog import Catalog
from vnet_tui.engine.paths import Paths
from vnet_tui.engine.records import Records
from vnet_tui.engine.views import State

ONE = record(network("one"))


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths(state=tmp_path / "state", run=tmp_path / "run")


def test_what_was_saved_is_loaded(paths: Paths) -> None:
    records = Records(paths)
    records.save(ONE)
    assert records.load() == {ONE.uuid: ONE}
    records.remove(ONE.uuid)
    assert records.load() == {}


def _fields() -> dict[str, object]:
    return {
        "uuid": str(ONE.uuid),
        "name": ONE.name,
        "id": ONE.id,
        "started": ONE.started,
        "definition": ONE.definition,
    }


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "Expecting value"),
        ("[]", "not a mapping"),
        (json.dumps({**_fields(), "definition": []}), "isn't of its kind"),
        (json.dumps({**_fields(), "id": "1"}), "isn't of its kind"),
        (json.dumps({**_fields(), "more": 1}), "unexpected keyword"),
        (json.dumps({**_fields(), "uuid": "596a5d2171f48fb2e068e2386a5c413e"}), "it is that of"),
        (json.dumps({**_fields(), "definition": "<x/>"}), "not a <network>"),
        (json.dumps({**_fields(), "definition": "<network><name>a</name></network>"}), "no bridge"),
    ],
)
def test_a_damaged_one_is_told_with_the_file_and_what_to_do(
    paths: Paths, content: str, reason: str
) -> None:
    path = paths.record_file(ONE.uuid)
    path.parent.mkdir(parents=True)
    path.write_text(content)
    catalog = Catalog(paths)
    assert not catalog.running()
    (error,) = catalog.look().unreadable.values()
    assert str(path) in error.message
    assert reason in error.message
    assert "remove the file" in error.remedy
    (info,) = catalog.infos()
    assert (info.uuid, info.state, info.active) == (ONE.uuid, State.DAMAGED, False)
    assert str(path) in info.note


def test_one_that_is_mended_is_read_again(paths: Paths) -> None:
    path = paths.record_file(ONE.uuid)
    path.parent.mkdir(parents=True)
    path.write_text("{")
    records = Records(paths)
    assert (list(records.load()), list(records.damaged())) == ([], [ONE.uuid])
    records.save(ONE)
    assert (records.load(), records.damaged()) == ({ONE.uuid: ONE}, {})
    (paths.records / "copy.json").write_text("{")
    assert not records.damaged()


def test_one_that_is_replaced_is_never_half_there(paths: Paths) -> None:
    records = Records(paths)
    records.save(ONE)
    records.save(replace(ONE, id=2))
    assert [path.name for path in paths.records.iterdir()] == [f"{ONE.uuid}.json"]
    assert records.load()[ONE.uuid].id == 2
