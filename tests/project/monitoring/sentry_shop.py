"""A shop whose view fails amid secrets; it prints what Sentry would get, `ours` or by `default`."""

import json
import os
import sys
from typing import Any
from uuid import UUID

import django
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from sentry_sdk.transport import Transport

SECRETS = {
    "body": "typed-into-the-form",
    "cookie": "value-of-the-cookie",
    "header": "value-of-the-header",
    "query": "token-in-the-query",
    "local": "value-of-the-variable",
    "url": "password-in-the-url",
    "key": os.environ["SECRET_KEY"],
    "mail": "ada.lovelace@example.org",
    "phone": "+49 151 2345 6789",
    "order": "0198c0de-aaaa-7bbb-8ccc-0123456789ab",
    "row": "row-that-postgresql-quotes",
    "log": "quoted-by-a-log-line",
    "extra": "value-of-an-extra",
}
caught: list[dict[str, Any]] = []


class Kept(Transport):
    """Keeps the envelopes in memory."""

    def capture_envelope(self, envelope: Any) -> None:
        event = envelope.get_event()
        if event:
            caught.append(event)


@csrf_exempt
def fail(request: HttpRequest, order: UUID) -> HttpResponse:
    import logging

    held = SECRETS["local"] + "!"
    assert held
    logging.getLogger("orders").warning("about %s", SECRETS["log"], extra={"of": SECRETS["extra"]})
    raise RuntimeError(
        f"can't reach smtp://shop:{SECRETS['url']}@mail.example with {SECRETS['key']} for"
        f" {SECRETS['mail']} or {SECRETS['phone']} of {SECRETS['order']}\n"
        f"DETAIL:  Key (code)=({SECRETS['row']}) already exists."
    )


urlpatterns = [path("fail/<uuid:order>/", fail)]


def main(how: str) -> None:
    django.setup()
    import sentry_sdk
    from django.conf import settings
    from django.core.wsgi import get_wsgi_application
    from django.test import RequestFactory

    from project.local.env import SETTING_NAMES
    from project.monitoring.sentry import secrets_of, start_sentry

    settings.ROOT_URLCONF = __name__
    dsn = "https://key@sentry.example.org/1"
    if how == "default":
        sentry_sdk.init(
            dsn=dsn, transport=Kept, send_default_pii=True, max_request_body_size="always"
        )
    else:
        start_sentry(dsn, secrets=secrets_of(os.environ, SETTING_NAMES), transport=Kept)
    request = RequestFactory().post(
        f"/fail/{SECRETS['order']}/?token={SECRETS['query']}",
        {"name": SECRETS["body"], "email": SECRETS["mail"]},
        headers={
            "x-customer": SECRETS["header"],
            "cookie": f"sessionid={SECRETS['cookie']}",
            "x-request-id": "request-0001",
        },
    )
    # As gunicorn calls it: the SDK looks at what passes there.
    answer = get_wsgi_application()(request.environ, lambda *_status: lambda _data: None)
    answer.close()
    sentry_sdk.flush()
    print(json.dumps({"events": caught, "secrets": SECRETS}, default=str))


if __name__ == "__main__":
    main(sys.argv[1])
