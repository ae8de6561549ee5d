"""The process that changes the legacy tables of one address family, through python-iptables.

It is a process of its own since python-iptables keeps handles for a whole process, loads
``MASQUERADE`` and ``DNAT`` for one address family only, and takes over the standard output while it
works. It reads requests from its standard input, one JSON object a line, answers each with one, and
ends with its input. Whoever asks holds the lock of the tables meanwhile.

``{"do": "prepare", "table": TABLE, "edit": EDIT}``
    makes ready what :class:`~vnet_tui.engine.drivers.firewall.iptables.rules.Edit` says;
``{"do": "commit", "table": TABLE}``
    puts a table in place, at once and as a whole.

Answers are ``{}``, or ``{"error": WHAT}``; the first one comes unasked.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from vnet_tui.engine.drivers.firewall.iptables import entries
from vnet_tui.engine.drivers.firewall.iptables.libraries import import_iptc
from vnet_tui.engine.drivers.firewall.iptables.rules import (
    TABLES,
    Edit,
    Extension,
    Rule,
    owner,
    structure,
)


class Tables:
    """The tables of one family, each with a handle that holds what was prepared."""

    def __init__(self, family: int) -> None:
        iptc = import_iptc()
        self._family = family
        self._make_rule = iptc.Rule6 if family == 6 else iptc.Rule
        made = iptc.Table6 if family == 6 else iptc.Table
        # It would look for jumps to chains in every table it can make; these two are enough.
        made.existing_table_names.update({name: name in TABLES for name in made.ALL})
        self._tables = {name: made(name, autocommit=False) for name in TABLES}
        # Making one takes python-iptables a tenth of a millisecond, and many are alike.
        self._plains: dict[tuple[str, str, bool, tuple[tuple[str, str], ...]], bytes] = {}
        self._matches: dict[tuple[str, Extension], bytes] = {}

    def prepare(self, table: str, edit: Edit) -> None:
        """Make an edit ready, on what the table holds now."""
        handle = self._tables[table]
        handle.refresh()
        self._plains.clear()
        self._matches.clear()
        there = {chain.name for chain in handle.chains if owner(chain.name) is not None}
        wanted = {*edit.write, *edit.marks}
        gone = there - wanted if edit.anew else set(edit.delete)
        for name in there if edit.anew else (there & wanted) | gone:
            handle.flush_entries(name)
        for name in sorted(wanted - there):
            handle.create_chain(name)
        for name, rules in edit.write.items():
            for rule in rules:
                handle.append_entry(name, self._entry(rule))
        if edit.hooks is not None:
            self._set_hooks(handle, edit.hooks)
        for name in sorted(gone):
            handle.delete_chain(name)
        for name, mark in edit.marks.items():
            made = structure(self._identities(handle, mark.chains, hooks=mark.hooks))
            text = f"{mark.text}:{made}"
            comment = Extension("comment", (("comment", text),))
            handle.append_entry(name, self._entry(Rule(matches=(comment,))))

    def commit(self, table: str) -> None:
        """Put what was prepared in the place of what there is."""
        self._tables[table].commit()

    def _set_hooks(self, handle: Any, hooks: Mapping[str, Sequence[Rule]]) -> None:
        """Leave these rules of ours in the built-in chains; what is right stays where it is."""
        for chain in [chain.name for chain in handle.chains if handle.builtin_chain(chain)]:
            missing = {
                entries.identity(self._family, bytes(entry), rule.target): entry
                for rule, entry in ((rule, self._entry(rule)) for rule in hooks.get(chain, ()))
            }
            surplus = [
                number
                for number, identity, target in self._rules(handle, chain)
                if owner(target) is not None and missing.pop(identity, None) is None
            ]
            for number in reversed(surplus):
                # python-iptables knows this call and has no method for it.
                handle._iptc.iptc_delete_num_entry(chain.encode(), number, handle._handle)
            for entry in reversed(missing.values()):
                handle.insert_entry(chain, entry, 0)

    def _identities(
        self, handle: Any, names: Sequence[str], *, hooks: bool
    ) -> Iterator[tuple[str, list[bytes]]]:
        for name in names:
            yield name, [identity for _, identity, _ in self._rules(handle, name)]
        if hooks:
            for chain in [chain.name for chain in handle.chains if handle.builtin_chain(chain)]:
                leading = [
                    identity
                    for _, identity, target in self._rules(handle, chain)
                    if owner(target) is not None
                ]
                if leading:
                    yield chain, leading

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
            yield number, entries.identity(self._family, raw, jump), target
            entry = handle.next_rule(entry)
            number += 1

    def _entry(self, rule: Rule) -> Any:
        """The rule as the kernel takes it, put together from its parts."""
        layout = entries.LAYOUTS[self._family]
        made = self._make_rule()
        if rule.source:
            made.src = rule.source
        if rule.destination:
            made.dst = rule.destination
        packet = made.get_ip()
        packet.iniface, packet.iniface_mask = _interface(rule.came_in)
        packet.outiface, packet.outiface_mask = _interface(rule.goes_out)
        plain = self._plain(rule.protocol, rule.target, rule.goto, rule.options)
        found = b"".join(self._match(rule.protocol, match) for match in rule.matches)
        entry = bytearray(plain[: layout.header] + found + plain[layout.header :])
        entry[: layout.ends] = bytes(packet)[: layout.ends]
        entry[layout.inverted] |= bytes(packet)[layout.inverted]
        layout.set_offsets(entry, layout.header + len(found))
        return (ctypes.c_ubyte * len(entry)).from_buffer(entry)

    def _plain(
        self, protocol: str, target: str, goto: bool, options: tuple[tuple[str, str], ...]
    ) -> bytes:
        """A rule of which only the protocol and the target are said."""
        key = (protocol, target, goto, options)
        if key not in self._plains:
            made = self._make_rule()
            if protocol:
                made.protocol = protocol
            does = made.create_target(target, goto=goto)
            for option, value in options:
                does.set_parameter(option, value)
            if target == "MASQUERADE":
                does.final_check()  # without it the kernel refuses the rule
            self._plains[key] = bytes(made.rule)
        return self._plains[key]

    def _match(self, protocol: str, match: Extension) -> bytes:
        """A match of rules about that protocol."""
        key = (protocol, match)
        if key not in self._matches:
            made = self._make_rule()
            if protocol:
                made.protocol = protocol
            extension = made.create_match(match.name)
            for option, value in match.options:
                extension.set_parameter(option, value)
            self._matches[key] = bytes(extension.match_buf)
        return self._matches[key]


def _interface(name: str) -> tuple[bytes, bytes]:
    """Name and mask: all bytes count, with the zero at the end unless any name that begins so
    will do. Not left to python-iptables: its mask for IPv6 lets one bit of each byte count."""
    if not name:
        return b"", b""
    if name.endswith("+"):
        return name[:-1].encode(), b"\xff" * len(name[:-1].encode())
    return name.encode(), b"\xff" * (len(name.encode()) + 1)


def _answer(tables: Tables, request: Mapping[str, Any]) -> dict[str, str]:
    try:
        if request["do"] == "prepare":
            tables.prepare(request["table"], Edit.load(request["edit"]))
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
    for line in sys.stdin:
        print(json.dumps(_answer(tables, json.loads(line))), file=answers)


if __name__ == "__main__":
    main(int(sys.argv[1]))
