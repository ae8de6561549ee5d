"""Text from strangers, made safe to show.

A guest chooses its host name and its client identifier. On a terminal they must be text: no
control character may reach it, and nothing may change the direction or the place of what stands
beside them.
"""

from __future__ import annotations

import unicodedata

REPLACEMENT = "\ufffd"
"""What stands for a character that isn't shown."""

_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def printable(text: str) -> str:
    """The text with every character that isn't a plain one replaced by U+FFFD.

    Replaced are Unicode's categories Cc (controls), Cf (invisible formatting, such as
    bidirectional overrides), Cs (surrogates), Co and Cn (private and unassigned), Zl and Zp
    (separators of lines). Markup stays as it is: who shows the text must not interpret it.
    """
    if text.isprintable():  # none of these, as Python defines it; so are most, and figures are many
        return text
    return "".join(
        REPLACEMENT if unicodedata.category(character) in _UNSAFE else character
        for character in text
    )
