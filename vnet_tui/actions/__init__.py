"""Everything that a key does: named once, for the keys, the line of keys, the help and the palette.

The ``id`` is what a keymap names, so that keys can be changed in one place.
"""

from __future__ import annotations

from textual.binding import Binding

from vnet_tui.actions.action import Action as Action
from vnet_tui.actions.editing import (
    ADD_ELEMENT as ADD_ELEMENT,
    DOUBLE_ELEMENT as DOUBLE_ELEMENT,
    EDIT as EDIT,
    EDITOR_ACTIONS as EDITOR_ACTIONS,
    FORWARD as FORWARD,
    FREE_SUBNET as FREE_SUBNET,
    GUIDE_ACTIONS as GUIDE_ACTIONS,
    LEAVE_EDITOR as LEAVE_EDITOR,
    LEAVE_FORM as LEAVE_FORM,
    LIST_EDITING_ACTIONS as LIST_EDITING_ACTIONS,
    MOVE_DOWN as MOVE_DOWN,
    MOVE_UP as MOVE_UP,
    NEW_NETWORK as NEW_NETWORK,
    NEXT_PROBLEM as NEXT_PROBLEM,
    NEXT_STEP as NEXT_STEP,
    REMOVE_ELEMENT as REMOVE_ELEMENT,
    RESERVE as RESERVE,
    STAGE as STAGE,
    STEP_ACTIONS as STEP_ACTIONS,
    STEP_BEFORE as STEP_BEFORE,
    SWITCH_RULE as SWITCH_RULE,
    TOGGLE_XML as TOGGLE_XML,
    UNDO_EDIT as UNDO_EDIT,
)
from vnet_tui.actions.looking import (
    BACK_IN_TIME as BACK_IN_TIME,
    DOCTOR as DOCTOR,
    EVENTS as EVENTS,
    EXPLAIN as EXPLAIN,
    HOLD as HOLD,
    MEND as MEND,
    MONITOR as MONITOR,
    MONITOR_ACTIONS as MONITOR_ACTIONS,
    ON_IN_TIME as ON_IN_TIME,
    TOPOLOGY as TOPOLOGY,
    UNIT as UNIT,
    VIEW as VIEW,
    WRITE as WRITE,
)
from vnet_tui.actions.networks import (
    APPLY as APPLY,
    AUTOSTART as AUTOSTART,
    DEFINE as DEFINE,
    FILTER as FILTER,
    GROUPS as GROUPS,
    LIST_ACTIONS as LIST_ACTIONS,
    MARK as MARK,
    MARK_SHOWN as MARK_SHOWN,
    OPEN as OPEN,
    RESTART as RESTART,
    REVERSE as REVERSE,
    SORT as SORT,
    START as START,
    STOP as STOP,
    UNDEFINE as UNDEFINE,
)
from vnet_tui.actions.pending import (
    APPLY_PENDING as APPLY_PENDING,
    DISCARD_PENDING as DISCARD_PENDING,
    DROP_PENDING as DROP_PENDING,
    EDIT_PENDING as EDIT_PENDING,
    JOIN_BOTH as JOIN_BOTH,
    KEEP_TRIAL as KEEP_TRIAL,
    OVERTAKEN_ACTIONS as OVERTAKEN_ACTIONS,
    PENDING as PENDING,
    PENDING_ACTIONS as PENDING_ACTIONS,
    ROLL_BACK_TRIAL as ROLL_BACK_TRIAL,
    STAGE_MINE as STAGE_MINE,
    TAKE_THEIRS as TAKE_THEIRS,
    TRIAL_ACTIONS as TRIAL_ACTIONS,
    UNDO_STAGED as UNDO_STAGED,
)
from vnet_tui.actions.program import (
    CANCEL as CANCEL,
    COMMAND_LINE as COMMAND_LINE,
    JUMP as JUMP,
    KEYS as KEYS,
    QUIT as QUIT,
    REDRAW as REDRAW,
    REFRESH as REFRESH,
    SUSPEND as SUSPEND,
    THEME as THEME,
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
