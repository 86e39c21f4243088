"""Each kind of carrier, and what of an answer is left out."""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from notifications.channels.deadline import Deadline
from orders.quotes.asking import ask_all
from orders.quotes.carrier import CarrierError, UnreadableAnswerError
from orders.quotes.carriers import used_carriers
from orders.quotes.carriers.by_weight import ByWeight
from orders.quotes.carriers.flat_rate import FlatRate
from orders.quotes.carriers.http import HttpCarrier
from orders.quotes.carriers.simulated import SIMULATED
from orders.quotes.parcel import Item, Parcel, Why, parcel_of
from orders.quotes.sense import MOST_SERVICES, sensible
from project.conf import delivery
from tests.notifications.gateway import Gateway, serving
from tests.orders.quotes.fakes import PARCEL, said

ANY = Deadline(3_600)


@pytest.fixture
def server() -> Iterator[Gateway]:
    gateway = Gateway()
    with serving(gateway):
        yield gateway


def http_carrier(server: Gateway, body: Any, *, status: int = 200) -> HttpCarrier:
    server.answers = [status]
    server.answer_body = body if isinstance(body, bytes) else json.dumps(body).encode()
    return HttpCarrier("post", f"http://ada:s%2Fcret@127.0.0.1:{server.port}/v1/quotes?zone=1")


def test_flat_rate_has_a_price_by_country() -> None:
    carrier = FlatRate(delivery.flat_rate("X", "DE=4.90, *=19"), days=3)
    local = FlatRate(delivery.flat_rate("X", "DE=4.90"), days=3)
    abroad = Parcel(PARCEL.items, country="FR")

    assert carrier.ask(PARCEL, ANY).quotes[0].price == Decimal("4.90")
    assert str(carrier.ask(abroad, ANY).quotes[0].price) == "19.00"
    assert local.ask(abroad, ANY).missing[0].why is Why.NOT_THERE


@pytest.mark.parametrize(("grams", "price"), [(2000, "4.90"), (2001, "7.90"), (10_001, None)])
def test_by_weight_takes_the_first_step_that_fits(grams: int, price: str | None) -> None:
    carrier = ByWeight(delivery.by_weight("X", "10=7.90,2=4.90"), days=3)

    quotes = carrier.ask(Parcel((Item("A", 1, grams),), country="DE"), ANY).quotes

    assert [str(quote.price) for quote in quotes] == ([price] if price else [])


def test_a_product_without_a_weight_has_the_settings(settings: Any) -> None:
    settings.DELIVERY_UNKNOWN_WEIGHT = 300

    parcel = parcel_of({"A": 2, "B": 3}, weights={"A": None, "B": 0}, address={"country": "DE"})

    assert parcel.weight == 600


def test_an_http_carrier_gets_the_parcel_and_nothing_of_the_person(server: Gateway) -> None:
    carrier = http_carrier(server, {"quotes": [said(label="By\nrail \u202e")]})

    answer = carrier.ask(PARCEL, ANY)
    carrier = http_carrier(server, {"quotes": [said()]})
    carrier.ask(PARCEL, ANY)

    first, second = server.asked
    assert first.path == "/v1/quotes?zone=1"
    assert first.body == {
        "address": {"country": "DE", "postcode": "10115", "city": "Berlin"},
        "lines": [{"sku": "MUG", "quantity": 2, "weight": 400}],
        "weight": 800,
        "currency": "EUR",
    }
    assert first.headers["Authorization"] == "Basic YWRhOnMvY3JldA=="
    assert first.headers["Idempotency-Key"] == second.headers["Idempotency-Key"]
    quote = answer.quotes[0]
    assert (quote.carrier, quote.service, quote.label) == ("post", "std", "By rail")
    assert (str(quote.price), quote.days) == ("5.90", 2)


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        (b"<html>", 200, UnreadableAnswerError),
        (b"[" * 100_000, 200, UnreadableAnswerError),
        ({"quotes": "none"}, 200, UnreadableAnswerError),
        ({"quotes": [{"price": "1.00"}]}, 200, UnreadableAnswerError),
        ({"quotes": [said()] * (MOST_SERVICES + 1)}, 200, UnreadableAnswerError),
        ({"quotes": [said()]}, 500, CarrierError),
        ({"quotes": [said()]}, 302, CarrierError),
        (b"s/cret", 401, CarrierError),
        (b"", Gateway.DISCONNECT, CarrierError),
    ],
)
def test_what_is_no_answer_is_an_error_without_the_secret(
    server: Gateway, body: Any, status: int, error: type[CarrierError]
) -> None:
    carrier = http_carrier(server, body, status=status)

    with pytest.raises(error) as raised:
        carrier.ask(PARCEL, ANY)

    assert "cret" not in str(raised.value)


