"""JSON as text that is put together from parts, because most of it is the same in many rows."""

import json

encode = json.JSONEncoder(ensure_ascii=False).encode
EMPTY = "{}"


def joined(*objects: str) -> str:
    """Return one object with the keys of all, which must differ."""
    return "{" + ", ".join([one[1:-1] for one in objects if one != EMPTY]) + "}"
