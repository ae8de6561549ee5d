"""Rates and history, from counters that are made up."""

from __future__ import annotations

from uuid import UUID

import pytest

from tests.support.counters import readings
from vnet_tui.engine.meter import Meter, Wiring
from vnet_tui.engine.views import HistoryPoint, NetworkTraffic, Rates, Totals

FOO = UUID(int=1)
BAR = UUID(int=2)
BRIDGE, TAP = 10, 11


def reading(in_bytes: int, out_bytes: int) -> tuple[int, int, int, int, int, int]:
    return in_bytes, out_bytes, in_bytes // 100, out_bytes // 100, 0, 0


def meter(**kept: int) -> Meter:
    made = Meter(**kept)
    made.topology = {FOO: Wiring(bridge=BRIDGE, ports={TAP: "tap0"})}
    return made


def bits(points: tuple[HistoryPoint, ...]) -> list[tuple[float, float]]:
    return [(point.in_bits, point.out_bits) for point in points]


def test_rates_are_over_the_time_that_really_passed() -> None:
    measured = meter()
    measured.record(readings({BRIDGE: (0, 0, 0, 0, 0, 0)}), 5.0, 1000.0)
    sample = measured.record(readings({BRIDGE: (1000, 500, 10, 4, 2, 6)}), 7.0, 1002.0)
    assert sample.time == 1002.0
    traffic = sample.networks[FOO].traffic
    assert traffic.rates == Rates(
        in_bits=4000, out_bits=2000, in_packets=5, out_packets=2, in_drops=1, out_drops=3
    )
    assert traffic.totals == Totals(
        in_bytes=1000, out_bytes=500, in_packets=10, out_packets=4, in_drops=2, out_drops=6
    )
    assert measured.history(FOO) == (HistoryPoint(time=1002.0, in_bits=4000, out_bits=2000),)


def test_the_first_sample_has_totals_and_no_rates() -> None:
    measured = meter()
    sample = measured.record(readings({BRIDGE: reading(10**12, 10**12)}), 1.0, 1.0)
    assert sample.networks[FOO].traffic.rates == Rates()
    assert sample.networks[FOO].traffic.totals.in_bytes == 10**12
    assert measured.history(FOO) == ()


def test_ports_come_and_go_between_samples() -> None:
    measured = meter()
    first = measured.record(readings({BRIDGE: reading(0, 0)}), 1.0, 1.0)
    second = measured.record(readings({BRIDGE: reading(0, 0), TAP: reading(10**9, 0)}), 2.0, 2.0)
    third = measured.record(
        readings({BRIDGE: reading(0, 0), TAP: reading(10**9 + 100, 0)}), 3.0, 3.0
    )
    fourth = measured.record(readings({BRIDGE: reading(0, 0)}), 4.0, 4.0)
    assert dict(first.networks[FOO].ports) == {}
    assert second.networks[FOO].ports["tap0"].rates == Rates()
    assert third.networks[FOO].ports["tap0"].rates.in_bits == 800
    assert list(fourth.networks[FOO].ports) == []
    assert bits(measured.history(FOO, "tap0")) == [(800, 0)]


def test_a_network_whose_bridge_is_gone_is_not_in_the_sample() -> None:
    measured = meter()
    sample = measured.record(readings({TAP: reading(0, 0)}), 1.0, 1.0)
    assert len(sample.networks) == 0
    assert FOO not in sample.networks
    with pytest.raises(KeyError):
        sample.networks[FOO]


def test_counters_that_go_back_make_no_spike_in_either_direction() -> None:
    measured = meter()
    rates = []
    for moment, total in enumerate((1000, 2000, 50, 150)):
        sample = measured.record(readings({BRIDGE: reading(total, total)}), moment, moment)
        rates.append(sample.networks[FOO].traffic.rates.in_bits)
    assert rates == [0, 8000, 0, 800]
    assert bits(measured.history(FOO)) == [(8000, 8000), (800, 800)]


