"""Traffic as a file: CSV or JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import NamedTuple


class Exported(NamedTuple):
    """The figures of one second: of a network, or of one of its ports (else empty)."""

    time: float
    network: str
    port: str
    unit: str
    into: float
    out: float


Form = Callable[[Iterable[Exported]], str]
"""What makes the text of a file from figures."""

FIELDS = ("time", "network", "port", "unit", "in", "out")
"""How the fields are called in a file; ``time`` is in UTC, as ISO 8601 has it."""


def as_csv(figures: Iterable[Exported]) -> str:
    """A line each below a line of names, as RFC 4180 has it but for its line ends."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(FIELDS)
    writer.writerows(map(_values, figures))
    return text.getvalue()


def as_json(figures: Iterable[Exported]) -> str:
    """A list of objects, one a line."""
    objects = (
        json.dumps(dict(zip(FIELDS, _values(one), strict=True)), ensure_ascii=False)
        for one in figures
    )
    return "[\n" + ",\n".join(objects) + "\n]\n"


def _values(one: Exported) -> tuple[str | float, ...]:
    moment = datetime.fromtimestamp(one.time, UTC).isoformat(timespec="milliseconds")
    return (moment, *one[1:4], round(one.into, 3), round(one.out, 3))
