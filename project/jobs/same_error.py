"""The common part of similar errors, without the details of one job.

"550 no such mailbox (id 4XyZ12abcd)" and "550 no such mailbox (id 77c01d2e)" have one cause.
"""

from typing import Any

from django.db.models import F, Func, TextField, Value

PARTICULAR = r"\y(?=[[:alnum:]]*[0-9])[[:alnum:]-]{8,}\y"
"""Ids, queue numbers, times."""
MAX_LENGTH = 200


def same_error(error: Any = None) -> Func:
    """Return an error without ids and long numbers, on one line; None: the job's own."""
    said = F("error") if error is None else error
    plain = _replace(r"\s+", " ", _replace(PARTICULAR, "…", said))
    return Func(plain, Value(MAX_LENGTH), function="left", output_field=TextField())


def _replace(pattern: str, by: str, text: Any) -> Func:
    arguments = (text, Value(pattern), Value(by), Value("g"))
    return Func(*arguments, function="regexp_replace", output_field=TextField())
