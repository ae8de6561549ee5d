"""From the listings of others' tables to tables on paper."""

from __future__ import annotations

from dataclasses import dataclass, replace

from vnet_tui.engine.doctor.nft_reading import read_nft_table
from vnet_tui.engine.doctor.save_reading import read_save
from vnet_tui.engine.doctor.tables import Chain, Table
from vnet_tui.engine.drivers.foreign import Foreign

_OUR_CHAINS = "VNET-"
"""How the chains of our iptables driver begin."""


@dataclass(frozen=True, slots=True)
class Others:
    """The tables of others; ``unread`` what couldn't be read; ``programs`` the firewall managers
    that the host has (``ufw``, ``firewall-cmd``)."""

    tables: tuple[Table, ...] = ()
    unread: tuple[str, ...] = ()
    programs: frozenset[str] = frozenset()


def read_tables(foreign: Foreign) -> Others:
    """What was listed, each table once: those that iptables keeps within nft are read from its
    own listing, in which nothing of them is lost."""
    unread = list(foreign.unread)
    saved: dict[tuple[str, str], Table] = {}
    tables: list[Table] = []
    for save in foreign.saves:
        found = read_save(save.text, save.version, save.tool, foreign.sets)
        if save.legacy:
            tables += map(_without_ours, found)
        else:
            saved.update({(table.family, table.name): table for table in found})
    for listing in foreign.nft:
        try:
            table = read_nft_table(listing.objects, listing.text)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            unread.append(f"a table of nft isn't understood: {error!r}")
            continue
        tables.append(saved.get((table.family, table.name), table))
    return Others(tuple(tables), tuple(unread), foreign.programs)


def _without_ours(table: Table) -> Table:
    """A table without our driver's chains, and without the jumps to them: what is theirs."""
    chains = {
        name: Chain(
            tuple(rule for rule in chain.rules if not rule.verdict.target.startswith(_OUR_CHAINS)),
            chain.base,
        )
        for name, chain in table.chains.items()
        if not name.startswith(_OUR_CHAINS)
    }
    return replace(table, chains=chains)
