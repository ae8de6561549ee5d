"""What can be done to what is pending, and to what is on trial."""

from __future__ import annotations

from vnet_tui.actions.action import Action

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
JOIN_BOTH = Action(
    id="join-both",
    key="B",
    label="both",
    title="join both changes",
    help="Stage what others changed and what you changed, together.",
)
STAGE_MINE = Action(
    id="stage-mine",
    key="M",
    label="mine only",
    title="stage only what you changed",
    help="Stage the definition as you have it; what others changed is lost when it is applied.",
)
TAKE_THEIRS = Action(
    id="take-theirs",
    key="A",
    label="theirs",
    title="take what others changed",
    help="Leave the definition as others have it, and drop what you changed.",
)

PENDING_ACTIONS = (APPLY_PENDING, EDIT_PENDING, DROP_PENDING, DISCARD_PENDING)
"""What can be done to what is pending."""

TRIAL_ACTIONS = (KEEP_TRIAL, ROLL_BACK_TRIAL)
"""What can be done about changes on trial, everywhere."""

OVERTAKEN_ACTIONS = (JOIN_BOTH, STAGE_MINE, TAKE_THEIRS, EDIT_PENDING)
"""What can be decided where others changed the same network."""
