"""Decisions that an operator may make about jobs; `project.desk.jobs` offers them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from project.jobs.queryset import OPEN, Status


@dataclass(frozen=True)
class Decision:
    """An operator's decision about jobs in some statuses."""

    name: str
    label: str | Promise
    statuses: tuple[Status, ...]
    apply: Callable[[Any], int]
    """Applies it to the jobs of a queryset in such a status; returns their number."""
    report: Callable[[int], str]
    """Returns a sentence with the number of jobs that it was applied to."""
    question: Callable[[int], str]
    """Asks with the number of jobs whether to decide so."""
    is_asked: bool = False
    """Ask also for one job, and why: it ends what somebody waits for. Else its button is enough."""


RETRY = Decision(
    name="retry",
    label=_("Retry"),
    statuses=(Status.FAILED,),
    apply=lambda jobs: jobs.retry_failed(),
    report=lambda count: (
        ngettext("%(count)d job is queued again.", "%(count)d jobs are queued again.", count)
        % {"count": count}
    ),
    question=lambda count: (
        ngettext("Retry %(count)d job?", "Retry %(count)d jobs?", count) % {"count": count}
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
    question=lambda count: (
        ngettext("Cancel %(count)d job?", "Cancel %(count)d jobs?", count) % {"count": count}
    ),
    is_asked=True,
)
RETRY_CANCELLED = Decision(
    name="again",
    label=_("Start again"),
    statuses=(Status.CANCELLED,),
    apply=lambda jobs: jobs.retry_cancelled(),
    report=RETRY.report,
    question=lambda count: (
        ngettext("Start %(count)d job again?", "Start %(count)d jobs again?", count)
        % {"count": count}
    ),
)
