"""Keys in the order of time: UUIDv7 by RFC 9562."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import RFC_4122, UUID

import pytest
import time_machine
from django.apps import apps
from django.db import models

from orders.models import Upload
from project.database.keys import time_ordered_key
from project.jobs.model import job_models


def test_a_key_is_a_uuid_of_version_7() -> None:
    keys = [time_ordered_key() for _ in range(100)]

    assert {key.version for key in keys} == {7}
    assert {key.variant for key in keys} == {RFC_4122}


def test_a_key_begins_with_its_time_in_milliseconds() -> None:
    at = datetime(2026, 2, 3, 4, 5, 6, 789_000, tzinfo=UTC)
    with time_machine.travel(at, tick=False):
        key = time_ordered_key()

    assert key.int >> 80 == at.timestamp() * 1000


def test_later_keys_sort_behind_earlier_ones() -> None:
    begin = datetime(2026, 2, 3, tzinfo=UTC)
    keys = []
    for millisecond in range(200):
        with time_machine.travel(begin + timedelta(milliseconds=millisecond), tick=False):
            keys.append(time_ordered_key())

    assert keys == sorted(keys)


def test_keys_of_many_threads_in_one_millisecond_differ() -> None:
    at = datetime(2026, 2, 3, tzinfo=UTC)
    with time_machine.travel(at, tick=False), ThreadPoolExecutor(8) as threads:
        keys = list(threads.map(lambda _: time_ordered_key(), range(20_000)))

    assert len(set(keys)) == len(keys)


def test_every_bit_but_time_version_and_variant_is_random() -> None:
    seen_set, seen_clear = 0, 0
    for _ in range(200):
        seen_set |= time_ordered_key().int
        seen_clear |= ~time_ordered_key().int
    free = (seen_set & seen_clear) & ((1 << 80) - 1)

    assert free.bit_count() == 74


@pytest.mark.parametrize("model", job_models(), ids=lambda model: model.__name__)
def test_the_jobs_of_every_model_have_such_keys(model: type[models.Model]) -> None:
    assert model().pk.version == 7


def test_an_uploads_token_stays_random() -> None:
    """It is a secret: a shopper who has it may use the upload in one order."""
    assert Upload().token.version == 4


def test_no_table_gets_a_random_key_but_for_secrets() -> None:
    random_keys = {
        model.__name__
        for model in apps.get_models()
        if isinstance(model._meta.pk, models.UUIDField)
        and isinstance(made := model._meta.pk.get_default(), UUID)
        and made.version == 4
    }

    # A cart or checkout is its agent's who knows the id, as an upload is a shopper's.
    assert random_keys == {"AgentCart", "AgentCheckout", "Upload"}
