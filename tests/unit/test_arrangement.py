"""How networks are filtered, sorted and grouped."""

from __future__ import annotations

from ipaddress import ip_interface
from uuid import UUID, uuid5

import pytest

from vnet_tui.engine.model import Mode
from vnet_tui.engine.views import NetworkInfo, NetworkTraffic, Rates, State, Totals, Traffic
from vnet_tui.widgets.arrangement import SORTABLE, Arrangement, Heading, arrange

SPACE = UUID("596a5d21-71f4-4fb2-8068-e2386a5c0000")


def network(name: str, state: State, subnet: str = "", title: str = "") -> NetworkInfo:
    return NetworkInfo(
        uuid=uuid5(SPACE, name),
        name=name,
        state=state,
        mode=Mode.NAT,
        title=title,
        bridge=f"vnet-{name}" if state is not State.DEFINED else None,
        addresses=(ip_interface(subnet),) if subnet else (),
    )


ALL = (
    network("beta", State.ACTIVE, "10.2.0.1/24", "Builds"),
    network("Alpha", State.DEFINED, "10.10.0.1/24"),
    network("gamma", State.DRIFTED, "fd00::1/64"),
    network("delta", State.ACTIVE, "192.168.5.1/24"),
)


def names(how: Arrangement, **rates: float) -> list[str]:
    figures = {
        info.uuid: NetworkTraffic(
            traffic=Traffic(rates=Rates(in_bits=rates[info.name]), totals=Totals()),
            ports={},
            port_count=0,
        )
        for info in ALL
        if info.name in rates
    }
    return [
        f"{row.count} {row.state}" if isinstance(row, Heading) else row.name
        for row in arrange(ALL, figures, how)
    ]


def test_by_name_whatever_the_case() -> None:
    assert names(Arrangement()) == ["Alpha", "beta", "delta", "gamma"]
    assert names(Arrangement(reverse=True)) == ["gamma", "delta", "beta", "Alpha"]


@pytest.mark.parametrize(
    ("wanted", "left"),
    [
        ("BETA", ["beta"]),
        ("builds", ["beta"]),
        ("active", ["beta", "delta"]),
        ("10.", ["Alpha", "beta"]),
        ("active 10.2", ["beta"]),
        ("vnet-g", ["gamma"]),
        ("nothing", []),
        ("  ", ["Alpha", "beta", "delta", "gamma"]),
    ],
)
def test_a_filter_has_words(wanted: str, left: list[str]) -> None:
    assert names(Arrangement(wanted=wanted)) == left


def test_subnets_are_sorted_as_numbers_and_states_by_need() -> None:
    assert names(Arrangement(column="subnet")) == ["beta", "Alpha", "delta", "gamma"]
    assert names(Arrangement(column="state")) == ["gamma", "beta", "delta", "Alpha"]


def test_figures_are_sorted_largest_first_and_by_name_where_they_are_equal() -> None:
    by_rate = Arrangement(column="in")
    assert names(by_rate, beta=1.0, delta=5.0) == ["delta", "beta", "Alpha", "gamma"]
    assert names(by_rate.sorted_by("in"), beta=1.0, delta=5.0)[-1] == "delta"


def test_groups_have_headings_and_can_be_folded() -> None:
    grouped = Arrangement(grouped=True)
    assert names(grouped) == [
        "1 drifted",
        "gamma",
        "2 active",
        "beta",
        "delta",
        "1 defined",
        "Alpha",
    ]
    folded = grouped.fold(State.ACTIVE)
    assert names(folded) == ["1 drifted", "gamma", "2 active", "1 defined", "Alpha"]
    assert folded.fold(State.ACTIVE) == grouped


def test_columns_follow_each_other_round() -> None:
    how = Arrangement()
    seen = []
    for _ in SORTABLE:
        seen.append(how.column)
        how = how.next_column()
    assert tuple(seen) == SORTABLE
    assert how == Arrangement()
