"""Keeping the answers of remote carriers: a basket is shown, and placed, by the same prices.

In PostgreSQL, because all web processes need them and ordering needs no cache server. Only an
answer that was got over the network is written: a shop without remote carriers writes nothing.
"""

import json
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet
from django.db.models.functions import Now

from orders.models import KeptAnswer
from orders.quotes.carrier import Answer
from orders.quotes.parcel import Missing, Quote, Why

FRESH = timedelta(minutes=15)
"""For so long an answer is shown."""
VALID = timedelta(minutes=45)
"""For so long an order may still be placed by it: a shopper types an address meanwhile."""


def kept_answers(keys: Mapping[str, UUID], *, within: timedelta) -> dict[str, Answer]:
    """Return the answers that aren't older, by carrier. `keys` are the parcel's, by carrier."""
    rows = KeptAnswer.objects.filter(key__in=keys.values(), asked_at__gt=Now() - within)
    found = dict(rows.values_list("key", "answer"))
    return {carrier: _read(carrier, found[key]) for carrier, key in keys.items() if key in found}


def keep_answers(answers: Mapping[UUID, Answer]) -> None:
    """Keep the answers by their keys, in one statement.

    The first of two that arrive together stays: its prices may be before a shopper already.
    """
    rows = [{"key": str(key), "answer": _written(answer)} for key, answer in answers.items()]
    with connection.cursor() as cursor:
        cursor.execute(_KEEP, {"rows": json.dumps(rows), "fresh": FRESH.total_seconds()})


def old_answers() -> QuerySet[KeptAnswer]:
    """Return those that nothing reads any more."""
    return KeptAnswer.objects.filter(asked_at__lt=Now() - VALID)


def _written(answer: Answer) -> dict[str, Any]:
    return {
        "quotes": [
            [quote.service, quote.label, str(quote.price), quote.days] for quote in answer.quotes
        ],
        "missing": [[missing.why.value, missing.service] for missing in answer.missing],
    }


def _read(carrier: str, kept: dict[str, Any]) -> Answer:
    return Answer(
        quotes=tuple(
            Quote(carrier, service, label, Decimal(price), days)
            for service, label, price, days in kept["quotes"]
        ),
        missing=tuple(Missing(carrier, Why(why), service) for why, service in kept["missing"]),
    )


_KEEP = """
INSERT INTO orders_keptanswer AS kept (key, answer)
SELECT key, answer FROM jsonb_to_recordset(%(rows)s::jsonb) AS answer(key uuid, answer jsonb)
ORDER BY key
ON CONFLICT (key) DO UPDATE SET answer = EXCLUDED.answer, asked_at = now()
WHERE kept.asked_at <= now() - make_interval(secs => %(fresh)s)
"""
