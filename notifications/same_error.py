"""The common part of similar errors of messages: see `project.jobs.same_error`.

"550 <ada@…> no such mailbox (id 4XyZ12abcd)" and "550 <bob@…> no such mailbox (id 77c01d2e)" have
one cause. It is a generated column, so that a list of any length can be filtered by it.
"""

from django.db.models import F, Func, TextField, Value

from project.jobs import same_error as jobs


def same_error() -> Func:
    """The error without its recipient, ids and long numbers, on one line."""
    names = (F("error"), F("recipient"), Value("…"))
    return jobs.same_error(Func(*names, function="replace", output_field=TextField()))
