"""What may stand in a text that people read."""

DIRECTION_MARKS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""They turn the text around them: embeddings, overrides and isolates (Unicode's UAX #9)."""
