"""Decisions that an operator may make about deliveries."""

from dataclasses import replace

from django.db.models.functions import Now
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from project.jobs.decisions import CANCEL, Decision
from project.jobs.queryset import Status

REPLAY = Decision(
    name="replay",
    label=_("Send again"),
    statuses=(Status.DONE, Status.FAILED, Status.CANCELLED),
    apply=lambda deliveries: deliveries.replay(),
    report=lambda count: (
        ngettext(
            "%(count)d delivery will be sent again.",
            "%(count)d deliveries will be sent again.",
            count,
        )
        % {"count": count}
    ),
    question=lambda count: (
        ngettext(
            "Send %(count)d delivery again, under its own id?",
            "Send %(count)d deliveries again, each under its own id?",
            count,
        )
        % {"count": count}
    ),
    is_asked=True,
)
TRY_NOW = Decision(
    name="now",
    label=_("Try now"),
    statuses=(Status.QUEUED,),
    apply=lambda deliveries: deliveries.filter(run_after__gt=Now()).update(run_after=Now()),
    report=lambda count: (
        ngettext(
            "%(count)d delivery is tried at once.",
            "%(count)d deliveries are tried at once.",
            count,
        )
        % {"count": count}
    ),
    question=lambda count: (
        ngettext("Try %(count)d delivery now?", "Try %(count)d deliveries now?", count)
        % {"count": count}
    ),
)
GIVE_UP = replace(
    CANCEL,
    statuses=(Status.QUEUED,),
    apply=lambda deliveries: deliveries.filter(status=Status.QUEUED).cancel(),
    report=lambda count: (
        ngettext("%(count)d delivery is cancelled.", "%(count)d deliveries are cancelled.", count)
        % {"count": count}
    ),
    question=lambda count: (
        ngettext("Cancel %(count)d delivery?", "Cancel %(count)d deliveries?", count)
        % {"count": count}
    ),
)
DECISIONS = (REPLAY, TRY_NOW, GIVE_UP)
ALL_AT_ONCE: dict[str, tuple[Decision, str | Promise]] = {
    REPLAY.name: (REPLAY, _("Send all again …")),
    TRY_NOW.name: (TRY_NOW, _("Try all now …")),
    GIVE_UP.name: (GIVE_UP, _("Cancel all …")),
}
"""The decisions about all deliveries of a list, with their labels."""
