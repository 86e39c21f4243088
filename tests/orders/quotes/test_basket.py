"""A basket's quotes: kept for a while, counted, and the same when the order is placed."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db.models import F

from notifications.channels.deadline import Deadline
from orders.models import KeptAnswer
from orders.quotes import basket
from orders.quotes.basket import NotQuoted, UnknownProducts, chosen_quote, quotes_for
from orders.quotes.carrier import CarrierError
from orders.quotes.carriers.flat_rate import FlatRate
from orders.quotes.carriers.pickup import Pickup
from orders.quotes.keeping import FRESH, VALID, keep_answers, old_answers
from orders.quotes.limit import TooManyQuestions
from orders.quotes.parcel import Quotes
from project.limits.rates import Rate
from tests.factories import add_product
from tests.orders.quotes.fakes import FakeCarrier

pytestmark = pytest.mark.django_db

BERLIN = {"line1": "Unter den Linden 1", "city": "Berlin", "postcode": "10117", "country": "DE"}


def use(monkeypatch: pytest.MonkeyPatch, *carriers: Any) -> None:
    monkeypatch.setattr(basket, "used_carriers", lambda: list(carriers))


def asked(address: dict[str, str] = BERLIN, **options: Any) -> Quotes:
    return quotes_for(address=address, quantities={"MUG": 2}, **options)


def grow_older(by: timedelta) -> None:
    KeptAnswer.objects.update(asked_at=F("asked_at") - by)


def test_quotes_are_sorted_by_price_and_pickup_is_the_last(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    add_product("MUG", weight=400)
    dear = FakeCarrier("dear", price="9.00")
    use(monkeypatch, Pickup(), dear, FlatRate({"*": Decimal("4.90")}, days=3))

    quotes = asked().quotes

    assert [quote.carrier for quote in quotes] == ["flat-rate", "dear", "pickup"]
    assert dear.asked[0].weight == 800
    assert asked(address={}).find("pickup", "shop")
    with pytest.raises(UnknownProducts, match="CUP"):
        quotes_for(address=BERLIN, quantities={"MUG": 1, "CUP": 1})


def test_a_basket_is_asked_about_once_until_its_answer_is_old(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    product = add_product("MUG")
    good, bad = FakeCarrier("good"), FakeCarrier("bad", error=CarrierError("503"))
    use(monkeypatch, good, bad)

    first = asked()
    good.price = "6.00"
    again = asked(BERLIN | {"line1": "Elsewhere 2", "postcode": "10117"})
    assert first == again
    assert (len(good.asked), len(bad.asked)) == (1, 2)
    assert KeptAnswer.objects.count() == 1  # nothing that passes is kept

    other_place = asked(BERLIN | {"postcode": "20095"})
    type(product).objects.update(weight=90)
    other_weight = asked()
    assert [str(one.quotes[0].price) for one in (other_place, other_weight)] == ["6.00"] * 2
    type(product).objects.update(weight=None)

    grow_older(FRESH)
    chosen = chosen_quote(good.asked[0], carrier="good", service="std")
    assert (str(chosen.price), len(good.asked)) == ("5.00", 3)  # an order may still have it
    assert str(asked().quotes[0].price) == "6.00"


def test_the_first_of_two_answers_that_arrive_together_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    add_product("MUG")
    use(monkeypatch, carrier := FakeCarrier("good"))
    shown = asked()

    parcel = carrier.asked[0]
    second = FakeCarrier("good", price="7.00").ask(parcel, Deadline(1))
    keep_answers({parcel.key("good"): second})

    assert asked() == shown


def test_what_nobody_reads_any_more_is_pruned(monkeypatch: pytest.MonkeyPatch) -> None:
    add_product("MUG")
    use(monkeypatch, FakeCarrier("good"))
    asked()

    assert not old_answers().exists()
    grow_older(VALID)
    assert old_answers().count() == 1


def test_a_service_that_is_not_quoted_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    add_product("MUG")
    carrier = FakeCarrier("good", error=CarrierError("503"))
    use(monkeypatch, carrier)
    asked()

    with pytest.raises(NotQuoted, match="doesn't answer"):
        chosen_quote(carrier.asked[0], carrier="good", service="std")
    carrier.error = None
    with pytest.raises(NotQuoted) as other:
        chosen_quote(carrier.asked[0], carrier="good", service="night")
    assert other.value.reason == ""


def test_questions_of_an_address_are_limited_and_kept_answers_are_free(
    monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    add_product("MUG")
    settings.ORDER_LIMITS = {}  # not off, as in other tests
    monkeypatch.setattr("orders.quotes.limit.QUOTES", Rate(1, 60))
    use(monkeypatch, FakeCarrier("good"))

    for _view in range(3):
        asked(counted_address="192.0.2.1")
    with pytest.raises(TooManyQuestions):
        asked(BERLIN | {"postcode": "1"}, counted_address="192.0.2.1")
    asked(BERLIN | {"postcode": "1"}, counted_address="192.0.2.2")


def test_own_carriers_write_nothing(
    monkeypatch: pytest.MonkeyPatch, django_assert_num_queries
) -> None:
    add_product("MUG")
    use(monkeypatch, FlatRate({"*": Decimal("4.90")}, days=3), Pickup())

    with django_assert_num_queries(1):
        asked(counted_address="192.0.2.1")
