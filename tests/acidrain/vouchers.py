"""An attack with a voucher: its only use, by a page and two programs."""

import json
from collections.abc import Sequence
from functools import partial

from orders.models import Order, Voucher
from tests.acidrain.attack import Attack, Race, Shop
from tests.acidrain.people import Answer, Browser
from tests.acidrain.shopping import was_placed, with_one_in_cart
from tests.concurrency.rush import order_body
from tests.factories import add_product, add_voucher, new_key


def used_at_once(shop: Shop, number: int) -> Race:
    voucher = add_voucher(code=f"ONCE-{number}", limit=1)
    sku = add_product(f"OFF-{number}", stock=9, price="10.00").sku
    by_api = [partial(_order_by_api, shop.url, sku, voucher.code, new_key()) for _ in range(2)]
    return Race([_by_page(shop, number, voucher.code), *by_api], partial(_used_twice, voucher))


def _order_by_api(url: str, sku: str, code: str, key: str) -> Answer:
    body = json.dumps(order_body((sku, 1), voucher=code)).encode()
    return Browser(url).send_json("/api/v1/orders", body, **{"Idempotency-Key": key})


def _by_page(shop: Shop, number: int, code: str) -> partial[Answer]:
    """Return the sending of a checkout in which the code was applied: its total is that one."""
    product = add_product(f"OFF-PAGE-{number}", stock=9, price="10.00")
    shopper, form = with_one_in_cart(shop, product)
    shopper.order(form | {"voucher": [code], "change": ["voucher"]})
    shown = shopper.open_form("/checkout/")
    assert shown["voucher"] == [code]
    return partial(shopper.order, shown)


def _used_twice(voucher: Voucher, answers: Sequence[Answer]) -> str:
    voucher.refresh_from_db()
    orders = Order.objects.filter(voucher_code=voucher.code).count()
    facts = voucher.used, voucher.uses.count(), orders, sum(map(was_placed, answers))
    return "" if facts == (1, 1, 1, 1) else f"{voucher.code}: used, uses, orders, yes: {facts}"


ATTACKS = (
    Attack(
        "a voucher twice",
        used_at_once,
        constraints=((Voucher, "voucher_is_used_within_its_limit"),),
    ),
)
