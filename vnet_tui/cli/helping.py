"""Help, made from the table of commands."""

from __future__ import annotations

from textwrap import fill

from vnet_tui.cli.arguments import Arguments, named
from vnet_tui.cli.commands import GROUPS
from vnet_tui.cli.spec import SHARED, Command, Operand, Option

_WIDTH = 79


def show_help(args: Arguments) -> int:
    """Print help about one command, or about all."""
    name = args.text("command")
    print(help_text(named(name) if name else None))
    return 0


def help_text(command: Command | None) -> str:
    """Help about a command; None: which commands there are."""
    return _about(command) if command else _overview()


def _overview() -> str:
    lines = [
        "usage: vnet [OPTION...] COMMAND [ARGUMENT...]",
        "       vnet [OPTION...]                        a shell for many commands",
        "",
        "Manage virtual networks. network-NAME is net-NAME too.",
    ]
    for title, commands in GROUPS.items():
        lines += ["", f"{title}:"]
        lines += [f"  {command.name:<26} {command.summary}" for command in commands]
    lines += ["", "Options:", *map(_option, SHARED), "  --version                  print it"]
    lines += ["", "'vnet help COMMAND' tells more."]
    return "\n".join(lines)


def _about(command: Command) -> str:
    lines = [fill(f"usage: vnet {command.usage}", _WIDTH, subsequent_indent="       ")]
    aliases = [name for name in command.names if name != command.name]
    summary = f"{command.summary[0].upper()}{command.summary[1:]}."
    lines += ["", summary + (f" Also: {', '.join(aliases)}." if aliases else "")]
    if command.about:
        lines += ["", _prose(command.about)]
    if command.operands or command.all_options:
        lines.append("")
    lines += map(_operand, command.operands)
    lines += map(_option, command.all_options)
    if command.json:
        lines += ["", fill(f"With --json: {command.json}.", _WIDTH)]
    status = command.status or "0, or 1 for an error."
    lines += ["", fill(f"Exit status: {status}", _WIDTH)]
    return "\n".join(lines)


def _prose(text: str) -> str:
    """Paragraphs filled; tables as they are."""
    return "\n\n".join(
        part if part.startswith("|") else fill(part, _WIDTH) for part in text.split("\n\n")
    )


def _operand(operand: Operand) -> str:
    words = f": {', '.join(operand.words)}" if operand.words else ""
    return _entry(operand.name.upper(), f"{operand.help}{words}")


def _option(option: Option) -> str:
    flag = f"{option.short}, {option.flag}" if option.short else option.flag
    return _entry(f"{flag} {option.value}".rstrip(), option.help)


def _entry(what: str, text: str) -> str:
    indent = " " * 29
    filled = fill(text, _WIDTH, initial_indent=indent, subsequent_indent=indent)
    if len(what) > 26:
        return f"  {what}\n{filled}"
    return f"  {what:<26} {filled.lstrip()}"
