"""What an operator may decide about messages."""

from collections.abc import Callable
from dataclasses import replace

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from project.job_decisions import RETRY, RETRY_CANCELLED, Decision
from project.job_queue import Status

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
)
CANCEL = Decision(
    name="cancel",
    label=_("Cancel"),
    statuses=(Status.QUEUED,),
    # Not one that is being sent: nobody could say whether it arrived.
    apply=lambda messages: messages.filter(status=Status.QUEUED).cancel(),
    report=lambda count: (
        ngettext("%(count)d message is cancelled.", "%(count)d messages are cancelled.", count)
        % {"count": count}
    ),
)
GIVE_UP = Decision(
    name="give-up",
    label=_("Give up"),
    statuses=(Status.FAILED,),
    apply=lambda messages: messages.give_up(),
    report=CANCEL.report,
)
START_AGAIN = replace(RETRY_CANCELLED, name="restart")

DECISIONS = (RETRY, GIVE_UP, SENT_AFTER_ALL, SEND_AGAIN, CANCEL, START_AGAIN)

QUESTIONS: dict[str, Callable[[int], str]] = {
    RETRY.name: lambda count: ngettext(
        "Retry %(count)d message?", "Retry %(count)d messages?", count
    ),
    GIVE_UP.name: lambda count: ngettext(
        "Give up %(count)d message?", "Give up %(count)d messages?", count
    ),
    SENT_AFTER_ALL.name: lambda count: ngettext(
        "Note %(count)d message as sent?", "Note %(count)d messages as sent?", count
    ),
    SEND_AGAIN.name: lambda count: ngettext(
        "Send %(count)d message again, at the risk of a second copy?",
        "Send %(count)d messages again, at the risk of second copies?",
        count,
    ),
    CANCEL.name: lambda count: ngettext(
        "Cancel %(count)d message?", "Cancel %(count)d messages?", count
    ),
}
"""What may be decided about all messages of a list at once, and how that is asked. Starting
cancelled ones again isn't: they are most of a stopped announcement's."""
