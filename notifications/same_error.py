"""The common part of similar errors, without the details of one message.

"550 <ada@…> no such mailbox (id 4XyZ12abcd)" and "550 <bob@…> no such mailbox (id 77c01d2e)" have
one cause. It is a generated column, so that a list of any length can be filtered by it.
"""

from typing import Any

from django.db.models import F, Func, TextField, Value

PARTICULAR = r"\y(?=[[:alnum:]]*[0-9])[[:alnum:]-]{8,}\y"
"""Ids, queue numbers, times."""
MAX_LENGTH = 200


def same_error() -> Func:
    """The error without its recipient, ids and long numbers, on one line."""
    names = (F("error"), F("recipient"), Value("…"))
    anonymous = Func(*names, function="replace", output_field=TextField())
    plain = _replace(r"\s+", " ", _replace(PARTICULAR, "…", anonymous))
    return Func(plain, Value(MAX_LENGTH), function="left", output_field=TextField())


def _replace(pattern: str, by: str, text: Any) -> Func:
    arguments = (text, Value(pattern), Value(by), Value("g"))
    return Func(*arguments, function="regexp_replace", output_field=TextField())
