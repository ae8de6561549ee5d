"""How large a document may be. Each limit is named in the error that it causes."""

from __future__ import annotations

MAX_BYTES = 2 * 1024 * 1024
"""Bytes of a document in UTF-8: room for 10,000 rules with comments."""

MAX_DEPTH = 16
"""Elements inside elements; the dialect itself needs 5, ``<metadata>`` has the rest."""

MAX_NODES = 30_000
"""Elements and comments of a document, those in ``<metadata>`` too."""

MAX_TAG = 64 * 1024
"""Characters of one start tag with its attributes."""

MAX_RULES = 10_000
"""Rules in each of ``<incoming>`` and ``<outgoing>``."""

MAX_PROBLEMS = 200
"""Problems that one error tells; how many more there are is the last of them."""
