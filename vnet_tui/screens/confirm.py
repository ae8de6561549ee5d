"""A question before something that can't be taken back."""

from __future__ import annotations

from collections.abc import Sequence

from vnet_tui.screens.question import Answer, QuestionScreen


class ConfirmScreen(QuestionScreen[bool]):
    """Asks; gives True for yes. Escape and Enter mean no, unless one goes to the other button."""

    def __init__(self, question: str, consequences: Sequence[str], yes: str) -> None:
        """``yes`` is the verb on the button: what will be done."""
        answers = (Answer(False, "No", "n,escape", "n"), Answer(True, yes, "y", "y"))
        super().__init__(question, consequences, answers)
