"""Policy routing on paper: which rule and which route a packet gets (ip-rule(8))."""

from __future__ import annotations

from dataclasses import dataclass

from vnet_tui.engine.drivers.routing import Action, Routing, RoutingRule, TableRoute
from vnet_tui.engine.model import Address


@dataclass(frozen=True, slots=True)
class Asked:
    """A packet as routing sees it; ``lo`` as ``iif`` is one of the host's own."""

    source: Address
    target: Address
    iif: str
    mark: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of it: the rule that decides (None: none does), what it does, and the interface
    by which it leaves (empty: it is thrown away). ``doubtful``: a rule before it asks for more than
    is known here."""

    rule: RoutingRule | None = None
    action: Action = Action.UNREACHABLE
    device: str = ""
    doubtful: bool = False


def look_up(routing: Routing, asked: Asked) -> Outcome:
    """What the rules say of a packet that isn't for the host itself."""
    doubtful, skip_to = False, 0
    for rule in routing.rules:
        if rule.version != asked.target.version or rule.priority < skip_to:
            continue
        if _selects(rule, asked) is rule.inverted:
            continue
        if rule.doubtful:
            doubtful = True
            continue
        if rule.action is Action.GOTO:
            skip_to = rule.goto
        elif rule.action is Action.LOOKUP:
            route = _best(routing, rule, asked.target)
            if route is not None and route.action is not Action.THROW:
                return Outcome(rule, route.action, route.device, doubtful)
        elif rule.action in (Action.BLACKHOLE, Action.UNREACHABLE, Action.PROHIBIT):
            return Outcome(rule, rule.action, "", doubtful)
    return Outcome(doubtful=doubtful)


def _selects(rule: RoutingRule, asked: Asked) -> bool:
    return (
        (rule.source is None or asked.source in rule.source)
        and (rule.target is None or asked.target in rule.target)
        and (not rule.iif or rule.iif == asked.iif)
        and not rule.oif  # what is sent by an interface of its own choice
        and asked.mark & rule.mask == rule.mark
    )


def _best(routing: Routing, rule: RoutingRule, target: Address) -> TableRoute | None:
    fitting = [
        route
        for route in routing.routes
        if route.table == rule.table
        and target.version == route.target.version
        and target in route.target
    ]
    best = max(fitting, key=lambda one: (one.target.prefixlen, -one.metric), default=None)
    if best is not None and rule.suppress is not None and best.target.prefixlen <= rule.suppress:
        return None
    return best
