"""What guests and documents can name, made safe to show.

A host name from a lease may hold anything. On the screen it must be text: no control character
may reach the terminal, and nothing may change the direction or the place of what stands beside it.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

REPLACEMENT = "\ufffd"


@lru_cache(maxsize=8192)
def printable(text: str) -> str:
    """The text with every character that isn't a plain one replaced by U+FFFD.

    Replaced are Unicode's categories Cc (controls), Cf (invisible formatting, such as
    bidirectional overrides), Cs (surrogates), Co and Cn (private and unassigned), Zl and Zp
    (separators of lines).
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        REPLACEMENT if unicodedata.category(character) in _UNSAFE else character
        for character in text
    )


_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