def test_a_silent_http_carrier_ends_by_the_deadline(server: Gateway) -> None:
    carrier = http_carrier(server, {}, status=Gateway.SILENCE)

    with pytest.raises(TimeoutError):
        carrier.ask(PARCEL, Deadline(0.1))


@pytest.mark.parametrize(
    ("quote", "why"),
    [
        (said(price="-1.00"), Why.NEGATIVE),
        (said(price="-0.00"), Why.NEGATIVE),
        (said(price="5.905"), Why.PLACES),
        (said(price=5.9), Why.PLACES),
        (said(price="NaN"), Why.PLACES),
        (said(price="1e3"), Why.PLACES),
        (said(price="٥.00"), Why.PLACES),
        (said(price=None), Why.PLACES),
        (said(price="10000.01"), Why.ABSURD),
        (said(currency="USD"), Why.CURRENCY),
        (said(days=-1), Why.DAYS),
        (said(days=True), Why.DAYS),
        (said(days="2"), Why.DAYS),
        (said("good"), Why.TWICE),
    ],
)
def test_nonsense_is_left_out_and_named(quote: dict[str, Any], why: Why) -> None:
    answer = sensible("post", [said("good", price="3.5"), quote])

    assert [str(one.price) for one in answer.quotes] == ["3.50"]
    assert [(one.why, one.service) for one in answer.missing] == [(why, quote["service"])]
    assert quote["service"] in answer.missing[0].reason


def test_a_carrier_without_quotes_does_not_go_there() -> None:
    assert sensible("post", []).missing[0].why is Why.NOT_THERE


def test_the_simulated_carriers_have_their_delays_and_faults() -> None:
    answers = ask_all(SIMULATED, PARCEL)
    heavy = Parcel((Item("A", 1, 30_000),), country="DE", postcode="10119")
    bad = ask_all(SIMULATED, heavy, seconds=1)

    assert {quote.label for one in answers.values() for quote in one.quotes} == {
        "Swift Express", "Steady Standard", "Steady Green", "Moody Saver",
    }  # fmt: skip
    assert answers["swift"].missing[0].why is Why.CURRENCY
    assert {name: one.missing[0].why for name, one in bad.items()} == {
        "swift": Why.CURRENCY,
        "steady": Why.LATE,
        "moody": Why.FAILED,
    }


def test_the_settings_say_which_carriers_there_are(settings: Any) -> None:
    settings.DELIVERY_FLAT_RATE = delivery.flat_rate("X", "4.90")
    settings.DELIVERY_BY_WEIGHT = []
    settings.DELIVERY_CARRIERS = {"post": "https://post.example/v1"}
    settings.DELIVERY_SIMULATED = False
    settings.DELIVERY_PICKUP = True

    assert [carrier.name for carrier in used_carriers()] == ["flat-rate", "post", "pickup"]


@pytest.mark.parametrize("value", ["4,90", "DE=", "XX=1", "DE=1,DE=2", "4.9", "-1", "1,2"])
def test_a_flat_rate_that_is_none_is_refused(value: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="RATE"):
        delivery.flat_rate("RATE", value)


@pytest.mark.parametrize("value", ["4.90", "1=", "=1", "1=2,1.0=3", "-1=2"])
def test_steps_that_are_none_are_refused(value: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="STEPS"):
        delivery.by_weight("STEPS", value)


@pytest.mark.parametrize(
    "value",
    [
        "https://ada:sesame@post.example",
        "Post=https://ada:sesame@post.example",
        "pickup=https://ada:sesame@post.example",
        "a=https://x.example a=https://ada:sesame@post.example",
        "a=http://ada:sesame@post.example",
        "a=ftp://ada:sesame@post.example",
        "a=https://ada:ses@ame@post.example/?x=a@b",
        "a=https:///sesame",
    ],
)
def test_an_unfit_carrier_is_refused_without_its_secret(value: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="CARRIERS") as raised:
        delivery.carriers("CARRIERS", value, is_production=True)

    assert "sesame" not in str(raised.value)


def test_plain_http_is_for_this_machine_and_for_a_local_run() -> None:
    here = "a=http://127.0.0.1:9/x"
    elsewhere = "a=http://post.example/x"

    assert delivery.carriers("X", here, is_production=True)
    assert delivery.carriers("X", elsewhere, is_production=False)
