"""Errors for Sentry: where and what failed, without what people typed and without secrets.

Left out: bodies, cookies, headers, query strings, local variables, users, breadcrumbs (they quote
log lines, SQL and addresses). What is left are texts of errors and log lines, and of those all
that may be somebody's: passwords in URLs, our own secrets, e-mail addresses, phone numbers, ids
(who has an order's id may read it), and PostgreSQL's DETAIL, which quotes rows.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote

from project.trail import request_id

HIDDEN = "…"
SECRET_NAMES = re.compile(r"SECRET|TOKEN|PASSWORD|IBAN|OTLP_HEADERS")
SHORTEST_SECRET = 6
"""Characters. A shorter one would be hidden in the midst of words."""
_URL_PASSWORD = re.compile(r"://[^/\s:@]*:([^/\s@]+)@")
_PERSONAL = re.compile(
    r"(?P<credentials>(?<=://)[^/\s@]+@)"
    r"|[\w.+-]+@[\w-]+(\.[\w-]+)+"  # e-mail
    r"|(?<![\w+])\+\d[\d ()-]{6,}\d"  # phone
    r"|\b[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}\b"  # ids
    r"|DETAIL: .*",
    re.IGNORECASE,
)


def secrets_of(environment: Mapping[str, str], names: Iterable[str]) -> list[str]:
    """Return the secrets among these variables, the longest first."""
    found: set[str] = set()
    for name in names:
        value = environment.get(name, "")
        if SECRET_NAMES.search(name):
            found |= {value, *(part.rpartition("=")[2].strip() for part in value.split(","))}
        for password in _URL_PASSWORD.findall(value):
            found |= {password, unquote(password)}
    return sorted((each for each in found if len(each) >= SHORTEST_SECRET), key=len, reverse=True)


def start_sentry(dsn: str, *, secrets: Iterable[str], **options: Any) -> None:
    """Send errors to this address. `options` are further ones of `sentry_sdk.init`."""
    import sentry_sdk  # takes a while to load, for shops that use it only
    from sentry_sdk.integrations.logging import ignore_logger

    # A collector of traces that is away would be an error every five seconds.
    ignore_logger("opentelemetry.*")
    hidden = [*secrets]

    def before_send(event: Any, hint: Any) -> Any:
        return cleaned(event, secrets=hidden)

    sentry_sdk.init(
        dsn=dsn,
        send_default_pii=False,
        include_local_variables=False,
        max_request_body_size="never",
        max_breadcrumbs=0,
        before_send=before_send,
        **options,
    )


def cleaned(event: dict[str, Any], *, secrets: Iterable[str]) -> dict[str, Any]:
    """Return what of an event is sent."""
    for private in ("extra", "user", "breadcrumbs"):
        event.pop(private, None)
    request = event.pop("request", None)
    if request:
        event["request"] = {"method": request.get("method", ""), "url": _path(request)}
    if identity := request_id():
        event.setdefault("tags", {})["request_id"] = identity
    hidden = [*secrets]
    for part in ("exception", "logentry", "message", "request", "transaction", "threads"):
        if part in event:
            event[part] = _hide(event[part], hidden)
    return event


def _path(request: Mapping[str, Any]) -> str:
    return str(request.get("url", "")).partition("?")[0]


def _hide(part: Any, secrets: list[str]) -> Any:
    match part:
        case str():
            for secret in secrets:
                part = part.replace(secret, HIDDEN)
            return _PERSONAL.sub(lambda found: HIDDEN + "@" * bool(found["credentials"]), part)
        case dict():
            return {name: _hide(value, secrets) for name, value in part.items() if name != "vars"}
        case list() | tuple():
            return [_hide(value, secrets) for value in part]
    return part
