"""SMS by Aliyun's (Alibaba Cloud's) short message service: Dysmsapi 2017-05-25, SendSms.

`aliyun://KEYID:SECRET@dysmsapi.aliyuncs.com?sign=SIGNATURE`; by `aliyun+http://` without TLS, for
a test server. It sends approved templates only: see `templated`. Requests are signed as in
"V3 request body and signature mechanism" (ACS3-HMAC-SHA256) of Alibaba Cloud's documentation:
https://www.alibabacloud.com/help/en/sdk/product-overview/v3-request-structure-and-signature

SendSms is not idempotent, as its page says: only an operator may send a message twice.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import parse_qs, quote, unquote, urlsplit
from uuid import uuid4

from notifications.channels import http
from notifications.channels.answer import field, read_json
from notifications.channels.deadline import Deadline
from notifications.channels.message import (
    Message,
    NoAnswerError,
    OurSettingsError,
    ProviderDownError,
    Receipt,
    RefusesUsError,
)
from notifications.channels.templated import templated
from notifications.segments import shorten
from project.jobs.errors import PermanentError, TransientError

ACTION, VERSION = "SendSms", "2017-05-25"
ALGORITHM = "ACS3-HMAC-SHA256"
LONGEST_VALUE = 35
"""The maximum of characters in the value of a template's variable."""

OF_THE_RECIPIENT = frozenset({"isv.BUSINESS_LIMIT_CONTROL"})
"""One number gets few messages a minute, an hour and a day."""
OF_THE_ACCOUNT = re.compile(
    r"isv\.(AMOUNT_NOT_ENOUGH|OUT_OF_SERVICE|ACCOUNT_\w+|PRODUCT_UN_?SUBSCRI\w+|DAY_LIMIT_CONTROL)"
    r"|isp\.RAM_PERMISSION_DENY|InvalidAccessKeyId.*|SignatureDoesNotMatch|Forbidden.*|NoPermission"
)
"""The account would refuse every message, until an operator pays or corrects the key."""
OF_OUR_SETTINGS = re.compile(
    r"isv\.(SMS_(TEMPLATE|SIGN|SIGNATURE)(_SCENE)?_ILLEGAL|TEMPLATE_MISSING_PARAMETERS)"
)
"""Our template or signature isn't approved, or isn't as `SMS_TEMPLATES` expects it."""
OF_THE_SYSTEM = re.compile(
    r"Throttling.*|ServiceUnavailable.*|InternalError|isp\.(SYSTEM_ERROR|GATEWAY_ERROR)"
    r"|SignatureNonceUsed|InvalidTimeStamp.*"
)


def repeats_are_safe(url: str) -> bool:
    """It sends a repeated request a second time."""
    return False


def send(message: Message, *, url: str, deadline: Deadline) -> Receipt:
    """Request the sending of the message's template and return the answer.

    Raises PermanentError, TransientError, OurSettingsError, ProviderDownError or RefusesUsError
    with Aliyun's code and words, NoAnswerError, or NotAskedError without a template.
    """
    wording = templated(message)
    values = {name: shorten(value, LONGEST_VALUE) for name, value in wording.parameters.items()}
    parts = urlsplit(url)
    query = canonical_query(
        {
            "PhoneNumbers": message.recipient.removeprefix("+"),
            "SignName": parse_qs(parts.query)["sign"][0],
            "TemplateCode": wording.template_id,
            "TemplateParam": json.dumps(values, ensure_ascii=False),
            "OutId": str(message.id),
        }
    )
    parts = parts._replace(scheme="http" if parts.scheme.endswith("+http") else "https")
    headers = signed_headers(
        key_id=unquote(parts.username or ""),
        secret=unquote(parts.password or ""),
        host=parts.netloc.rpartition("@")[2],
        action=ACTION,
        version=VERSION,
        query=query,
        at=datetime.now(UTC),
        nonce=uuid4().hex,
    )
    return _receipt(
        http.post(parts, target=f"/?{query}", body=b"", headers=headers, deadline=deadline)
    )


def canonical_query(parameters: Mapping[str, str]) -> str:
    """The parameters by name, percent-encoded by RFC 3986: as they are signed, and sent."""
    return "&".join(
        f"{quote(name, safe='')}={quote(value, safe='')}"
        for name, value in sorted(parameters.items())
    )


def signed_headers(
    *,
    key_id: str,
    secret: str,
    host: str,
    action: str,
    version: str,
    query: str,
    at: datetime,
    nonce: str,
) -> dict[str, str]:
    """Return the headers of a POST to / without a body, `Authorization` among them."""
    payload_hash = hashlib.sha256(b"").hexdigest()
    headers = {
        "host": host,
        "x-acs-action": action,
        "x-acs-content-sha256": payload_hash,
        "x-acs-date": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "x-acs-signature-nonce": nonce,
        "x-acs-version": version,
    }
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    request = "\n".join(("POST", "/", query, lines, names, payload_hash))
    to_sign = f"{ALGORITHM}\n{hashlib.sha256(request.encode()).hexdigest()}"
    signature = hmac.new(secret.encode(), to_sign.encode(), hashlib.sha256).hexdigest()
    authorization = f"{ALGORITHM} Credential={key_id},SignedHeaders={names},Signature={signature}"
    return {**headers, "Authorization": authorization, "Accept": "application/json"}


def _receipt(answer: http.Answer) -> Receipt:
    said = read_json(answer.body)
    code = field(said, "Code")
    words = f"{code} {field(said, 'Message')}".strip()
    if code == "OK" and answer.status == 200:
        return Receipt(provider_id=field(said, "BizId"), answer=words)
    if not code:  # not Aliyun's words: a proxy's, or broken off
        refusal = answer.refusal()
        is_plain = answer.status in http.TELLS_WHEN or isinstance(refusal, RefusesUsError)
        raise refusal if is_plain else NoAnswerError(answer.words)
    if code in OF_THE_RECIPIENT:
        raise TransientError(words)
    if OF_THE_ACCOUNT.fullmatch(code):
        raise RefusesUsError(words)
    if OF_OUR_SETTINGS.fullmatch(code):
        raise OurSettingsError(words)
    if answer.status >= 500 or OF_THE_SYSTEM.fullmatch(code):
        raise ProviderDownError(words, retry_after=answer.retry_after)
    raise PermanentError(words)
