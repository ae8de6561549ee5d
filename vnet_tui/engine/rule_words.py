"""Rules of a document in words, and whether they do their work. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from vnet_tui.engine.check.shadows import shadowed
from vnet_tui.engine.model import Address, Mode, Network, Rule
from vnet_tui.engine.policy import FindGuest, is_forward, order, rule_keys
from vnet_tui.engine.views import RuleState, RuleStatus

_TOLD = 3
"""So many earlier rules are named that leave nothing to one."""


def describe(rule: Rule, *, outgoing: bool = False) -> str:
    """A rule in words for screens, such as ``allow tcp+udp 123 → foobar:321``.

    ``outgoing`` tells which policy it is in: there a domain is the guest that opens something.
    """
    if rule.protocol is not None:
        words = [rule.action.value, rule.protocol.value]
    else:
        words = [rule.action.value, "tcp+udp" if rule.port else "everything"]
    if rule.port is not None:
        words.append(str(rule.port))
    if is_forward(rule, outgoing=outgoing):
        if rule.destination is not None:
            words.append(f"at {_short(rule.destination)}")
        target = rule.destport or rule.port
        words.append(f"→ {rule.domain}" + ("" if target == rule.port else f":{target}"))
    elif rule.domain is not None:
        words.append(f"from {rule.domain}" if outgoing else f"→ {rule.domain}")
    if rule.source is not None:
        words.append(f"from {_short(rule.source)}")
    if rule.destination is not None and not is_forward(rule, outgoing=outgoing):
        words.append(f"to {_short(rule.destination)}")
    if rule.limit is not None:
        words.append(f"at most {rule.limit}/s")
    if rule.log:
        words.append("and log")
    return " ".join(words)


def rule_status(
    network: Network, find_guest: FindGuest, remark: Callable[[str], str] = lambda _: ""
) -> tuple[RuleStatus, ...]:
    """Every rule in document order, incoming first, and whether it does its work.

    ``remark`` gives what there is to say of the guest of a name, in a few words.
    """
    remarks: dict[str, str] = {}

    def about(rule: Rule) -> str:
        if rule.domain is None:
            return ""
        if rule.domain not in remarks:
            remarks[rule.domain] = remark(rule.domain)
        return remarks[rule.domain]

    return tuple(
        replace(
            _status(
                network, rule, position, direction, find_guest, about, shadows.get(position, ())
            ),
            key=key,
        )
        for direction, policy in (("incoming", network.incoming), ("outgoing", network.outgoing))
        for shadows in [shadowed(policy.rules, incoming=direction == "incoming")]
        for position, (rule, key) in enumerate(
            zip(policy.rules, rule_keys(network, direction), strict=True)
        )
    )


def _status(
    network: Network,
    rule: Rule,
    position: int,
    direction: str,
    find_guest: FindGuest,
    remark: Callable[[Rule], str],
    shadowed_by: Sequence[int],
) -> RuleStatus:
    guest: Address | None = None
    state, note = RuleState.ACTIVE, ""
    if not rule.enabled or network.mode is Mode.ISOLATED:
        state = RuleState.OFF
    elif rule.domain is not None:
        found = find_guest(rule.domain)
        guest = min(found, key=order(network)) if found else None
        state = RuleState.ACTIVE if found else RuleState.WAITING
        note = remark(rule) if found else f"waits for a guest named {rule.domain}"
    if shadowed_by and state is not RuleState.OFF:
        numbers = [str(by + 1) for by in shadowed_by]
        numbers[_TOLD:] = [f"{len(numbers) - _TOLD} more"] if len(numbers) > _TOLD else []
        each = "s" if len(numbers) > 1 else ""
        note = f"never decides: rule{each} {' and '.join(numbers)} before it"
    return RuleStatus(
        direction=direction,
        position=position,
        text=describe(rule, outgoing=direction == "outgoing"),
        state=state,
        guest=guest,
        note=note,
    )


def _short(subnet: object) -> str:
    """A subnet as a person writes it: a single address without its prefix length."""
    text = str(subnet)
    return text.removesuffix("/32") if "." in text else text.removesuffix("/128")
