"""Kept answers: a request under a key is done once, and its repeat is answered the same."""

from datetime import timedelta

import pytest
from django.utils import timezone

from orders.clients.answers import (
    KEEP,
    Claim,
    ClientKeyReusedError,
    answer_once,
    fingerprint_of,
    old_answers,
)
from orders.models import ApiAnswer
from tests.clients import api_client

pytestmark = pytest.mark.django_db
PAY = fingerprint_of("pay", order=1)


class Work:
    """Counts how often it is done."""

    def __init__(self) -> None:
        self.claims: list[Claim] = []

    def __call__(self, claim: Claim) -> str:
        self.claims.append(claim)
        return f"answer {len(self.claims)}"


def test_a_repeat_gets_the_first_answer_and_nothing_is_done_again() -> None:
    client, work = api_client(), Work()

    first = answer_once(client, key="k", fingerprint=PAY, work=work)
    second = answer_once(client, key="k", fingerprint=PAY, work=work)

    assert (first.answer, first.is_repeat) == ("answer 1", False)
    assert (second.answer, second.is_repeat) == ("answer 1", True)
    assert len(work.claims) == 1


def test_another_request_under_the_key_is_refused_and_another_client_has_its_own_keys() -> None:
    work = Work()
    answer_once(api_client("A"), key="k", fingerprint=PAY, work=work)

    with pytest.raises(ClientKeyReusedError):
        answer_once(api_client("A"), key="k", fingerprint=fingerprint_of("pay", order=2), work=work)
    other = answer_once(api_client("B"), key="k", fingerprint=PAY, work=work)

    assert not other.is_repeat
    assert work.claims[0].id != work.claims[1].id


def test_a_refusal_is_not_kept_but_its_key_stays_the_requests() -> None:
    client, work = api_client(), Work()

    def refuse(_claim: Claim) -> str:
        raise ValueError("not now")

    with pytest.raises(ValueError, match="not now"):
        answer_once(client, key="k", fingerprint=PAY, work=refuse)
    with pytest.raises(ClientKeyReusedError):
        answer_once(client, key="k", fingerprint=fingerprint_of("pack"), work=work)
    assert answer_once(client, key="k", fingerprint=PAY, work=work).answer == "answer 1"


def test_a_request_whose_process_died_is_done_again_with_the_same_id() -> None:
    client, work = api_client(), Work()

    def die(claim: Claim) -> str:
        work(claim)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        answer_once(client, key="k", fingerprint=PAY, work=die)
    answer_once(client, key="k", fingerprint=PAY, work=work)

    first, second = work.claims
    assert (first.is_first, second.is_first) == (True, False)
    assert first.id == second.id


def test_old_answers_are_forgotten() -> None:
    client = api_client()
    for key in ("old", "new"):
        answer_once(client, key=key, fingerprint=PAY, work=Work())
    ApiAnswer.objects.filter(key="old").update(
        created_at=timezone.now() - KEEP - timedelta(minutes=1)
    )

    assert [row.key for row in old_answers()] == ["old"]
