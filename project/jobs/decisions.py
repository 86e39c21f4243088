"""What an operator may decide about jobs; `project.desk.jobs` offers it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from project.jobs.queryset import OPEN, Status


@dataclass(frozen=True)
class Decision:
    """What an operator may decide about jobs in some statuses."""

    name: str
    label: str | Promise
    statuses: tuple[Status, ...]
    apply: Callable[[Any], int]
    """Does it to those of a queryset that are in such a status; returns how many."""
    report: Callable[[int], str]
    """Says in a sentence that it was done to so many."""


RETRY = Decision(
    name="retry",
    label=_("Retry"),
    statuses=(Status.FAILED,),
    apply=lambda jobs: jobs.retry_failed(),
    report=lambda count: (
        ngettext("%(count)d job is queued again.", "%(count)d jobs are queued again.", count)
        % {"count": count}
    ),
)
CANCEL = Decision(
    name="cancel",
    label=_("Cancel"),
    statuses=OPEN,
    apply=lambda jobs: jobs.cancel(),
    report=lambda count: (
        ngettext("%(count)d job is cancelled.", "%(count)d jobs are cancelled.", count)
        % {"count": count}
    ),
)
RETRY_CANCELLED = Decision(
    name="again",
    label=_("Start again"),
    statuses=(Status.CANCELLED,),
    apply=lambda jobs: jobs.retry_cancelled(),
    report=RETRY.report,
)
