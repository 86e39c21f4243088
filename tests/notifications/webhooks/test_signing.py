import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from http_message_signatures import (
    HTTPMessageVerifier,
    InvalidSignature,
    MappingKeyResolver,
    algorithms,
)
from standardwebhooks import Webhook, WebhookVerificationError

from notifications.models import WebhookEndpoint
from notifications.webhooks.endpoint_secrets import (
    OVERLAP,
    new_secret,
    replace_secret,
    sealed,
    signing_keys,
)
from notifications.webhooks.signing import Request, key_id
from tests.notifications.webhooks.receiver import attempt, happened

MESSAGE = WebhookEndpoint.Signature.MESSAGE


def known_secret(endpoint: WebhookEndpoint) -> str:
    """Give the endpoint a secret that the test knows."""
    secret = new_secret()
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(secret=sealed(secret))
    return secret


def verifier(*secrets: str) -> HTTPMessageVerifier:
    keys = [base64.b64decode(secret.removeprefix("whsec_")) for secret in secrets]
    resolver = MappingKeyResolver(public_keys={key_id(k): k for k in keys}, private_keys={})
    return HTTPMessageVerifier(signature_algorithm=algorithms.HMAC_SHA256, key_resolver=resolver)


def came_as_request(receiver) -> Request:
    [came] = receiver.came
    return Request(url=receiver.url, headers=came.headers, body=came.body)


def test_the_standard_librarys_verifier_takes_our_signature(endpoint, receiver):
    secret = known_secret(endpoint)
    [delivery] = happened()

    attempt(delivery)

    [came] = receiver.came
    payload = Webhook(secret).verify(came.body, came.headers)
    assert payload["type"] == "order.placed"
    assert payload["data"] == {"id": "1", "name": "Ada"}
    assert came.headers["webhook-id"] == str(delivery.pk)


def test_another_secret_or_another_body_is_refused(endpoint, receiver):
    secret = known_secret(endpoint)
    attempt(happened()[0])

    [came] = receiver.came
    with pytest.raises(WebhookVerificationError):
        Webhook(new_secret()).verify(came.body, came.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(came.body.replace(b"Ada", b"Eve"), came.headers)


def test_while_a_secret_is_replaced_either_verifies(endpoint, receiver):
    old = known_secret(endpoint)
    new = replace_secret(endpoint.pk)

    attempt(happened()[0])

    [came] = receiver.came
    assert Webhook(old).verify(came.body, came.headers)
    assert Webhook(new).verify(came.body, came.headers)


def test_after_the_overlap_the_old_secret_signs_no_more(endpoint):
    replace_secret(endpoint.pk)
    endpoint.refresh_from_db()
    now = datetime.now(UTC)

    assert len(signing_keys(endpoint, now=now)) == 2
    assert len(signing_keys(endpoint, now=now + OVERLAP + timedelta(minutes=1))) == 1


@pytest.mark.parametrize("unreadable", ["", "sealed by a key that is lost"])
def test_a_secret_that_cannot_be_read_is_replaced_and_the_new_one_signs_alone(
    endpoint, receiver, unreadable
):
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(secret=unreadable)

    new = replace_secret(endpoint.pk)
    attempt(happened()[0])

    [came] = receiver.came
    assert Webhook(new).verify(came.body, came.headers)
    assert came.headers["webhook-signature"].count("v1,") == 1


def test_an_earlier_secret_that_cannot_be_read_hinders_no_delivery(endpoint, receiver):
    new = replace_secret(endpoint.pk)
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(old_secret="sealed by a lost key")

    attempt(happened()[0])

    [came] = receiver.came
    assert Webhook(new).verify(came.body, came.headers)


def test_the_row_keeps_no_secret_in_the_clear(endpoint):
    secret = known_secret(endpoint)
    endpoint.refresh_from_db()

    assert secret.removeprefix("whsec_") not in endpoint.secret


def test_a_message_signature_covers_body_and_identity(endpoint, receiver):
    secret = known_secret(endpoint)
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(signature=MESSAGE)

    attempt(happened()[0])

    request = came_as_request(receiver)
    [result] = verifier(secret).verify(request, body=request.body)
    covered = {name.strip('"') for name in result.covered_components}
    assert {"content-digest", "webhook-id", "webhook-timestamp", "@method", "@path"} <= covered
    assert json.loads(request.body)["type"] == "order.placed"


def test_a_message_signature_of_another_body_is_refused(endpoint, receiver):
    secret = known_secret(endpoint)
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(signature=MESSAGE)
    attempt(happened()[0])

    request = came_as_request(receiver)
    with pytest.raises(InvalidSignature):
        verifier(secret).verify(request, body=request.body.replace(b"Ada", b"Eve"))


def test_while_a_secret_is_replaced_a_message_has_a_signature_of_each(endpoint, receiver):
    old = known_secret(endpoint)
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(signature=MESSAGE)
    new = replace_secret(endpoint.pk)

    attempt(happened()[0])

    request = came_as_request(receiver)
    for secret in (old, new):
        tag = key_id(base64.b64decode(secret.removeprefix("whsec_")))
        [result] = verifier(secret).verify(request, body=request.body, expect_tag=tag)
        assert result.parameters["keyid"] == tag
