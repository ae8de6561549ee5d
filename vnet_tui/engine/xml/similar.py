"""Documents that were read, so that one that is nearly the same is read only where it differs.

To read ten thousand rules takes a third of a second, and an edit changes one of them. Where a
document differs from a known one only between two rules of a policy, what stands there is read as
the whole content of such a policy, by the same walk and the same schema; all else is as it was. A
piece that doesn't make sense so, or that could change what is around it, makes the whole document
be read.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from threading import Lock
from typing import TYPE_CHECKING, Any

from vnet_tui.engine.alike import alike, known_alike
from vnet_tui.engine.errors import DocumentError
from vnet_tui.engine.model import Forwarding, Network, Policy, Rule
from vnet_tui.engine.xml.limits import MAX_NODES, MAX_RULES
from vnet_tui.engine.xml.offsets import Offsets
from vnet_tui.engine.xml.walk import Walk, walk

if TYPE_CHECKING:
    from vnet_tui.engine.xml.nodes import Node

_LEAST = 1 << 14
"""Characters of a document that is worth remembering; others are read in a few milliseconds."""

_HEADS = 8
"""So many networks' documents are remembered, two of each: what runs may differ from what is
defined."""

_START = "<forwarding"
"""What stands before this has to be the same in two documents that are compared."""

_MOST = 1 << 10
"""Rules that are read anew at most; for more it is simpler to read all."""


@dataclass(frozen=True, slots=True)
class _Rules:
    """Where the rules of a policy stand.

    ``bounds`` are offsets: where the content of the policy begins, where each rule ends with the
    comments that belong to it, and where the end tag begins.
    """

    direction: str
    bounds: Offsets


@dataclass(frozen=True, slots=True)
class _Known:
    """A document without a fault, and what it says.

    ``places`` counts its elements and comments. ``ends``: nothing follows the policies that would
    move when they get longer. ``valid``: the schema was asked, too.
    """

    text: str
    network: Network
    policies: tuple[_Rules, ...]
    places: int
    ends: bool
    valid: bool


@dataclass(frozen=True, slots=True)
class _Piece:
    """What stands now where rules ``first`` to before ``last`` of a known policy stood: as a policy
    of its own, with the offsets at which its rules end. ``last`` is one more than there were rules
    where the comments after them are replaced, too."""

    first: int
    last: int
    policy: Policy
    ends: Sequence[int]


class Similar:
    """Remembers what was read. May be used by several threads."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, tuple[_Known, ...]] = OrderedDict()
        self._keeping = Lock()

    def remember(self, found: Walk, *, valid: bool) -> None:
        """A document was read, and nothing is wrong with it."""
        forwarding = next((one for one in found.node.children if one.tag == "forwarding"), None)
        if len(found.text) < _LEAST or forwarding is None:
            return
        text = _without_id(found.text)
        cut = len(text) - len(found.text)
        policies = tuple(_rules(one, cut) for one in forwarding.children)
        if any(one.tangled for one in (forwarding, *forwarding.children)):
            return
        ends = found.node.children[-1] is forwarding
        network = found.reading.network
        self._keep(_Known(text, network, policies, found.places, ends, valid))

    def read(self, text: str, *, valid: bool) -> Network | None:
        """The network in a document; None where it isn't like a known one, and has to be read
        whole. ``valid``: the schema is asked about a known one, where that wasn't done yet."""
        if len(text) < _LEAST:
            return None
        text = _without_id(text)
        known = self._known.get(_head(text), ())
        for one in sorted(known, key=lambda one: one.text != text):
            found = one if one.text == text else _read(one, text)
            if found is not None and (not valid or _is_valid(one)):
                self._keep(replace(found, valid=one.valid or valid))
                return found.network
        return None

    def _keep(self, known: _Known) -> None:
        head = _head(known.text)
        with self._keeping:
            others = [one for one in self._known.pop(head, ()) if one.text != known.text]
            self._known[head] = (known, *others[:1])
            if len(self._known) > _HEADS:
                self._known.popitem(last=False)


def _head(text: str) -> str:
    return text[: text.find(_START)]


def _without_id(text: str) -> str:
    """A document without the number of the running network, which is nothing to what it says: so
    how a network runs and how it is defined are the same where they are."""
    return _WITH_ID.sub("<network>", text, count=1) if text.startswith("<network id=") else text


_WITH_ID = re.compile(r'\A<network id="[0-9]+">')


def _rules(node: Node, by: int) -> _Rules:
    """Where the rules of a policy stand, moved by so many characters."""
    ends = (child.after for child in node.children)
    return _Rules(node.tag, Offsets((node.inner, *ends, node.end_tag)).moved(by))


def _policy(network: Network, direction: str) -> Policy:
    """A policy that is there, as it is written."""
    found: Policy = getattr(network.forwarding, direction)
    return found


