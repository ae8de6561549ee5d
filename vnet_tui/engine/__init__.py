"""Everything below the API: documents, the store, plans, drivers, statistics.

Nothing here knows who calls it: no import of textual or rich, and none of the packages beside it.
"""
