"""What can be done to definitions: in editors, in the form for a new network, and from a guest."""

from __future__ import annotations

from vnet_tui.actions.action import Action

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
