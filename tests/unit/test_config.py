"""The user's configuration: what it may say, and what is told of what it may not."""

from __future__ import annotations

from pathlib import Path

import pytest

from vnet_tui import actions
from vnet_tui.__main__ import main
from vnet_tui.actions import Action
from vnet_tui.config import Config, clashes, config_file, load
from vnet_tui.remembered import MOST_LINES, Remembered


def loaded(directory: Path, text: str) -> Config:
    path = directory / "config.toml"
    path.write_text(text, encoding="utf-8")
    return load(path)


def told(config: Config) -> list[tuple[int, str]]:
    return [(problem.line, str(problem).partition(": ")[2]) for problem in config.problems]


def test_where_it_is() -> None:
    assert config_file({"HOME": "/home/a"}) == Path("/home/a/.config/vnet-tui/config.toml")
    assert config_file({"HOME": "/home/a", "XDG_CONFIG_HOME": "/x"}) == Path(
        "/x/vnet-tui/config.toml"
    )


def test_none_is_no_problem(tmp_path: Path) -> None:
    assert load(tmp_path / "config.toml") == Config()
    (tmp_path / "file").touch()
    assert load(tmp_path / "file" / "config.toml") == Config()


def test_all_that_it_may_say(tmp_path: Path) -> None:
    config = loaded(
        tmp_path,
        """theme = "high-contrast"
ascii = "on"
read-only = true
[keys]
start-network = "x"
stop-network = "s"
refresh = "f5, ctrl+r"
keys = "H,?"
""",
    )
    assert not config.problems
    assert (config.theme, config.ascii, config.read_only) == ("high-contrast", "on", True)
    assert config.keys == {
        "start-network": "x",
        "stop-network": "s",
        "refresh": "f5,ctrl+r",
        "keys": "H,question_mark",
    }


@pytest.mark.parametrize(
    ("text", "line", "parts"),
    [
        ("theme = 'dark\n", 1, ("isn't TOML", "counts for nothing")),
        ("\n\nx = [1\ny = 2", 4, ("isn't TOML",)),
        ("# a\nthem = 'dark'", 2, ("there is no setting them", "did you mean theme?")),
        ("theme = 'dusk'", 1, ("theme can't be 'dusk'", "dark, light, high-contrast")),
        ("theme = 7", 1, ("theme can't be 7",)),
        ("\nascii = true", 2, ("ascii can't be True", "auto, on, off")),
        ("read-only = 'yes'", 1, ("read-only can't be 'yes'", "true or false")),
        ("keys = 7", 1, ("keys is a table", "[keys]")),
        ("[keys]\nstart = 'F9'", 2, ("there is no action start",)),
        ("[keys]\nstart-netwrk = 'f7'", 2, ("did you mean start-network?",)),
        ("[keys]\nstart-network = 7", 2, ("start-network can't have the key 7",)),
        ("[keys]\nstart-network = ''", 2, ("start-network can't have the key ''",)),
        ("[keys]\nstart-network = 'F99'", 2, ("there is no key 'F99'",)),
        ("[keys]\nstart-network = 'tab'", 2, ("the key tab is taken",)),
        ("[keys]\nstart-network = 'x'", 2, ("x would be both start-network and stop-network",)),
        ("keys.start-network = 'x'", 1, ("both",)),
        ("theme = ''\nkeys = {start-network = 'x'}", 2, ("both",)),
    ],
)
def test_what_is_wrong_is_told_with_its_line(
    tmp_path: Path, text: str, line: int, parts: tuple[str, ...]
) -> None:
    config = loaded(tmp_path, text)
    ((told_line, what),) = told(config)
    assert told_line == line
    assert all(part in what for part in parts), what
    assert not config.keys


def test_a_wrong_part_leaves_the_others(tmp_path: Path) -> None:
    config = loaded(
        tmp_path, "theme = 'light'\nascii = 'no'\n[keys]\nstart-network = 'f7'\nnope = 'f8'\n"
    )
    assert (config.theme, config.ascii) == ("light", "auto")
    assert config.keys == {"start-network": "f7"}
    assert [line for line, _ in told(config)] == [2, 5]


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(b"theme = '\xff'")
    assert [problem.message for problem in load(path).problems] == ["can't be read: it isn't UTF-8"]
    assert "directory" in load(tmp_path).problems[0].message


def test_actions_have_ids_of_their_own_and_keys_clash_only_where_they_never_meet() -> None:
    known: dict[str, Action] = {}
    for action in actions.every():
        assert action.id not in known
        known[action.id] = action
    unchanged = {id_: action.key for id_, action in known.items()}
    assert not list(clashes(known, unchanged))


def test_themes_are_remembered_by_terminal(tmp_path: Path) -> None:
    environ = {"XDG_STATE_HOME": str(tmp_path), "TERM": "xterm-256color"}
    window, console = Remembered(environ), Remembered({**environ, "TERM": "linux"})
    assert window.theme() == ""
    window.keep_theme("vnet-light")
    console.keep_theme("ansi-dark")
    assert (window.theme(), console.theme()) == ("vnet-light", "ansi-dark")
    (tmp_path / "vnet-tui" / "themes").write_bytes(b"\xff\nhalf\n")
    assert window.theme() == ""


def test_lines_are_remembered_once_and_not_for_ever(tmp_path: Path) -> None:
    remembered = Remembered({"XDG_STATE_HOME": str(tmp_path)})
    for line in ("network-list", "network-start a", "network-list"):
        remembered.keep_command_line(line)
    assert remembered.command_lines() == ["network-start a", "network-list"]
    for number in range(MOST_LINES):
        remembered.keep_command_line(f"network-info {number}")
    assert len(remembered.command_lines()) == MOST_LINES


def test_what_cannot_be_remembered_is_not(tmp_path: Path) -> None:
    (tmp_path / "vnet-tui").touch()
    remembered = Remembered({"XDG_STATE_HOME": str(tmp_path)})
    remembered.keep_theme("vnet-light")
    assert remembered.theme() == ""


def test_all_keys_are_listed_as_configured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert main(["--list-keys"]) == 0
    listed = capsys.readouterr().out.splitlines()
    assert len(listed) == len(actions.every())
    file = tmp_path / "vnet-tui" / "config.toml"
    file.parent.mkdir()
    file.write_text("[keys]\nstart-network = 'f7'\nstrat = 'f8'\n")
    assert main(["--list-keys"]) == 1
    told = capsys.readouterr()
    assert "start-network        f7 " in told.out
    assert f"{file}:3: there is no action strat" in told.err


def test_the_configuration_in_the_guide_is_right(tmp_path: Path) -> None:
    guide = (Path(__file__).parents[2] / "docs/guide.md").read_text(encoding="utf-8")
    example = guide.partition("```toml\n")[2].partition("```")[0]
    config = loaded(tmp_path, example)
    assert not config.problems
    assert config.keys == {"stop-network": "f7", "refresh": "f5,ctrl+r"}
