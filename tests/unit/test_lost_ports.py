"""Which ports a bridge had that somebody deleted."""

from __future__ import annotations

from uuid import UUID

from vnet_tui.engine.drivers.links import Happened, LinkChange
from vnet_tui.engine.lost_ports import TOGETHER_SECONDS, LostPorts

FOO = UUID(int=1)
BRIDGES = {FOO: ("vnet-foo", 10.0)}


class Host:
    """Says what happens, at a time of its own."""

    def __init__(self) -> None:
        self.now = 100.0
        self.ports = LostPorts(lambda: self.now)

    def happens(self, what: Happened, name: str, index: int, master: str | None = None) -> None:
        self.ports.heard(LinkChange(happened=what, name=name, index=index, master=master))

    def lost(self) -> list[tuple[str, int]]:
        return list(self.ports.of(BRIDGES).get(FOO, ()))


def test_what_leaves_with_its_bridge_is_lost_and_what_left_before_isnt() -> None:
    host = Host()
    host.happens(Happened.DETACHED, "tap1", 1, "vnet-foo")
    host.now += TOGETHER_SECONDS + 1
    host.happens(Happened.DETACHED, "tap2", 2, "vnet-foo")
    host.happens(Happened.DETACHED, "tap3", 3, "docker0")
    host.happens(Happened.REMOVED, "vnet-foo", 9)
    assert host.lost() == [("tap2", 2)]


def test_what_is_plugged_in_again_or_goes_isnt_lost_any_more() -> None:
    host = Host()
    for index in (1, 2, 3):
        host.happens(Happened.DETACHED, f"tap{index}", index, "vnet-foo")
    host.happens(Happened.REMOVED, "tap3", 3)
    host.happens(Happened.REMOVED, "vnet-foo", 9)
    assert host.lost() == [("tap1", 1), ("tap2", 2)]
    host.happens(Happened.ATTACHED, "tap1", 1, "other")
    assert host.lost() == [("tap2", 2)]
    host.happens(Happened.REMOVED, "tap2", 2)
    assert host.lost() == []


def test_what_was_lost_before_a_network_was_started_is_nobodys_any_more() -> None:
    host = Host()
    host.happens(Happened.DETACHED, "tap1", 1, "vnet-foo")
    host.happens(Happened.REMOVED, "vnet-foo", 9)
    assert host.ports.of({FOO: ("vnet-foo", host.now - 1)})
    assert not host.ports.of({FOO: ("vnet-foo", host.now + 1)})


def test_a_network_that_doesnt_run_any_more_has_lost_nothing() -> None:
    host = Host()
    host.happens(Happened.DETACHED, "tap1", 1, "vnet-foo")
    host.happens(Happened.REMOVED, "vnet-foo", 9)
    assert not host.ports.of({})
    assert host.lost() == []
