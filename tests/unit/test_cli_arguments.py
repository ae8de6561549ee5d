"""Command lines: what is understood, and what is told of those that make no sense."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from vnet_tui.cli.arguments import UsageError, parse
from vnet_tui.cli.commands import COMMANDS, by_name
from vnet_tui.cli.completion import Completer, candidates
from vnet_tui.cli.execution import function_of
from vnet_tui.cli.helping import help_text
from vnet_tui.cli.shell import split
from vnet_tui.cli.spec import Command
from vnet_tui.cli.watching import moment
from vnet_tui.engine.errors import VnetError
from vnet_tui.engine.sections import NOT_HERE, SECTIONS


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_a_command_does_something_and_says_what(command: Command) -> None:
    assert function_of(command).__doc__
    text = help_text(command)
    for option in command.all_options:
        assert option.flag in text
    assert max(map(len, text.splitlines())) <= 100
    names = [operand.name for operand in command.operands]
    assert not any(operand.several for operand in command.operands[:-1])
    assert command.document in ("", *names, *(option.name for option in command.all_options))
    assert len({option.flag for option in command.all_options}) == len(command.all_options)


def test_every_section_is_one_that_update_takes() -> None:
    (section,) = (
        operand for operand in by_name()["network-update"].operands if operand.name == "section"
    )
    assert set(section.words) == {*SECTIONS, *NOT_HERE}


def test_names_of_virsh_are_the_same_commands() -> None:
    assert by_name()["net-list"] is by_name()["network-list"]
    virsh = "autostart create define destroy dhcp-leases dumpxml edit event info list name start"
    for name in [*virsh.split(), "undefine", "update", "uuid", "port-list", "desc", "metadata"]:
        assert f"net-{name}" in by_name()


def test_options_stand_anywhere_and_operands_have_names() -> None:
    for words in (
        "net-update lab add ip <ip/> --live --parent-index 2",
        "--json -c vnet:///x net-update --live lab --parent-index=2 add ip <ip/>",
        "net-update --network lab --xml <ip/> --command add --section ip --live --parent-index 2",
        "net-update --section=ip lab add --live --parent-index 2 -- <ip/>",
    ):
        line = parse(words.split())
        args = line.arguments
        assert [args.text(name) for name in ("network", "command", "section", "xml")] == [
            *("lab", "add", "ip", "<ip/>")
        ]
        assert args.flag("live")
        assert not args.flag("config")
        assert args.whole("parent_index") == 2


def test_several_networks_by_place_and_by_name() -> None:
    assert parse(["net-start", "a", "b"]).arguments.texts("network") == ["a", "b"]
    named = parse(["net-start", "--network", "a", "--network=b"])
    assert named.arguments.texts("network") == ["a", "b"]


def test_everything_after_the_command_of_a_sandbox_is_its_own() -> None:
    for words in (["sandbox", "ls", "-l", "--json"], ["sandbox", "--", "ls", "-l", "--json"]):
        line = parse(words)
        assert line.arguments.texts("command") == ["ls", "-l", "--json"]
        assert not line.shared.flag("json")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("frob", "unknown command: 'frob'"),
        ("net-lst", "did you mean net-list?"),
        ("net-list --al", "'network-list' has no option --al (did you mean --all?)"),
        ("net-list x", "unexpected: 'x'"),
        ("net-list --all=yes", "--all takes no value"),
        ("net-list --name --uuid", "--name and --uuid don't go together"),
        ("net-start", "'network-start' needs NETWORK"),
        ("net-info --network", "--network needs a value"),
        ("net-info --network=", "--network needs a value"),
        ("net-stats --count many", "--count many: that is no number"),
        ("net-stop a --confirm-within -1", "that is no span of time"),
        ("net-stop a --confirm-within nan", "that is no span of time"),
        ("net-plan --verb frob", "one of start, stop, restart, apply"),
        ("net-explain a --from b", "needs --to"),
        ("--frob net-list", "'vnet' has no option --frob"),
        ("--connect", "--connect needs a value"),
    ],
)
def test_what_makes_no_sense_is_told(words: str, told: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(words.split())
    assert told in str(caught.value)


def test_help_is_given_wherever_it_is_asked_for() -> None:
    assert parse(["-h"]).help
    line = parse(["net-start", "a", "--help", "--nonsense"])
    assert line.help
    assert line.command is by_name()["net-start"]


def test_lines_of_the_shell_are_quoted_as_in_a_shell() -> None:
    assert list(split("a 'b c' \"d;e\"; f;;g # h")) == [["a", "b c", "d;e"], ["f"], ["g"]]
    assert list(split("net-update x add ip '<ip a=\"b\"/>'")) == [
        ["net-update", "x", "add", "ip", '<ip a="b"/>']
    ]
    with pytest.raises(ValueError, match="quotation"):
        list(split("a 'b"))


@pytest.mark.parametrize(
    ("line", "begun", "offered"),
    [
        ("", "network-dum", ["network-dumpxml "]),
        ("", "qu", ["quit "]),
        ("net-start ", "al", ["alpha ", "alps "]),
        ("net-start alpha ", "al", ["alpha ", "alps "]),
        ("net-info alpha ", "al", []),
        ("net-list ", "--in", ["--inactive "]),
        ("net-list --inactive ", "--in", []),
        ("net-stop x --confirm-within ", "", []),
        ("net-plan --verb ", "st", ["start ", "stop "]),
        ("net-plan --verb=", "st", ["start ", "stop "]),
        ("net-log --network ", "alph", ["alpha "]),
        ("net-update alpha add ", "dns-t", ["dns-txt "]),
        ("frob ", "", []),
        ("net-list; net-info ", "alph", ["alpha "]),
        ("help ", "network-st", ["network-start ", "network-stats ", "network-stop "]),
    ],
)
def test_what_may_stand_next_is_offered(line: str, begun: str, offered: list[str]) -> None:
    completer = Completer(lambda: ["alpha", "alps", "beta"], ("quit",))
    assert completer.complete(line, begun) == offered


def test_files_are_offered(tmp_path: Path) -> None:
    (tmp_path / "one.xml").touch()
    (tmp_path / "other").mkdir()
    (tmp_path / ".hidden").touch()
    assert candidates(["net-define"], f"{tmp_path}/o", list) == [
        f"{tmp_path}/one.xml",
        f"{tmp_path}/other/",
    ]
    assert candidates(["net-define"], f"{tmp_path}/", list) == [
        f"{tmp_path}/one.xml",
        f"{tmp_path}/other/",
    ]


def test_moments_as_people_write_them() -> None:
    now = datetime(2026, 11, 22, 14, 0, tzinfo=UTC)
    assert moment("90s", now) == now - timedelta(seconds=90)
    assert moment("3d", now) == now - timedelta(days=3)
    assert moment("13:30", now) == now - timedelta(minutes=30)
    assert moment("2026-11-21", now) == now - timedelta(hours=38)
    assert moment("2026-11-22 13:00", now) == now - timedelta(hours=1)
    assert moment("2026-11-22T13:00+01:00", now) == now - timedelta(hours=2)
    for text in ("", "soon", "10 parsecs", "25:00"):
        with pytest.raises(VnetError):
            moment(text, now)
