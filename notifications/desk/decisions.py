"""Decisions that an operator may make about messages."""

from dataclasses import replace

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from project.jobs.decisions import RETRY, RETRY_CANCELLED, Decision
from project.jobs.queryset import Status

RETRY_MESSAGE = replace(
    RETRY,
    question=lambda count: (
        ngettext("Retry %(count)d message?", "Retry %(count)d messages?", count) % {"count": count}
    ),
)
SENT_AFTER_ALL = Decision(
    name="sent",
    label=_("Sent after all"),
    statuses=(Status.UNKNOWN,),
    apply=lambda messages: messages.confirm_sent(),
    report=lambda count: (
        ngettext(
            "%(count)d message is noted as sent.", "%(count)d messages are noted as sent.", count
        )
        % {"count": count}
    ),
    question=lambda count: (
        ngettext("Note %(count)d message as sent?", "Note %(count)d messages as sent?", count)
        % {"count": count}
    ),
    is_asked=True,
)
SEND_AGAIN = Decision(
    name="again",
    label=_("Send again"),
    statuses=(Status.UNKNOWN,),
    apply=lambda messages: messages.send_again(),
    report=lambda count: (
        ngettext(
            "%(count)d message will be sent again.", "%(count)d messages will be sent again.", count
        )
        % {"count": count}
    ),
    question=lambda count: (
        ngettext(
            "Send %(count)d message again, at the risk of a second copy?",
            "Send %(count)d messages again, at the risk of second copies?",
            count,
        )
        % {"count": count}
    ),
)
CANCEL = Decision(
    name="cancel",
    label=_("Cancel"),
    statuses=(Status.QUEUED,),
    # Not one that is being sent: it would be unknown whether it arrived.
    apply=lambda messages: messages.filter(status=Status.QUEUED).cancel(),
    report=lambda count: (
        ngettext("%(count)d message is cancelled.", "%(count)d messages are cancelled.", count)
        % {"count": count}
    ),
    question=lambda count: (
        ngettext("Cancel %(count)d message?", "Cancel %(count)d messages?", count)
        % {"count": count}
    ),
    is_asked=True,
)
CANCEL_FAILED = Decision(
    name="give-up",
    label=_("Give up"),
    statuses=(Status.FAILED,),
    apply=lambda messages: messages.cancel_failed(),
    report=CANCEL.report,
    question=lambda count: (
        ngettext("Give up %(count)d message?", "Give up %(count)d messages?", count)
        % {"count": count}
    ),
    is_asked=True,
)
START_AGAIN = replace(RETRY_CANCELLED, name="restart")

DECISIONS = (RETRY_MESSAGE, CANCEL_FAILED, SENT_AFTER_ALL, SEND_AGAIN, CANCEL, START_AGAIN)

ALL_AT_ONCE: dict[str, tuple[Decision, str | Promise]] = {
    decision.name: (decision, label)
    for decision, label in (
        (RETRY_MESSAGE, _("Retry all …")),
        (CANCEL_FAILED, _("Give up all …")),
        (SENT_AFTER_ALL, _("Note all as sent …")),
        (SEND_AGAIN, _("Send all again …")),
        (CANCEL, _("Cancel all …")),
    )
}
"""The decisions about all messages of a list, with their labels. Starting cancelled ones again
isn't one of them: most of those belong to a stopped announcement."""
