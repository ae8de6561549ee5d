"""The process that changes the legacy tables of one address family, through python-iptables.

It is a process of its own since python-iptables keeps handles for a whole process, loads
``MASQUERADE`` and ``DNAT`` for one address family only, and takes over the standard output while it
works. It reads requests from its standard input, one JSON object a line, answers each with one, and
ends with its input. Whoever asks holds the lock of the tables meanwhile.

``{"do": "prepare", "table": TABLE, "edit": EDIT}``
    makes ready what :class:`~vnet_tui.engine.drivers.firewall.iptables.edits.Edit` says; answers
    with the sum of the digests of the chains (and hooks) that were written, by network;
``{"do": "mark", "table": TABLE, "marks": {CHAIN: COMMENT}}``
    makes these marks ready, too;
``{"do": "commit", "table": TABLE}``
    puts a table in place, at once and as a whole.

Answers are objects, with ``error`` where it failed; the first one, ``{}``, comes unasked.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from vnet_tui.engine.drivers.firewall.iptables import entries
from vnet_tui.engine.drivers.firewall.iptables.edits import ChainEdit, Edit, Tally
from vnet_tui.engine.drivers.firewall.iptables.libraries import import_iptc
from vnet_tui.engine.drivers.firewall.iptables.packing import Packer
from vnet_tui.engine.drivers.firewall.iptables.rules import TABLES, Rule, digest, owner

_UNCOUNTED = (0, 0)


class Tables:
    """The tables of one family, each with a handle that holds what was prepared."""

    def __init__(self, family: int) -> None:
        iptc = import_iptc()
        self._family = family
        made = iptc.Table6 if family == 6 else iptc.Table
        # It would look for jumps to chains in every table it can make; these two are enough.
        made.existing_table_names.update({name: name in TABLES for name in made.ALL})
        self._tables = {name: made(name, autocommit=False) for name in TABLES}
        self._packer = Packer(family, iptc)
        self._counters = iptc.ip4tc.xt_counters

    def prepare(self, table: str, edit: Edit) -> dict[str, int]:
        """Make an edit ready, on what the table holds now; sums of the digests of what was
        written, by network."""
        handle = self._tables[table]
        handle.refresh()
        self._packer.forget()
        there = set(_chains(handle))
        if edit.anew:
            gone = {name for name in there if owner(name) is not None} - edit.write.keys()
        else:
            gone = set(edit.delete)
        for name in sorted(edit.write.keys() - there):
            handle.create_chain(name)
        sums: dict[str, int] = {}
        for name, one in edit.write.items():
            part = owner(name) or ""
            sums[part] = sums.get(part, 0) + self._write(handle, name, one)
        if edit.hooks is not None:
            sums[""] = sums.get("", 0) + sum(self._set_hooks(handle, edit.hooks))
        for name in gone:
            handle.flush_entries(name)
        for name in sorted(gone):
            handle.delete_chain(name)
        return sums

    def mark(self, table: str, marks: Mapping[str, str]) -> None:
        """Have these comments in chains of their own."""
        handle = self._tables[table]
        there = set(_chains(handle))
        for name, text in marks.items():
            if name in there:
                handle.flush_entries(name)
            else:
                handle.create_chain(name)
            self._append(handle, name, self._packer.pack(Rule(key=text))[0])

    def commit(self, table: str) -> None:
        """Put what was prepared in the place of what there is."""
        self._tables[table].commit()

    def _write(self, handle: Any, name: str, edit: ChainEdit) -> int:
        """Bring a chain to what it should be; its digest."""
        keeps = edit.keep or edit.keep_end
        if keeps:
            surplus = sum(1 for _ in self._rules(handle, name)) - edit.keep - edit.keep_end
            for _ in range(surplus):
                # python-iptables knows this call and has no method for it.
                handle._iptc.iptc_delete_num_entry(name.encode(), edit.keep, handle._handle)
        else:
            handle.flush_entries(name)
        identities = []
        for at, rule in enumerate(edit.rules, edit.keep):
            entry, identity = self._packer.pack(rule, edit.counts.get(at, _UNCOUNTED))
            identities.append(identity)
            if edit.keep_end:
                handle.insert_entry(name, _buffer(entry), at)
            else:
                self._append(handle, name, entry)
        if not keeps:
            return digest(name, identities)
        for at, count in edit.counts.items():
            if not edit.keep <= at < edit.keep + len(edit.rules):
                self._set_counter(handle, name, at, count)
        return digest(name, [identity for _, identity, _ in self._rules(handle, name)])

    def _append(self, handle: Any, chain: str, entry: bytearray) -> None:
        handle.append_entry(chain, _buffer(entry))

    def _set_counter(self, handle: Any, chain: str, at: int, count: Tally) -> None:
        """Have a rule that stays count on from there; the first has the number 1."""
        counters = self._counters()
        counters.pcnt, counters.bcnt = count
        handle._iptc.iptc_set_counter(
            chain.encode(), at + 1, ctypes.pointer(counters), handle._handle
        )

    def _set_hooks(self, handle: Any, hooks: Mapping[str, Sequence[Rule]]) -> list[int]:
        """Leave these rules of ours in the built-in chains; what is right stays where it is. Their
        digests."""
        digests = []
        for chain in [name for name in _chains(handle) if handle.builtin_chain(name)]:
            missing = {
                identity: entry
                for entry, identity in (self._packer.pack(rule) for rule in hooks.get(chain, ()))
            }
            surplus = [
                number
                for number, identity, target in self._rules(handle, chain)
                if owner(target) is not None and missing.pop(identity, None) is None
            ]
            for number in reversed(surplus):
                handle._iptc.iptc_delete_num_entry(chain.encode(), number, handle._handle)
            for entry in reversed(missing.values()):
                handle.insert_entry(chain, _buffer(entry), 0)
            leading = [
                identity
                for _, identity, target in self._rules(handle, chain)
                if owner(target) is not None
            ]
            if leading:
                digests.append(digest(chain, leading))
        return digests

    def _rules(self, handle: Any, chain: str) -> Iterator[tuple[int, bytes, str]]:
        """Of each rule in a chain its number, its identity, and where it leads."""
        layout = entries.LAYOUTS[self._family]
        number = 0
        entry = handle.first_rule(chain)
        while entry:
            raw = ctypes.string_at(ctypes.addressof(entry), entry.next_offset)
            name = entries.extension(raw, layout.target(raw, 0)).name
            target = (handle.get_target(entry) or b"").decode(errors="replace")
            # A jump that was just added still has its chain's name there.
            jump = target if name == entries.STANDARD or handle.is_chain(target) else None
            if jump is None and name.decode(errors="replace") in ("RETURN", "DROP", "ACCEPT"):
                jump = name.decode()
            yield number, entries.identity(self._family, raw, jump), target
            entry = handle.next_rule(entry)
            number += 1


def _chains(handle: Any) -> Iterator[str]:
    """The names of all chains. python-iptables makes an object of each."""
    name = handle._iptc.iptc_first_chain(handle._handle)
    while name:
        yield name.decode(errors="replace")
        name = handle._iptc.iptc_next_chain(handle._handle)


def _buffer(entry: bytearray) -> Any:
    return (ctypes.c_ubyte * len(entry)).from_buffer(entry)


def _answer(tables: Tables, request: Mapping[str, Any]) -> dict[str, Any]:
    try:
        if request["do"] == "prepare":
            return {"sums": tables.prepare(request["table"], Edit.load(request["edit"]))}
        if request["do"] == "mark":
            tables.mark(request["table"], request["marks"])
        else:
            tables.commit(request["table"])
    except Exception as error:
        return {"error": str(error) or repr(error)}
    return {}


def main(family: int) -> None:
    """Answer requests until there are no more."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # python-iptables lets extensions print, and reads that
    try:
        tables = Tables(family)
    except Exception as error:
        print(json.dumps({"error": str(error) or repr(error)}), file=answers)
        return
    print("{}", file=answers)
    # Among so many rules it would look for garbage again and again, while somebody waits.
    gc.disable()
    gc.freeze()
    for line in sys.stdin:
        print(json.dumps(_answer(tables, json.loads(line))), file=answers)
        gc.collect()


if __name__ == "__main__":
    main(int(sys.argv[1]))
