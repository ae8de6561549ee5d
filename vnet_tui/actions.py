"""Everything that a key does: named once, for the keys, the line of keys, the help and the palette.

The ``id`` is what a keymap names, so that keys can be changed in one place.
"""

from __future__ import annotations

from dataclasses import dataclass

from textual.binding import Binding


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """A thing that can be done: ``key`` in Textual's spelling, ``label`` for the line of keys,
    ``title`` for the palette (with ``{}`` where the network's name goes), ``help`` in a sentence.
    """

    id: str
    key: str
    label: str
    title: str
    help: str
    shown: bool = True

    def binding(self) -> Binding:
        """The key of this action, on a screen or an application with ``action_ID``."""
        return Binding(
            self.key,
            self.id.replace("-", "_"),
            self.label,
            show=self.shown,
            tooltip=self.help,
            id=self.id,
        )


OPEN = Action(
    id="open-network",
    key="enter",
    label="open",
    title="open {}",
    help="Everything about the network under the cursor.",
)
START = Action(
    id="start-network",
    key="s",
    label="start",
    title="start {}",
    help="Start the network from its definition.",
)
STOP = Action(
    id="stop-network",
    key="x",
    label="stop",
    title="stop {}",
    help="Stop the network; its guests lose it. A transient network is gone then.",
)
RESTART = Action(
    id="restart-network",
    key="r",
    label="restart",
    title="restart {}",
    help="Make the network anew from its definition; its guests are attached again.",
)
UNDEFINE = Action(
    id="undefine-network",
    key="u",
    label="undefine",
    title="undefine {}",
    help="Take the network's definition from the store. Asks first.",
)
AUTOSTART = Action(
    id="toggle-autostart",
    key="a",
    label="autostart",
    title="toggle autostart of {}",
    help="Whether the network starts with the host.",
)
APPLY = Action(
    id="apply-network",
    key="p",
    label="apply",
    title="bring {} to its definition",
    help="Bring the running network to its definition, which changed or from which others made it "
    "differ, with the smallest change.",
    shown=False,
)
DEFINE = Action(
    id="define",
    key="d",
    label="define",
    title="define a network from a file",
    help="Read an XML document and put it into the store.",
)
FILTER = Action(
    id="filter",
    key="slash",
    label="filter",
    title="filter the list",
    help="Show only what has the words that you type.",
)
SORT = Action(
    id="sort",
    key="o",
    label="sort",
    title="sort by the next column",
    help="Sort by the next column; a click on a column's head sorts by that one.",
    shown=False,
)
REVERSE = Action(
    id="reverse",
    key="O",
    label="reverse",
    title="sort the other way round",
    help="Sort the other way round.",
    shown=False,
)
GROUPS = Action(
    id="groups",
    key="b",
    label="groups",
    title="group the list by state",
    help="Group the networks by state; Enter on a group's head hides it, and shows it again.",
    shown=False,
)
MARK = Action(
    id="mark",
    key="space",
    label="select",
    title="select several",
    help="Select the network under the cursor, too: starting and stopping act on all selected.",
    shown=False,
)
MARK_SHOWN = Action(
    id="mark-shown",
    key="ctrl+a",
    label="select all",
    title="select all that are shown",
    help="Select every network that the list shows; Esc selects none.",
    shown=False,
)
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
    help="Show or hide the list of all keys.",
)
QUIT = Action(
    id="leave",
    key="q",
    label="quit",
    title="quit",
    help="Leave; running networks go on.",
)

NETWORK_ACTIONS = (OPEN, START, STOP, RESTART, UNDEFINE, AUTOSTART, APPLY)
"""What can be done to one network."""

LIST_ACTIONS = (FILTER, SORT, REVERSE, GROUPS, MARK, MARK_SHOWN)
"""What can be done to the list of networks."""

SCREEN_ACTIONS: tuple[Action, ...] = ()
"""What opens another screen."""

GENERAL_ACTIONS = (DEFINE, *SCREEN_ACTIONS, *LIST_ACTIONS, REFRESH, REDRAW, SUSPEND, KEYS, QUIT)
"""What needs no network."""

ORDER = (OPEN, START, STOP, RESTART, FILTER, DEFINE, UNDEFINE, AUTOSTART, QUIT, KEYS)
"""In which order the line of keys shows them."""


def place_in_order(binding: Binding) -> int:
    """Where a binding goes in the line of keys; what isn't an action goes first."""
    ids = [action.id for action in ORDER]
    return ids.index(binding.id) if binding.id in ids else -1
