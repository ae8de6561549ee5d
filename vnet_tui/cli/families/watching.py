"""The commands that tell what happens, and what flows."""

from __future__ import annotations

from vnet_tui.cli.spec import ANY_NETWORKS, Command, Option

COMMANDS = (
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
