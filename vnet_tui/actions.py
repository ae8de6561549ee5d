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
VIEW = Action(
    id="next-view",
    key="v",
    label="view",
    title="show another view of this",
    help="Go from one view of what is shown to the next.",
)
MEND = Action(
    id="mend",
    key="p",
    label="mend",
    title="run what mends it",
    help="Show the commands that open the way, and run them when that is agreed to.",
)
DOCTOR = Action(
    id="doctor",
    key="D",
    label="doctor",
    title="ask the doctor about {}",
    help="What on this host stands in the network's way, and what opens it.",
    shown=False,
)
EXPLAIN = Action(
    id="explain",
    key="X",
    label="explain",
    title="explain who reaches whom over {}",
    help="Whether one machine reaches another over the network, and who decides that.",
    shown=False,
)
EVENTS = Action(
    id="events",
    key="E",
    label="events",
    title="show the events of all networks",
    help="Everything that happens, on all networks, with who was denied what.",
    shown=False,
)
HOLD = Action(
    id="hold",
    key="h",
    label="hold",
    title="hold what is shown",
    help="Let the live figures stand still, or go on.",
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

EDIT = Action(
    id="edit-network",
    key="e",
    label="edit",
    title="edit {}",
    help="Edit the network's definition: what is changed is staged first, and applied later.",
)
RESERVE = Action(
    id="reserve-lease",
    key="l",
    label="reserve",
    title="reserve this lease",
    help="Stage a reservation of the guest's address.",
)
FORWARD = Action(
    id="forward-port",
    key="f",
    label="forward",
    title="forward a port to this guest",
    help="Stage a rule that leads a port of the host to the guest.",
)
STAGE = Action(
    id="stage",
    key="ctrl+s",
    label="stage",
    title="stage the edits",
    help="Keep the edits until they are applied together, and leave.",
)
UNDO_EDIT = Action(
    id="undo-edit",
    key="z",
    label="undo",
    title="undo the last edit",
    help="Take back the last edit that was made here.",
)
LEAVE_EDITOR = Action(
    id="leave-editor",
    key="escape,q",
    label="back",
    title="leave the editor",
    help="Go back; where edits would be lost, it is asked.",
)
NEXT_PROBLEM = Action(
    id="next-problem",
    key="ctrl+n",
    label="next problem",
    title="go to the next problem",
    help="Go to what the next problem is about.",
    shown=False,
)
ADD_ELEMENT = Action(
    id="add-element",
    key="plus,insert",
    label="add",
    title="add",
    help="Add to the list.",
)
REMOVE_ELEMENT = Action(
    id="remove-element",
    key="delete",
    label="remove",
    title="remove",
    help="Remove what is under the cursor; undo brings it back.",
)
DOUBLE_ELEMENT = Action(
    id="double-element",
    key="i",
    label="double",
    title="duplicate",
    help="Put the same once more below what is under the cursor.",
)
MOVE_UP = Action(
    id="move-up",
    key="K",
    label="up",
    title="move up",
    help="Move what is under the cursor before the one above it.",
)
MOVE_DOWN = Action(
    id="move-down",
    key="J",
    label="down",
    title="move down",
    help="Move what is under the cursor behind the one below it.",
)
SWITCH_RULE = Action(
    id="switch-rule",
    key="minus",
    label="on/off",
    title="switch the rule off or on",
    help="Keep the rule, but switched off; or switch it on again.",
)

NEW_NETWORK = Action(
    id="new-network",
    key="n",
    label="new",
    title="make a new network, step by step",
    help="Describe a network step by step: name and kind, addresses, DHCP, forwarding.",
)
NEXT_STEP = Action(
    id="next-step",
    key="pagedown",
    label="next",
    title="go to the next step",
    help="Go to the next step; Enter in a field does that, too.",
)
STEP_BEFORE = Action(
    id="step-before",
    key="pageup",
    label="back",
    title="go to the step before",
    help="Go back to the step before; nothing that was typed gets lost.",
)
TOGGLE_XML = Action(
    id="toggle-xml",
    key="f2",
    label="XML",
    title="edit the XML",
    help="Go to the XML of what the form describes, to type in it, and back.",
)
FREE_SUBNET = Action(
    id="free-subnet",
    key="f3",
    label="free subnet",
    title="find a free subnet",
    help="Find a private subnet that nothing on this host uses.",
)
LEAVE_FORM = Action(
    id="leave-form",
    key="escape",
    label="leave",
    title="leave the form",
    help="Leave the form; asks when something was typed.",
)

PENDING = Action(
    id="pending",
    key="P",
    label="pending",
    title="show pending changes",
    help="What is staged and not applied yet: how it differs, what it disturbs.",
    shown=False,
)
UNDO_STAGED = Action(
    id="undo-staged",
    key="z",
    label="undo",
    title="undo the last staged edit",
    help="Take back the last edit that was staged, or bring back what was dropped last.",
    shown=False,
)
KEEP_TRIAL = Action(
    id="keep-trial",
    key="y,f8",
    label="keep",
    title="keep the changes on trial",
    help="Keep what was applied on trial, before it is rolled back; F8 does it while typing, too.",
    shown=False,
)
ROLL_BACK_TRIAL = Action(
    id="roll-back-trial",
    key="R,f9",
    label="roll back",
    title="roll back the changes on trial",
    help="Take back what was applied on trial, now; F9 does it while typing, too.",
    shown=False,
)
APPLY_PENDING = Action(
    id="apply-pending",
    key="p",
    label="apply all",
    title="apply all pending changes",
    help="Store and apply everything that is staged, all or nothing. Asks for how long on trial.",
)
EDIT_PENDING = Action(
    id="edit-pending",
    key="e",
    label="edit",
    title="edit this one",
    help="Open the editor; where others changed the same, decide about that first.",
)
DROP_PENDING = Action(
    id="drop-pending",
    key="delete",
    label="drop",
    title="drop this one",
    help="Forget what is staged of this network; undo brings it back.",
)
DISCARD_PENDING = Action(
    id="discard-pending",
    key="ctrl+x",
    label="drop all",
    title="drop all pending changes",
    help="Forget everything that is staged. Asks first.",
)

MONITOR = Action(
    id="monitor",
    key="m",
    label="monitor",
    title="monitor the traffic of everything",
    help="The host's links, all networks and their ports: what flows, and what flowed in the last "
    "ten minutes.",
    shown=False,
)
TOPOLOGY = Action(
    id="topology",
    key="t",
    label="topology",
    title="draw who is connected with whom",
    help="Guests, ports, bridges, this host and its links as a drawing, with live rates.",
    shown=False,
)
UNIT = Action(
    id="next-unit",
    key="U",
    label="unit",
    title="show the traffic in the next unit",
    help="Go from bits to bytes, packets and drops a second, and to totals.",
)
BACK_IN_TIME = Action(
    id="back-in-time",
    key="left",
    label="earlier",
    title="go back in time",
    help="Look at ten seconds earlier, with shift a minute; what is shown is held.",
    shown=False,
)
ON_IN_TIME = Action(
    id="on-in-time",
    key="right",
    label="later",
    title="go on in time",
    help="Look at ten seconds later, with shift a minute; at the end it goes on by itself.",
    shown=False,
)
WRITE = Action(
    id="write",
    key="w",
    label="write",
    title="write what is shown to a file",
    help="Write what is shown to a file, as CSV or JSON.",
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

NETWORK_ACTIONS = (
    OPEN,
    EDIT,
    START,
    STOP,
    RESTART,
    UNDEFINE,
    AUTOSTART,
    APPLY,
    DOCTOR,
    EXPLAIN,
)
"""What can be done to one network."""

MONITOR_ACTIONS = (HOLD, VIEW, UNIT, WRITE, BACK_IN_TIME, ON_IN_TIME)
"""What can be done to traffic that is watched."""

LIST_EDITING_ACTIONS = (
    ADD_ELEMENT,
    REMOVE_ELEMENT,
    DOUBLE_ELEMENT,
    MOVE_UP,
    MOVE_DOWN,
)
"""What can be done to a list that is edited."""

EDITOR_ACTIONS = (STAGE, UNDO_EDIT, NEXT_PROBLEM, LEAVE_EDITOR)
"""What can be done to edits as a whole."""

STEP_ACTIONS = (NEXT_STEP, STEP_BEFORE)
"""How to go from step to step of a form, whatever the keys go to otherwise."""

GUIDE_ACTIONS = (TOGGLE_XML, STAGE, UNDO_EDIT, LEAVE_FORM)
"""What can be done while a new network is described."""

PENDING_ACTIONS = (APPLY_PENDING, EDIT_PENDING, DROP_PENDING, DISCARD_PENDING)
"""What can be done to what is pending."""

TRIAL_ACTIONS = (KEEP_TRIAL, ROLL_BACK_TRIAL)
"""What can be done about changes on trial, everywhere."""

LIST_ACTIONS = (FILTER, SORT, REVERSE, GROUPS, MARK, MARK_SHOWN)
"""What can be done to the list of networks."""

SCREEN_ACTIONS: tuple[Action, ...] = (NEW_NETWORK, EVENTS, MONITOR, TOPOLOGY)
"""What opens another screen."""

CHANGING = frozenset(
    action.id
    for action in (
        START,
        STOP,
        RESTART,
        UNDEFINE,
        AUTOSTART,
        APPLY,
        DEFINE,
        EDIT,
        RESERVE,
        FORWARD,
        NEW_NETWORK,
        MEND,
        KEEP_TRIAL,
        ROLL_BACK_TRIAL,
        APPLY_PENDING,
        EDIT_PENDING,
    )
) | {"define-example"}
"""What changes something, or leads to where that is done: it isn't offered to who may only look."""

ORDER = (
    PENDING,
    APPLY_PENDING,
    EDIT_PENDING,
    DROP_PENDING,
    DISCARD_PENDING,
    OPEN,
    EDIT,
    ADD_ELEMENT,
    REMOVE_ELEMENT,
    SWITCH_RULE,
    STAGE,
    LEAVE_EDITOR,
    UNDO_EDIT,
    DOUBLE_ELEMENT,
    MOVE_UP,
    MOVE_DOWN,
    START,
    STOP,
    RESTART,
    NEW_NETWORK,
    FILTER,
    DEFINE,
    UNDEFINE,
    AUTOSTART,
    QUIT,
    KEYS,
)
"""In which order the line of keys shows them."""


def every() -> tuple[Action, ...]:
    """All of them."""
    return tuple(value for value in globals().values() if isinstance(value, Action))


def place_in_order(binding: Binding) -> int:
    """Where a binding goes in the line of keys: steps of a form first, then what isn't named."""
    ids = [action.id for action in ORDER]
    if binding.id in {action.id for action in STEP_ACTIONS}:
        return -2
    return ids.index(binding.id) if binding.id in ids else -1