def _moved(lines: Sequence[int], by: int) -> Offsets:
    """Lines of rules as :mod:`~vnet_tui.engine.xml.elements` reads them, so many further down."""
    return (lines if isinstance(lines, Offsets) else Offsets(lines)).moved(by)


def _places(rules: tuple[Rule, ...]) -> int:
    return sum(1 + len(rule.comments) for rule in rules)


def _read(known: _Known, text: str) -> _Known | None:
    """A document that differs from a known one between two of its rules only."""
    same_before, same_after = alike(known.text, text)
    begin, end = same_before, len(known.text) - same_after
    for rules in known.policies:
        # One without rules may be a tag that nothing stands in.
        if len(rules.bounds) > 2 and rules.bounds[0] <= begin and end <= rules.bounds[-1]:
            piece = _piece(known.text, rules, text, begin, end)
            return None if piece is None else _pieced(known, rules, text, piece)
    return None


def _piece(before: str, rules: _Rules, text: str, begin: int, end: int) -> _Piece | None:
    """What stands around these offsets now; it begins earlier, or ends later, where a comment
    alone doesn't tell to which rule it belongs."""
    bounds, longer = rules.bounds, len(text) - len(before)
    first = min(bisect_right(bounds, begin), len(bounds) - 1) - 1
    last = bisect_left(bounds, end)
    around = (
        f"<network><name>x</name><forwarding><{rules.direction}>",
        f"</{rules.direction}></forwarding></network>",
    )
    while True:
        # A comment belongs to the rule before it where its line ends with it.
        while (
            first >= 0
            and before.endswith("-->", 0, bounds[first])
            and before.find("\n", bounds[first], begin) < 0
        ):
            first -= 1
        if first < 0 or last - first > _MOST:
            return None
        found = _alone(text[bounds[first] : bounds[last] + longer].join(around))
        if found is None:
            return None
        node = found.node.children[1].children[0]
        policy = _policy(found.reading.network, rules.direction)
        if policy.comments:
            first -= 1
        elif policy.trailing and last < len(bounds) - 1:
            last += 1
        elif node.tangled:
            return None
        else:
            now = _rules(node, bounds[first] - len(around[0]))
            return _Piece(first, last, policy, now.bounds[1:-1])


def _is_valid(known: _Known) -> bool:
    """Whether the schema has nothing against a known document."""
    from vnet_tui.engine.xml import tree

    return known.valid or tree.schema_problem(tree.tree(known.text)) is None


def _alone(document: str) -> Walk | None:
    """A small document that has to be right in every way."""
    from vnet_tui.engine.xml import tree

    try:
        found = walk(document)
    except DocumentError:
        return None
    if found.reading.problems or tree.schema_problem(found.root):
        return None
    return found


def _pieced(known: _Known, rules: _Rules, text: str, piece: _Piece) -> _Known | None:
    """The known document with that piece in it."""
    bounds, first, last = rules.bounds, piece.first, piece.last
    longer = len(text) - len(known.text)
    begin, end = bounds[first], bounds[last]
    lines = text.count("\n", begin, end + longer) - known.text.count("\n", begin, end)
    before = _policy(known.network, rules.direction)
    kept, follow = before.rules[:first], before.rules[last:]
    new_lines = _moved(piece.policy.lines, text.count("\n", 0, begin))
    now = replace(
        before,
        trailing=piece.policy.trailing if last == len(bounds) - 1 else before.trailing,
        rules=(*kept, *piece.policy.rules, *follow),
        lines=_moved(before.lines, 0).spliced(first, last, new_lines, lines),
    )
    known_alike(before.rules, now.rules, (len(kept), len(follow)))
    places = known.places + len(now.trailing) - len(before.trailing)
    places += _places(piece.policy.rules) - _places(before.rules[first:last])
    if len(now.rules) > MAX_RULES or places > MAX_NODES or (lines and not known.ends):
        return None
    policies: dict[str, Any] = {rules.direction: now}
    found = []
    for one in known.policies:
        if one is rules:
            end = min(last + 1, len(bounds) - 1)
            offsets = bounds.spliced(first + 1, end, piece.ends, longer)
            found.append(_Rules(one.direction, offsets))
        elif one.bounds[0] < begin:
            found.append(one)
        else:
            found.append(_Rules(one.direction, one.bounds.moved(longer)))
            other = _policy(known.network, one.direction)
            policies[one.direction] = replace(
                other, line=other.line + lines, lines=_moved(other.lines, lines)
            )
    forwarding = replace(known.network.forwarding or Forwarding(), **policies)
    network = replace(known.network, forwarding=forwarding)
    return replace(known, text=text, network=network, policies=tuple(found), places=places)
