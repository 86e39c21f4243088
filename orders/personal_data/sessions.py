"""Sessions of people without an account that hold an address or a number, such as a code's."""

import json
import re

from django.contrib.sessions.models import Session

from project.text import clean_json

BATCH = 1000


def delete_sessions(pattern: str) -> int:
    """Delete the sessions that hold any of these; return how many.

    What a session holds is encoded, so each is read: 30 ms for a thousand.
    """
    if not pattern:
        return 0
    found = re.compile(pattern.replace("[:alnum:]", "0-9A-Za-z"), re.IGNORECASE)
    deleted, last = 0, ""
    sessions = Session.objects.order_by("session_key")
    while page := list(sessions.filter(session_key__gt=last)[:BATCH]):
        last = page[-1].session_key
        keys = [
            session.session_key
            for session in page
            if found.search(json.dumps(clean_json(session.get_decoded()), default=str))
        ]
        deleted += Session.objects.filter(session_key__in=keys).delete()[0] if keys else 0
    return deleted
