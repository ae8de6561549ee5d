"""Counters in the text format of Prometheus (https://prometheus.io/docs/instrumenting/exposition_formats).

Fit for node_exporter's textfile collector. In is towards the guests, out from them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple
from uuid import UUID

from vnet_tui.engine.rule_counters import DEFAULT_IN, DEFAULT_OUT
from vnet_tui.engine.views import NetworkTraffic, RuleStatus, Totals

_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})

_DIRECTIONS = (("in", "in"), ("out", "out"))


class _Metric(NamedTuple):
    name: str
    help: str


class _Point(NamedTuple):
    labels: Mapping[str, str]
    value: int


def exposition(
    networks: Mapping[UUID, NetworkTraffic],
    names: Mapping[UUID, str],
    rules: Mapping[UUID, Iterable[RuleStatus]],
) -> str:
    """The text: bytes, packets and drops of networks and ports; what rules and guests counted."""
    ordered = sorted(networks.items(), key=lambda one: names[one[0]])
    families = [
        *_traffic(
            "network", [({"network": names[uuid]}, one.traffic.totals) for uuid, one in ordered]
        ),
        *_traffic(
            "port",
            [
                ({"network": names[uuid], "port": port}, traffic.totals)
                for uuid, one in ordered
                for port, traffic in sorted(one.ports.items())
            ],
        ),
        *_rules([(names[uuid], one, tuple(rules[uuid])) for uuid, one in ordered]),
        *_guests([(names[uuid], one) for uuid, one in ordered]),
    ]
    return "".join(line for metric, points in families for line in _family(metric, tuple(points)))


def _traffic(
    what: str, totals: list[tuple[dict[str, str], Totals]]
) -> Iterator[tuple[_Metric, Iterable[_Point]]]:
    for unit, words in (
        ("bytes", "Bytes"),
        ("packets", "Packets"),
        ("drops", "Dropped packets"),
    ):
        metric = _Metric(
            f"vnet_{what}_{unit}_total", f"{words} since the {what}'s interface was made"
        )
        yield (
            metric,
            [
                _Point({**labels, "direction": direction}, getattr(one, f"{direction}_{unit}"))
                for labels, one in totals
                for direction in ("in", "out")
            ],
        )


def _rules(
    networks: list[tuple[str, NetworkTraffic, tuple[RuleStatus, ...]]],
) -> Iterator[tuple[_Metric, Iterable[_Point]]]:
    for unit in ("packets", "bytes"):
        points = []
        for name, traffic, statuses in networks:
            known = {status.key: status for status in statuses if status.key}
            for key, count in sorted(traffic.rules.items()):
                labels = {"network": name, **_rule(key, known.get(key))}
                points.append(_Point(labels, getattr(count, unit)))
        yield (
            _Metric(
                f"vnet_rule_{unit}_total",
                f"What each rule decided, in {unit}: first packets of connections that it let "
                "pass, every packet that it denied",
            ),
            points,
        )


def _rule(key: str, status: RuleStatus | None) -> dict[str, str]:
    if key in (DEFAULT_IN, DEFAULT_OUT):
        return {"direction": "incoming" if key == DEFAULT_IN else "outgoing", "rule": "default"}
    if status is None:
        return {"direction": "", "rule": key}
    return {"direction": status.direction, "rule": status.text}


def _guests(
    networks: list[tuple[str, NetworkTraffic]],
) -> Iterator[tuple[_Metric, Iterable[_Point]]]:
    for unit in ("bytes", "packets"):
        yield (
            _Metric(
                f"vnet_guest_{unit}_total", f"{unit.capitalize()} routed to and from an address"
            ),
            [
                _Point(
                    {"network": name, "address": str(address), "direction": direction},
                    getattr(count, unit),
                )
                for name, traffic in networks
                for address, counts in sorted(traffic.guests.items(), key=lambda one: str(one[0]))
                for direction, count in (("in", counts.into), ("out", counts.out))
            ],
        )


def _family(metric: _Metric, points: tuple[_Point, ...]) -> Iterator[str]:
    if not points:
        return
    yield f"# HELP {metric.name} {metric.help}.\n# TYPE {metric.name} counter\n"
    for point in points:
        labels = ",".join(
            f'{name}="{value.translate(_ESCAPES)}"' for name, value in point.labels.items()
        )
        yield f"{metric.name}{{{labels}}} {point.value}\n"
