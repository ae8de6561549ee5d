"""What becomes of what isn't over yet when one leaves: the questions about it."""

from __future__ import annotations

from enum import StrEnum

from vnet_tui.screens.question import Answer, QuestionScreen


class Leaving(StrEnum):
    """What becomes of edits when the editor is left."""

    STAY = "stay"
    STAGE = "stage"
    DISCARD = "discard"


class Fate(StrEnum):
    """What becomes of changes on trial when the program is left."""

    STAY = "stay"
    KEEP = "keep"
    ROLL_BACK = "roll back"


def about_edits(name: str, edits: int) -> QuestionScreen[Leaving]:
    """Before the editor of the network ``name`` is left with that many edits."""
    count = "An edit" if edits == 1 else f"{edits} edits"
    return QuestionScreen(
        f"Leave {name}?",
        [f"{count} would be lost unless staged."],
        [
            Answer(Leaving.STAY, "Stay", "escape", "esc"),
            Answer(Leaving.STAGE, "Stage", "s,ctrl+s", "s"),
            Answer(Leaving.DISCARD, "Discard", "d", "d"),
        ],
    )


def about_trial() -> QuestionScreen[Fate]:
    """Before the program is left while changes are on trial."""
    return QuestionScreen(
        "Quit?",
        ["Your changes are still on trial: keep them, or take them back, before you leave."],
        [
            Answer(Fate.STAY, "Stay", "escape,n", "esc"),
            Answer(Fate.KEEP, "Keep", "y", "y"),
            Answer(Fate.ROLL_BACK, "Roll back", "R,r", "R"),
        ],
    )
