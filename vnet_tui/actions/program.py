"""What can be done on every screen: to the program, its looks and its connection."""

from __future__ import annotations

from vnet_tui.actions.action import Action

REFRESH = Action(
    id="refresh",
    key="f5",
    label="refresh",
    title="refresh",
    help="Ask for everything again.",
    shown=False,
)
REDRAW = Action(
    id="redraw",
    key="ctrl+l",
    label="redraw",
    title="redraw the screen",
    help="Write the whole screen again, when something else wrote over it.",
    shown=False,
)
SUSPEND = Action(
    id="suspend-process",
    key="ctrl+z",
    label="suspend",
    title="suspend",
    help="Back to the shell for a while; fg comes back.",
    shown=False,
)
KEYS = Action(
    id="keys",
    key="question_mark",
    label="keys",
    title="show all keys",
    help="Show all keys of this place, and what they do.",
)
QUIT = Action(
    id="leave",
    key="q",
    label="quit",
    title="quit",
    help="Leave; running networks go on.",
)
JUMP = Action(
    id="jump",
    key="ctrl+o",
    label="jump",
    title="jump to a place on the screen",
    help="Show a letter over every row, tab and field; typing it goes there.",
    shown=False,
)
COMMAND_LINE = Action(
    id="command-line",
    key="colon",
    label="command",
    title="run a vnet command",
    help="Type a command line of vnet; it works on the same connection.",
    shown=False,
)
THEME = Action(
    id="theme",
    key="T",
    label="theme",
    title="use the next theme",
    help="Dark, light, high contrast, or the terminal's own sixteen colours; it is remembered.",
    shown=False,
)
CANCEL = Action(
    id="cancel-change",
    key="C",
    label="cancel",
    title="cancel what is being changed",
    help="Have the changes under way stop at their next step, and what they did undone.",
)