def test_an_interface_made_anew_under_its_name_begins_anew_and_its_history_goes_on() -> None:
    measured = meter()
    measured.record(readings({BRIDGE: reading(0, 0), TAP: reading(0, 0)}), 1.0, 1.0)
    measured.record(readings({BRIDGE: reading(0, 0), TAP: reading(1000, 0)}), 2.0, 2.0)
    measured.topology = {FOO: Wiring(bridge=20, ports={21: "tap0"})}
    sample = measured.record(readings({20: reading(7, 0), 21: reading(10**9, 0)}), 3.0, 3.0)
    assert sample.networks[FOO].ports["tap0"].rates == Rates()
    measured.record(readings({20: reading(7, 0), 21: reading(10**9 + 10, 0)}), 4.0, 4.0)
    assert bits(measured.history(FOO, "tap0")) == [(8000, 0), (80, 0)]


def test_a_network_that_was_stopped_for_a_while_has_a_gap_and_no_old_values_in_it() -> None:
    measured = meter(kept=4)
    everything = measured.topology
    nothing = readings({BRIDGE: reading(0, 0)})
    for moment in range(3):
        measured.record(readings({BRIDGE: reading(moment * 10, 0)}), moment, moment)
    measured.topology = {}
    assert measured.history(FOO) == ()
    for moment in range(3, 6):
        measured.record(nothing, moment, moment)
    measured.topology = everything
    assert measured.history(FOO) == (HistoryPoint(time=2, in_bits=80, out_bits=0),)
    measured.record(readings({BRIDGE: reading(500, 0)}), 6, 6)
    assert measured.history(FOO) == (HistoryPoint(time=6, in_bits=4000, out_bits=0),)


def test_only_so_many_histories_of_what_is_gone_are_kept() -> None:
    measured = meter(kept=4, kept_gone=2)
    for port in range(100, 200):
        measured.topology = {FOO: Wiring(bridge=BRIDGE, ports={port: f"tap{port}"})}
        measured.record(readings({port: reading(0, 0)}), port, port)
        measured.record(readings({port: reading(10, 0)}), port + 0.5, port)
    measured.topology = {FOO: Wiring(bridge=BRIDGE, ports={1: "tap100", 2: "tap198"})}
    assert measured.history(FOO, "tap100") == ()
    assert len(measured.history(FOO, "tap198")) == 1


def test_history_keeps_the_newest_in_order() -> None:
    measured = meter(kept=5)
    for moment in range(23):
        measured.record(
            readings({BRIDGE: reading(sum(range(moment + 1)), 0)}), moment, 1000 + moment
        )
    assert [point.time for point in measured.history(FOO)] == [1018, 1019, 1020, 1021, 1022]
    assert bits(measured.history(FOO)) == [(8 * n, 0) for n in range(18, 23)]


def test_after_a_pause_there_are_no_rates_over_it() -> None:
    measured = meter()
    measured.record(readings({BRIDGE: reading(0, 0)}), 1.0, 1.0)
    measured.pause()
    sample = measured.record(readings({BRIDGE: reading(10**9, 0)}), 500.0, 500.0)
    assert sample.networks[FOO].traffic.rates == Rates()
    assert measured.history(FOO) == ()


def test_two_readings_at_one_moment_have_no_rate() -> None:
    measured = meter()
    measured.record(readings({BRIDGE: reading(0, 0)}), 1.0, 1.0)
    sample = measured.record(readings({BRIDGE: reading(10, 0)}), 1.0, 1.0)
    assert sample.networks[FOO].traffic.rates == Rates()


def test_a_sample_goes_on_to_say_what_was_then() -> None:
    measured = meter()
    measured.record(readings({BRIDGE: reading(0, 0), TAP: reading(0, 0)}), 1.0, 1.0)
    sample = measured.record(readings({BRIDGE: reading(10, 0), TAP: reading(0, 20)}), 2.0, 2.0)
    measured.topology = {BAR: Wiring(bridge=BRIDGE)}
    measured.record(readings({BRIDGE: reading(1000, 1000)}), 3.0, 3.0)
    assert list(sample.networks) == [FOO]
    network = sample.networks[FOO]
    assert isinstance(network, NetworkTraffic)
    assert network.traffic.rates.in_bits == 80
    assert {name: port.rates.out_bits for name, port in network.ports.items()} == {"tap0": 160}


def test_equal_samples_compare_equal_whoever_made_them() -> None:
    read = readings({BRIDGE: reading(10, 0), TAP: reading(0, 20)})
    one, other = meter().record(read, 1, 1), meter().record(read, 1, 1)
    assert one == other
    assert one != meter().record(readings({BRIDGE: reading(11, 0)}), 1, 1)
