"""The apprise channel: its JSON service against a real HTTP server that answers as scripted."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from unittest.mock import Mock
from uuid import UUID

import apprise
import pytest

from notifications.channels import apprise_sms
from notifications.channels.deadline import Deadline
from notifications.channels.message import (
    Message,
    NoAnswerError,
    NotAskedError,
    ProviderDownError,
    Receipt,
    RefusesUsError,
)
from project.jobs.errors import PermanentError, TransientError
from project.local.data_folder import free_port
from tests.notifications.gateway import Gateway, serving

# One of apprise's many services still imports it.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

MESSAGE = Message(
    id=UUID("0d9f6a52-9a1c-4d2f-8a55-6b1f4e1f3a10"), recipient="+4915112345678", text="Grüße 你好"
)

assert apprise  # loaded here: it takes longer than some sends of these tests may


@pytest.fixture
def server() -> Iterator[Gateway]:
    server = Gateway()
    with serving(server):
        yield server


def send(port: int, *, seconds: float = 5) -> Receipt:
    url = f"apprise+json://127.0.0.1:{port}/sms/{{to}}"
    return apprise_sms.send(MESSAGE, url=url, deadline=Deadline(seconds))


def test_the_service_gets_number_and_text(server) -> None:
    server.answers = [200]

    receipt = send(server.port)

    [asked] = server.asked
    assert asked.path.rstrip("/").endswith(("/sms/+4915112345678", "/sms/%2B4915112345678"))
    assert asked.body["message"] == "Grüße 你好"
    assert receipt.provider_id == ""


@pytest.mark.parametrize("status", [400, 422])
def test_a_no_is_transient_with_the_line_of_its_log(server, status) -> None:
    server.answers = [status]

    with pytest.raises(TransientError, match=f"Failed to send JSON .*error={status}") as caught:
        send(server.port)
    assert type(caught.value) is TransientError


@pytest.mark.parametrize("status", [401, 403, 404, 405])
def test_a_no_that_speaks_of_us_is_a_provider_that_is_down(server, status) -> None:
    server.answers = [status]

    with pytest.raises(RefusesUsError, match=rf"^[a-z ]+ \(.*error={status}"):
        send(server.port)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_gateway_in_trouble_is_a_provider_that_is_down(server, status) -> None:
    server.answers = [status]

    with pytest.raises(ProviderDownError, match=f"error={status}") as caught:
        send(server.port)
    assert not isinstance(caught.value, RefusesUsError)


def test_an_answer_lost_behind_a_proxy_is_in_doubt(server) -> None:
    server.answers = [502]

    with pytest.raises(NoAnswerError, match="error=502"):
        send(server.port)


def test_a_refused_connection_is_a_provider_that_is_down() -> None:
    with pytest.raises(ProviderDownError, match="refused") as caught:
        send(free_port())
    assert "/sms/" not in str(caught.value), "a URL's path may have a key in it"


def test_silence_until_the_deadline_is_in_doubt(server) -> None:
    server.answers = [Gateway.SILENCE]

    with pytest.raises(NoAnswerError, match="timed out"):
        send(server.port, seconds=0.3)


def test_a_connection_that_ends_without_an_answer_is_in_doubt(server) -> None:
    server.answers = [Gateway.DISCONNECT]

    with pytest.raises(NoAnswerError, match="no answer"):
        send(server.port)


def test_lines_of_another_send_are_not_taken_for_ours(server) -> None:
    server.answers = [Gateway.SILENCE, 400]
    with pytest.raises(NoAnswerError):
        send(server.port, seconds=0.2)

    with pytest.raises(TransientError, match="error=400"):
        send(server.port)


def test_apprise_passes_no_key_on() -> None:
    assert not apprise_sms.repeats_are_safe("apprise+json://gateway.example/{to}")


def test_a_url_that_apprise_does_not_know_is_asked_for_nothing() -> None:
    url = "apprise+carrierpigeon://loft/{to}"

    assert not apprise_sms.is_understood(url)
    with pytest.raises(NotAskedError, match="doesn't understand"):
        apprise_sms.send(MESSAGE, url=url, deadline=Deadline(5))


TWILIO = f"apprise+twilio://AC{'a' * 32}:{'b' * 32}@+15550100200/{{to}}"


@pytest.fixture
def twilio(monkeypatch) -> Mock:
    post = Mock(return_value=Mock(status_code=201))
    monkeypatch.setattr("apprise.plugins.twilio.requests.post", post)
    return post


@pytest.mark.parametrize("number", ["+298211234", "+299221234", "+376312345", "+29051234"])
def test_a_number_that_the_service_drops_is_refused_and_nobody_else_gets_its_text(
    twilio, number
) -> None:
    message = replace(MESSAGE, recipient=number)

    with pytest.raises(PermanentError, match="doesn't take the number"):
        apprise_sms.send(message, url=TWILIO, deadline=Deadline(5))

    twilio.assert_not_called()


def test_a_number_that_the_service_takes_gets_its_text(twilio) -> None:
    apprise_sms.send(MESSAGE, url=TWILIO, deadline=Deadline(5))

    assert twilio.call_args.kwargs["data"]["To"] == MESSAGE.recipient


def test_who_does_not_use_it_does_not_load_it() -> None:
    code = (
        "import django, sys; django.setup();"
        "from notifications.delivery.attempt import deliver; print('apprise' in sys.modules)"
    )

    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert found.stdout.strip() == "False"
