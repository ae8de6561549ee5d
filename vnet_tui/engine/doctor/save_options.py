"""Rules as the save commands of iptables and ebtables print them, cut into options."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

_ONE_VALUE = frozenset({"--comment", "--log-prefix", "--nflog-prefix", "--string", "--hex-string"})


@dataclass(frozen=True, slots=True)
class Option:
    """``! --name value...``"""

    name: str
    values: tuple[str, ...]
    negated: bool


def options_of(words: list[str]) -> Iterator[Option]:
    """Options with their values; ``!`` before one turns it round."""
    position, negated = 0, False
    while position < len(words):
        word = words[position]
        position += 1
        if word == "!":
            negated = True
            continue
        values: list[str] = []
        if word in _ONE_VALUE:
            values = words[position : position + 1]
        else:
            while position + len(values) < len(words):
                value = words[position + len(values)]
                if value == "!" or (value.startswith("-") and len(value) > 1):
                    break
                values.append(value)
        position += len(values)
        yield Option(word, tuple(values), negated)
        negated = False
