"""Every command of ``vnet``. What they do is in the modules that they name."""

from __future__ import annotations

from functools import cache

from vnet_tui.cli.spec import (
    ANY_NETWORKS,
    FILE,
    NETWORK,
    NETWORKS,
    Command,
    Operand,
    Option,
)

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

_LOOKING = (
    Command(
        "network-list",
        "listing:network_list",
        "list networks",
        options=(
            Option("--all", "running and not", group="which"),
            Option("--inactive", "only those that don't run", group="which"),
            Option("--persistent", "only those that are defined", group="kept"),
            Option("--transient", "only those that are gone when they stop", group="kept"),
            Option("--autostart", "only those that start with the host", group="starts"),
            Option("--no-autostart", "only those that don't", group="starts"),
            Option("--name", "print names only", group="what"),
            Option("--uuid", "print UUIDs only", group="what"),
            Option("--id", "print ids only, of those that run", group="what"),
            Option("--table", "print a table (the default)", group="what"),
        ),
        about="Lists the networks that run, unless told otherwise. Definitions that can't be read "
        "are told on standard error.",
        json="an array of networks; of strings or numbers with --name, --uuid or --id",
        asks=True,
    ),
    Command(
        "network-info",
        "listing:network_info",
        "tell what a network is",
        operands=(NETWORK,),
        json="the network",
        asks=True,
    ),
    Command(
        "network-name",
        "listing:network_name",
        "print a network's name",
        operands=(NETWORK,),
        json="a string",
        asks=True,
    ),
    Command(
        "network-uuid",
        "listing:network_uuid",
        "print a network's UUID",
        operands=(NETWORK,),
        json="a string",
        asks=True,
    ),
    Command(
        "network-dumpxml",
        "listing:network_dumpxml",
        "print a network's document",
        operands=(NETWORK,),
        options=(
            Option("--inactive", "as it is defined, not as it runs"),
            Option("--xpath", "only what this XPath expression finds", "EXPRESSION"),
            Option("--wrap", "what --xpath finds in one element, <nodes>"),
        ),
        about="As it runs, with its id and the bridge's name; or, if it doesn't run or with "
        "--inactive, as it is defined. What is printed whole can be defined again.",
        json="a string",
        asks=True,
    ),
    Command(
        "network-dhcp-leases",
        "listing:network_dhcp_leases",
        "list who leases which address",
        operands=(NETWORK,),
        options=(Option("--mac", "only those of this MAC address", "MAC"),),
        json="an array of leases",
        asks=True,
    ),
    Command(
        "network-port-list",
        "listing:network_port_list",
        "list what is plugged into a running network",
        operands=(NETWORK,),
        json="an array of guests",
        asks=True,
    ),
)

