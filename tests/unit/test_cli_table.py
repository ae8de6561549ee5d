"""Tables on a terminal: columns, not characters, stand below each other."""

from vnet_tui.cli.table import table


def test_wide_and_combining_characters_keep_the_columns_straight() -> None:
    lines = table(
        ["Name", "State"], [["日本", "x"], ["abcd", "x"], ["e\u0301tat", "x"]]
    ).splitlines()
    assert lines[2:] == [" 日本   x", " abcd   x", " e\u0301tat   x"]
