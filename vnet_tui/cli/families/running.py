"""The commands that start and stop networks, and bring them to what is defined."""

from __future__ import annotations

from vnet_tui.cli.spec import ANY_NETWORKS, NETWORKS, Command, Operand, Option

COMMANDS = (
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
