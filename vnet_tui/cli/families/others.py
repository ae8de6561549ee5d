"""The commands that ask no engine."""

from __future__ import annotations

from vnet_tui.cli.spec import Command, Operand

COMMANDS = (
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
