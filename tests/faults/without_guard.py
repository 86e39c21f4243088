"""A Celery application (`-A` this module) without the rule for a mail server that
disconnects after DATA.

The variable WITHOUT_GUARD says how: "unmarked" sends again and doesn't say so, "trusting" takes the
silence for a yes.
"""

import os
from typing import Any

from celery.signals import worker_init

from project.celery import app

__all__ = ["app"]


@worker_init.connect
def stop_caring(**kwargs: Any) -> None:
    from notifications.channels import email
    from notifications.channels.message import NoAnswerError, Receipt
    from notifications.delivery import attempt

    send = email.send

    def trusting_send(message: Any, **options: Any) -> Receipt:
        try:
            return send(message, **options)
        except NoAnswerError:
            return Receipt(provider_id="", answer="")

    match os.environ["WITHOUT_GUARD"]:
        case "unmarked":
            attempt.doubt = lambda notification, reason: None
        case "trusting":
            email.send = trusting_send
