"""What a command of ``vnet`` is, as data: the parser, the shell, the completion and the manual are
all made from it. Imports nothing that takes time.
"""

from __future__ import annotations

from typing import NamedTuple


class Operand(NamedTuple):
    """Something that is named by its place, or as ``--NAME``, as virsh has it.

    ``many`` is ``1``, ``?`` (it may be absent), ``+`` (one or more), ``*``, or ``...``: all that
    follows, what looks like options too. ``completes`` says what a shell may offer: ``network``,
    ``file``, ``command``, or nothing. ``words`` are the only values.
    """

    name: str
    help: str
    many: str = "1"
    completes: str = ""
    words: tuple[str, ...] = ()

    @property
    def several(self) -> bool:
        """Whether there may be more than one."""
        return self.many in ("+", "*", "...")

    @property
    def usage(self) -> str:
        """How it stands in a synopsis."""
        word = self.name.upper()
        shown = {"1": word, "?": f"[{word}]", "+": f"{word}...", "*": f"[{word}...]"}
        return shown.get(self.many, f"[-- {word}...]")


class Option(NamedTuple):
    """Something that is named by ``flag``; a switch where there is no ``value`` (what stands for
    its value in a synopsis). ``type`` is that of the value; ``group`` is shared by options of
    which only one may be given."""

    flag: str
    help: str
    value: str = ""
    type: type[str | int | float] = str
    short: str = ""
    words: tuple[str, ...] = ()
    needed: bool = False
    completes: str = ""
    group: str = ""

    @property
    def name(self) -> str:
        """How functions know it."""
        return self.flag.removeprefix("--").replace("-", "_")

    @property
    def usage(self) -> str:
        """How it stands in a synopsis."""
        words = f"{self.flag} {self.value}" if self.value else self.flag
        return words if self.needed else f"[{words}]"


class Command(NamedTuple):
    """One command.

    ``function`` is ``MODULE:FUNCTION`` within ``vnet_tui.cli``. ``summary`` is a line, in the
    imperative; ``about`` what there is to say beyond that, in sentences; ``json`` what is printed
    with ``--json``. ``status`` tells what its exit status means besides 0, and 1 for an error.
    ``document`` names the operand or option that is a document to be read beforehand.
    ``deadline`` is true of changes that take ``--confirm-within``; ``watch`` of commands that need
    an engine which follows what happens on the host; ``local`` of those that ask no engine;
    ``asks`` of those that only ask, and for what there is at once: they need no event loop.
    """

    name: str
    function: str
    summary: str
    operands: tuple[Operand, ...] = ()
    options: tuple[Option, ...] = ()
    about: str = ""
    json: str = ""
    status: str = ""
    aliases: tuple[str, ...] = ()
    document: str = ""
    deadline: bool = False
    watch: bool = False
    local: bool = False
    asks: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """All that it is called: ``network-*`` is ``net-*`` too, as in virsh."""
        own = (self.name, *self.aliases)
        short = [
            f"net-{name.removeprefix('network-')}" for name in own if name.startswith("network-")
        ]
        return (*own, *short)

    @property
    def all_options(self) -> tuple[Option, ...]:
        """Its own, and those that come from what it is."""
        return (*self.options, CONFIRM_WITHIN) if self.deadline else self.options

    @property
    def usage(self) -> str:
        """The synopsis, without ``vnet``: operands, then options that are needed, then others."""
        options = sorted(self.all_options, key=lambda option: not option.needed)
        shown: dict[str, list[Option]] = {}
        for option in options:
            shown.setdefault(option.group or option.flag, []).append(option)
        words = [operand.usage for operand in self.operands]
        for together in shown.values():
            if len(together) == 1:
                words.append(together[0].usage)
            else:
                words.append(f"[{' | '.join(one.usage.strip('[]') for one in together)}]")
        return " ".join([self.name, *words])


CONFIRM_WITHIN = Option(
    "--confirm-within",
    "take the change back unless it is confirmed within so many seconds",
    "SECONDS",
    float,
)

NETWORK = Operand("network", "name, UUID or id", completes="network")
NETWORKS = Operand("network", "names, UUIDs or ids", "+", completes="network")
ANY_NETWORKS = Operand("network", "names, UUIDs or ids; all unless given", "*", completes="network")
FILE = Operand("file", "an XML document, - for standard input", completes="file")

SHARED = (
    Option("--connect", "which manager of networks to ask (else VNET_URI)", "URI", short="-c"),
    Option("--quiet", "print no heads of tables and no confirmations", short="-q"),
    Option("--json", "print JSON, for programs"),
    Option("--state-dir", "definitions and leases (else VNET_STATE_DIR)", "DIR"),
    Option("--run-dir", "what runs (else VNET_RUN_DIR)", "DIR"),
)
"""Before any command; ``--json`` and ``--quiet`` after it as well."""

EVERYWHERE = ("--quiet", "--json")
