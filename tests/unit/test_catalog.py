"""One network is found quickly, and as surely as by a look at all of them."""

from __future__ import annotations

import operator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.networks import network
from vnet_tui.engine.catalog import Catalog
from vnet_tui.engine.errors import NotFoundError
from vnet_tui.engine.model import Network
from vnet_tui.engine.paths import Paths

WEB, SHOP = network("web"), network("shop", address="10.2.0.1")


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths(state=tmp_path / "state", run=tmp_path / "run")


def saved(paths: Paths, *networks: Network) -> None:
    """By somebody else."""
    for one in networks:
        Catalog(paths).store.save(one)


def test_only_one_definition_is_looked_at_when_its_place_is_known(paths: Paths) -> None:
    saved(paths, WEB, SHOP)
    catalog = Catalog(paths)
    assert catalog.look_at("web").definitions.keys() == {WEB.uuid, SHOP.uuid}
    assert WEB.uuid is not None
    for ref in ("web", WEB.uuid):
        listing = catalog.look_at(ref)
        assert listing.definitions.keys() == {WEB.uuid}
        assert listing.find(ref) == WEB.uuid
    assert catalog.look_at(str(WEB.uuid)).find(str(WEB.uuid)) == WEB.uuid


def test_what_others_changed_since_is_seen(paths: Paths) -> None:
    saved(paths, WEB, SHOP)
    catalog = Catalog(paths)
    catalog.look()
    assert WEB.uuid is not None
    assert not catalog.look_at("web").info(WEB.uuid).autostart
    Catalog(paths).store.set_autostart(WEB.uuid, True)
    saved(paths, replace(WEB, title="The web"))
    seen = catalog.look_at("web").info(WEB.uuid)
    assert (seen.title, seen.autostart) == ("The web", True)


def test_a_name_that_went_to_another_network_leads_there(paths: Paths) -> None:
    saved(paths, WEB, SHOP)
    catalog = Catalog(paths)
    catalog.look()
    saved(paths, replace(WEB, name="old"), replace(SHOP, name="web"))
    assert catalog.look_at("web").find("web") == SHOP.uuid
    assert catalog.look_at("old").find("old") == WEB.uuid


def test_one_that_was_removed_is_gone(paths: Paths) -> None:
    saved(paths, WEB, SHOP)
    catalog = Catalog(paths)
    catalog.look()
    assert WEB.uuid is not None
    Catalog(paths).store.remove(WEB.uuid)
    for ref in ("web", WEB.uuid):
        with pytest.raises(NotFoundError):
            catalog.look_at(ref).find(ref)


def test_a_list_is_made_of_what_was_told_before_but_for_what_changed(paths: Paths) -> None:
    saved(paths, WEB, SHOP)
    catalog = Catalog(paths)
    shop, web = catalog.infos()
    assert all(map(operator.is_, catalog.infos(), (shop, web)))
    assert WEB.uuid is not None
    Catalog(paths).store.set_autostart(WEB.uuid, True)
    saved(paths, replace(SHOP, title="The shop"))
    assert catalog.infos() == (replace(shop, title="The shop"), replace(web, autostart=True))
    Catalog(paths).store.remove(WEB.uuid)
    assert [info.name for info in catalog.infos()] == ["shop"]
