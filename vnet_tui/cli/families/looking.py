"""The commands that look: what networks there are, what they are, who is on them."""

from __future__ import annotations

from vnet_tui.cli.spec import NETWORK, Command, Option

COMMANDS = (
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
