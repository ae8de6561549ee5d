"""What can be done to networks and to the list of them."""

from __future__ import annotations

from vnet_tui.actions.action import Action

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

LIST_ACTIONS = (FILTER, SORT, REVERSE, GROUPS, MARK, MARK_SHOWN)
"""What can be done to the list of networks."""