_DEFINING = (
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

_RUNNING = (
    Command(
        "network-start",
        "running:network_start",
        "start defined networks",
        operands=(NETWORKS,),
        about="As one batch: all of them run, or none was started.",
        json="an array of networks",
        deadline=True,
    ),
    Command(
        "network-stop",
        "running:network_stop",
        "stop running networks",
        operands=(NETWORKS,),
        about="As one batch. A transient one is gone then.",
        json="an array of networks as they were",
        deadline=True,
    ),
    Command(
        "network-destroy",
        "running:network_destroy",
        "stop running networks, in virsh's word",
        operands=(NETWORKS,),
        about="The same as network-stop: definitions stay.",
        json="an array of networks as they were",
        deadline=True,
    ),
    Command(
        "network-restart",
        "running:network_restart",
        "make running networks anew; guests stay attached",
        operands=(NETWORKS,),
        about="From their definitions. Guests keep their leases, but are cut off for a moment.",
        json="an array of networks",
        deadline=True,
    ),
    Command(
        "network-apply",
        "running:network_apply",
        "bring running networks to their definitions, live",
        operands=(NETWORKS,),
        about="Changes only what differs. Without a new definition it puts right what others "
        "changed on the host, and brings forwarded ports to where their guests are.",
        json="an array of networks",
        deadline=True,
    ),
    Command(
        "network-plan",
        "running:network_plan",
        "tell what a change would do",
        operands=(ANY_NETWORKS,),
        options=(
            Option(
                "--verb",
                "start, stop, restart or apply; unless given, apply to what runs and start to "
                "what doesn't",
                "VERB",
                words=("start", "stop", "restart", "apply"),
            ),
            Option("--file", "what it would take to run this document", "FILE", completes="file"),
        ),
        about="Step by step, with what each disturbs. Changes nothing.",
        json='an array of {"network", "verb", "disturbs", "steps": [{"text", "disturbs"}]}',
        status="2 if there is something to do.",
        document="file",
        asks=True,
    ),
    Command(
        "network-confirm",
        "confirming:network_confirm",
        "keep the changes that wait to be confirmed",
        operands=(Operand("id", "of the checkpoint; the one that is open unless given", "?"),),
        about="They were made with --confirm-within, here or elsewhere.",
        json="the checkpoint",
    ),
    Command(
        "network-rollback",
        "confirming:network_rollback",
        "take back the changes that wait to be confirmed",
        operands=(Operand("id", "of the checkpoint; the one that is open unless given", "?"),),
        json="the checkpoint",
    ),
)

_WATCHING = (
    Command(
        "network-event",
        "watching:network_event",
        "wait for what happens to networks",
        options=(
            Option("--network", "only to this one", "NETWORK", completes="network"),
            Option("--event", "only events of this kind; any unless given", "KIND"),
            Option("--loop", "until interrupted or --timeout, rather than for one event"),
            Option("--timeout", "give up after so many seconds", "SECONDS", float),
            Option("--list", "list the kinds"),
            Option("--timestamp", "begin each line with the time"),
        ),
        about="The kind lifecycle stands for defined, undefined, started and stopped.",
        json="one event a line",
        status="1 if nothing happened before the time was over.",
        watch=True,
    ),
    Command(
        "network-log",
        "watching:network_log",
        "tell what happened to networks",
        options=(
            Option("--network", "only to this one", "NETWORK", completes="network"),
            Option("--event", "only events of this kind", "KIND"),
            Option(
                "--since",
                "only from then on: an age like 90s, 10m, 2h or 3d, a time of today, or a date",
                "TIME",
            ),
            Option("--follow", "and what happens from now on, until interrupted"),
        ),
        about="Oldest first: definitions, starts and stops, guests, leases, what was denied or "
        "logged by rules, failures and repairs, as far back as is kept.",
        json="one event a line",
        watch=True,
    ),
    Command(
        "network-stats",
        "statistics:network_stats",
        "show what flows through running networks",
        operands=(ANY_NETWORKS,),
        options=(
            Option("--count", "end after so many samples", "N", int),
            Option("--prometheus", "print counters once, as Prometheus reads them"),
        ),
        about="A line for each network a second, until interrupted. In is towards the guests, out "
        "from them.",
        json="one sample a line: rates and totals of networks and ports, and what rules and guests "
        "counted",
    ),
)

_EXAMINING = (
    Command(
        "network-doctor",
        "examining:network_doctor",
        "tell what on this host stands in a network's way",
        operands=(NETWORK,),
        about="Rules of other programs, settings, routes, names and MTU. It asks the bridge for "
        "other DHCP servers too, which takes a few seconds. Changes nothing, and tells the "
        "commands that open the way.",
        json="an array of findings",
        status="1 if anything is in the way.",
        asks=True,
    ),
    Command(
        "network-explain",
        "examining:network_explain",
        "tell whether one machine reaches another, and why",
        operands=(NETWORK,),
        options=(
            Option("--from", "a guest's name, host, outside, or an address", "A", needed=True),
            Option("--to", "the same", "B", needed=True),
            Option("--port", "where B listens, or is asked for", "N", int),
            Option("--protocol", "tcp (which it is unless said), udp or icmp", "PROTOCOL"),
            Option("--family", "IPv4 or IPv6 only", "4|6", int),
        ),
        about="Sends no packet: it follows the rules of all tables on paper.",
        json="the answer, who decides, and the steps",
        status="1 unless the answer is yes.",
        asks=True,
    ),
    Command(
        "network-suggest-subnet",
        "examining:network_suggest_subnet",
        "print a private subnet that nothing uses",
        options=(
            Option(
                "--prefix", "its prefix length (24 unless given, or 64 for IPv6)", "LENGTH", int
            ),
            Option("--ipv6", "a unique local IPv6 subnet, out of fd00::/8"),
        ),
        about="Neither the host nor any definition.",
        json="a string",
        asks=True,
    ),
)

_OTHERS = (
    Command(
        "sandbox",
        "trying:sandbox",
        "run a shell or a command in a sandbox",
        operands=(
            Operand("command", "the command and its arguments; a shell unless given", "..."),
        ),
        about="Private namespaces with networks, simulated guests and an internet, in which vnet "
        "and vnet-tui work on these instead of the host's. Needs no root. All of it ends with the "
        "command.",
        status="That of the command.",
        local=True,
    ),
    Command(
        "help",
        "helping:show_help",
        "tell what commands there are, or about one",
        operands=(Operand("command", "its name", "?", completes="command"),),
        local=True,
    ),
)

COMMANDS = (*_LOOKING, *_DEFINING, *_RUNNING, *_WATCHING, *_EXAMINING, *_OTHERS)

GROUPS = {
    "Looking": _LOOKING,
    "Defining": _DEFINING,
    "Running": _RUNNING,
    "Watching": _WATCHING,
    "Examining": _EXAMINING,
    "Others": _OTHERS,
}
"""The commands by what they are for."""


@cache
def by_name() -> dict[str, Command]:
    """Every command by each of its names."""
    return {name: command for command in COMMANDS for name in command.names}
