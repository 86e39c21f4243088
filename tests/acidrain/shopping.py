"""Attacks at the checkout: the last unit, a cart that changes, an order that is sent twice."""

import json
from collections.abc import Sequence
from decimal import Decimal
from functools import partial
from typing import Any

from orders.models import CartLine, OrderLine, Product, Stock
from tests.acidrain.attack import Attack, Race, Shop
from tests.acidrain.people import Answer, Browser, Shopper, clerk_at
from tests.concurrency.rush import order_body
from tests.factories import add_product, new_key


def order_by_api(url: str, sku: str, key: str) -> Answer:
    body = json.dumps(order_body((sku, 1))).encode()
    return Browser(url).send_json("/api/v1/orders", body, **{"Idempotency-Key": key})


def was_placed(answer: Answer) -> bool:
    return "/orders/" in answer.leads_to


def with_one_in_cart(shop: Shop, product: Product) -> tuple[Shopper, dict[str, Any]]:
    """Return a shopper with the checkout open, and its form."""
    shopper = Shopper(shop.url)
    shopper.add(product.sku)
    return shopper, shopper.open_form("/checkout/")


# ── The last unit, by three people ──────────────────────────────────────────────────────────────
def last_unit(shop: Shop, number: int) -> Race:
    """By two pages and the API, or a page and two programs."""
    product = add_product(f"LAST-{number}", stock=1)
    by_api = [partial(order_by_api, shop.url, product.sku, new_key()) for _program in range(2)]
    pages = [with_one_in_cart(shop, product) for _shopper in range(1 + number % 2)]
    by_page = [partial(shopper.order, form) for shopper, form in pages]
    return Race([*by_page, *by_api][:3], partial(_sold_wrongly, product))


def _sold_wrongly(product: Product, answers: Sequence[Answer]) -> str:
    sold = OrderLine.objects.filter(product=product).count()
    left = Stock.objects.get(product=product).available
    told = sum(map(was_placed, answers))
    if (sold, left, told) == (1, 0, 1):
        return ""
    return f"{product.sku}: sold {sold} times, {left} left, {told} were told yes"


# ── A cart that changes during the checkout ─────────────────────────────────────────────────────
def changing_cart(shop: Shop, number: int) -> Race:
    """One tab sends the form, another adds a product, and the shop raises the price."""
    tea = add_product(f"TEA-{number}", price="5.00")
    mug = add_product(f"MUG-{number}", price="3.00")
    shopper, form = with_one_in_cart(shop, tea)
    clerk = clerk_at(shop.url)
    page = f"/admin/orders/product/{tea.pk}/change/"
    raised = clerk.open_form(page) | {"price": "6.00"}
    steps = [
        partial(shopper.order, form),
        partial(shopper.add, mug.sku),
        partial(clerk.post, page, **raised),
    ]
    return Race(steps, partial(_not_as_shown, tea, mug))


def _not_as_shown(shown: Product, added: Product, answers: Sequence[Answer]) -> str:
    """The order is what the form showed, or there is none; the cart holds the rest."""
    lines = OrderLine.objects.filter(product__in=[shown, added])
    ordered = list(lines.values_list("sku", "quantity", "unit_price", "order__total"))
    rows = CartLine.objects.filter(sku__in=[shown.sku, added.sku])
    cart = dict(rows.values_list("sku", "quantity"))
    price = Decimal("5.00")
    if was_placed(answers[0]):
        right = [(shown.sku, 1, price, price)], {added.sku: 1}
    else:
        right = [], {shown.sku: 1, added.sku: 1}
    return "" if (ordered, cart) == right else f"ordered {ordered}, left {cart}, not {right}"


# ── The same order twice ────────────────────────────────────────────────────────────────────────
def repeated(shop: Shop, number: int) -> Race:
    """A double click, or a program that repeats its request at once."""
    product = add_product(f"TWICE-{number}", stock=9)
    if number % 2:
        send = partial(order_by_api, shop.url, product.sku, new_key())
    else:
        shopper, form = with_one_in_cart(shop, product)
        send = partial(shopper.order, form)
    return Race([send, send], partial(_placed_twice, product))


def _placed_twice(product: Product, answers: Sequence[Answer]) -> str:
    orders = [str(pk) for pk in product.order_lines.values_list("order", flat=True)]
    left = Stock.objects.get(product=product).available
    told = {answer.leads_to.strip("/").rpartition("/")[2] or _id(answer) for answer in answers}
    if (len(orders), left) == (1, 8) and told == set(orders):
        return ""
    return f"{product.sku}: orders {orders}, {left} left, answered were {told}"


def _id(answer: Answer) -> str:
    return answer.json["id"] if answer.status == 200 else answer.summary


ATTACKS = (
    Attack(
        "the last unit twice",
        last_unit,
        constraints=((Stock, "stock_available_is_not_negative"),),
    ),
    Attack("the cart and a price changed in the checkout", changing_cart),
    Attack("the same order twice", repeated),
)
