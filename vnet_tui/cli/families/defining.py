"""The commands that change definitions, whole or one element."""

from __future__ import annotations

from vnet_tui.cli.spec import FILE, NETWORK, Command, Operand, Option

_WHERE = (
    Option("--config", "the definition, for the next start"),
    Option("--live", "the running network, now"),
    Option("--current", "the running network if it runs, else the definition (the default)"),
)
"""Which of the two documents of a network is changed, as in virsh."""

_EDIT_COMMANDS = ("add-first", "add-last", "add", "delete", "modify")
_SECTIONS = (
    "bridge",
    "ip",
    "ip-dhcp-host",
    "ip-dhcp-range",
    "dhcp-option",
    "dns-host",
    "dns-txt",
    "dns-srv",
    "dns-forwarder",
    "connection",
    "forward",
    "incoming",
    "outgoing",
    "domain",
    "forward-interface",
    "forward-pf",
    "portgroup",
)

COMMANDS = (
    Command(
        "network-define",
        "defining:network_define",
        "put a network into the store, or change it",
        operands=(FILE,),
        options=(Option("--validate", "accepted for virsh's sake: documents always are"),),
        about="A new network, or another definition of the network with its UUID or name. A "
        "network that runs goes on as it runs, until network-apply or network-restart.",
        json="the network",
        document="file",
        deadline=True,
    ),
    Command(
        "network-create",
        "defining:network_create",
        "start a transient network",
        operands=(FILE,),
        options=(Option("--validate", "accepted for virsh's sake: documents always are"),),
        about="It has no definition, isn't in the store, and is gone when it is stopped.",
        json="the network",
        document="file",
        deadline=True,
    ),
    Command(
        "network-undefine",
        "defining:network_undefine",
        "remove a network's definition",
        operands=(NETWORK,),
        about="A network that runs goes on, as a transient one, until it is stopped.",
        json="the network as it was",
        deadline=True,
    ),
    Command(
        "network-autostart",
        "defining:network_autostart",
        "let a network start with the host",
        operands=(NETWORK,),
        options=(Option("--disable", "no longer"),),
        about="It is vnetd that starts it.",
        json="the network",
        deadline=True,
    ),
    Command(
        "network-validate",
        "defining:network_validate",
        "tell everything that is wrong with documents",
        operands=(Operand("file", "XML documents, - for standard input", "+", completes="file"),),
        about="Their form and their sense, alone and beside the networks that are defined. Needs "
        "no daemon and no rights, and changes nothing. Errors and warnings go to standard error.",
        json='an array of {"file", "valid", "problems"}',
        status="1 if any document is no network's.",
        document="file",
    ),
    Command(
        "network-edit",
        "editing:network_edit",
        "change a network's definition in an editor",
        operands=(NETWORK,),
        about="In $VISUAL, else $EDITOR, else vi. What can't be is told, and can be edited again. "
        "What others changed meanwhile isn't overwritten.",
        json="the network",
        deadline=True,
    ),
    Command(
        "network-update",
        "updating:network_update",
        "add, change or delete one element of a network",
        operands=(
            NETWORK,
            Operand("command", "what to do", words=_EDIT_COMMANDS),
            Operand("section", "where, see below", words=_SECTIONS),
            Operand("xml", "the element; or a file that has it, - for standard input"),
        ),
        options=(
            Option("--parent-index", "for ip-dhcp-range: in which <ip>, from 0", "N", int),
            *_WHERE,
        ),
        about="""\
Each section holds elements of one kind, as the network's document spells them:

| section | element | is the same if it has the same |
| --- | --- | --- |
| bridge | <bridge> | (there is one) |
| ip | <ip> | address |
| ip-dhcp-host | <host> in <dhcp> | mac, or name where it has none |
| ip-dhcp-range | <range> in <ip> | start |
| dhcp-option | <option> in <dhcp> | number, name, family |
| dns-host | <host> in <dns> | name |
| dns-txt, dns-srv | <record> in <dns> of that type | name, target |
| dns-forwarder | <forwarder> in <dns> | address, domain |
| connection | <connection> in <connections> | address |
| forward | <forwarding> | (there is one) |
| incoming, outgoing | <allow> or <deny> | port, protocol, source, destination, domain |

modify replaces the element that is the same; delete removes the one that has all attributes that
are given; add (the same as add-last) and add-first add another one. virsh's sections domain,
forward-interface, forward-pf and portgroup have no place in these documents.""",
        json="the network",
        document="xml",
        deadline=True,
    ),
    Command(
        "network-desc",
        "updating:network_desc",
        "show or change a network's description or title",
        operands=(NETWORK, Operand("text", "the new one; several words are put together", "*")),
        options=(
            Option("--title", "the title instead of the description"),
            Option("--new-desc", "the new one", "TEXT"),
            Option("--edit", "in an editor"),
            *_WHERE,
        ),
        about="An empty text removes it.",
        json='{"title"} or {"description"}',
        deadline=True,
    ),
    Command(
        "network-metadata",
        "updating:network_metadata",
        "show or change a program's own data in a network's document",
        operands=(NETWORK, Operand("uri", "the XML namespace of that program's element")),
        options=(
            Option("--set", "the element", "XML", group="how"),
            Option("--remove", "remove it", group="how"),
            Option("--edit", "in an editor", group="how"),
            Option("--key", "the prefix that --set and --edit give to its namespace", "PREFIX"),
            *_WHERE,
        ),
        json='{"metadata"}: a string, or null',
        deadline=True,
    ),
)
