"""What the desk says of an endpoint: since when it is in trouble, and which secrets sign."""

from datetime import datetime

from django.utils.formats import date_format
from django.utils.timezone import localtime, now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from notifications.models import WebhookEndpoint
from notifications.webhooks.endpoint_secrets import can_sign

State = WebhookEndpoint.Status


def trouble_words(endpoint: WebhookEndpoint) -> str:
    """Say since when an endpoint needs somebody, and for how many answers; empty: it doesn't."""
    if endpoint.status == State.ACTIVE and endpoint.failures:
        return str(_("No answer since %(since)s.") % {"since": _when(endpoint.failing_since)})
    if endpoint.status == State.ACTIVE and endpoint.refusals:
        refused = ngettext(
            "Its last answer was a refusal, at %(since)s.",
            "Its last %(count)d answers were refusals, since %(since)s.",
            endpoint.refusals,
        )
        return refused % {"count": endpoint.refusals, "since": _when(endpoint.refusing_since)}
    if endpoint.status == State.OFF and endpoint.gone_at:
        gone = _("It answered at %(since)s that it is gone (410): resume it, or switch it off.")
        return str(gone % {"since": _when(endpoint.gone_at)})
    return ""


def replaced_words(endpoint: WebhookEndpoint) -> list[str]:
    """Say what a new secret does to those that sign now: two sign at most."""
    if not can_sign(endpoint):
        return [str(_("The present secret can't be read: the new one signs alone, at once."))]
    goes_on = str(_("The present secret signs for 24 hours more, beside the new one."))
    if not endpoint.old_secret_until or endpoint.old_secret_until <= now():
        return [goes_on]
    ends = _(
        "The one before it would sign until %(until)s and ends now, at once: a system that still"
        " verifies by that one refuses everything from then on."
    )
    until = _when(endpoint.old_secret_until)
    return [goes_on, str(ends % {"until": until})]


def _when(time: datetime | None) -> str:
    return date_format(localtime(time), "Y-m-d H:i") if time else "–"
