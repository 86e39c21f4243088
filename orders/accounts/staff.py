"""The staff: the recipients of reports and alerts about the shop."""

from django.conf import settings
from django.db.models.functions import Lower

from notifications.outbox import Staff
from orders.models import User


def staff() -> list[Staff]:
    """Return the addresses of `STAFF_EMAILS`, each with its account's language, if it has one."""
    emails = list(dict.fromkeys(filter(None, (e.strip() for e in settings.STAFF_EMAILS))))
    known = User.objects.annotate(lower=Lower("email")).filter(
        lower__in=[email.lower() for email in emails]
    )
    languages = dict(known.exclude(language="").values_list("lower", "language"))
    return [
        Staff(email=email, language=languages.get(email.lower(), settings.LANGUAGE_CODE))
        for email in emails
    ]
