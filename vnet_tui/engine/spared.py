"""What can be known of networks whose records can't be read: they are spared, rules and all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from uuid import UUID

from vnet_tui.engine.desired import desired_network
from vnet_tui.engine.errors import VnetError
from vnet_tui.engine.leases import read_leases
from vnet_tui.engine.model import Network
from vnet_tui.engine.paths import Paths
from vnet_tui.engine.resources import NetworkRules, RunRecord, rules_digest


def spared_rules(
    networks: Iterable[UUID],
    digests: Mapping[UUID, str],
    installed: Mapping[str, NetworkRules],
    parse: Callable[[str], Network],
    paths: Paths,
) -> Mapping[UUID, NetworkRules]:
    """The rules that are in force for these networks, where it can be told what they are.

    ``digests`` are those of the rules in force; ``installed`` are rules by digest. Others are
    looked for in the definitions, which may be what was started.
    """
    found = {}
    for uuid in networks:
        digest = digests.get(uuid, "")
        rules = installed.get(digest) or _as_defined(uuid, parse, paths)
        if rules is not None and rules_digest(rules) == digest:
            found[uuid] = rules
    return found


def _as_defined(uuid: UUID, parse: Callable[[str], Network], paths: Paths) -> NetworkRules | None:
    """The rules that a network would have by its definition; None where it has none to be read."""
    try:
        network = parse((paths.definitions / f"{uuid}.xml").read_text())
        record = RunRecord(uuid=uuid, name=network.name, id=0, started=0.0, definition="")
        return desired_network(record, network, read_leases(paths, uuid), paths).rules
    except (OSError, ValueError, VnetError):
        return None
