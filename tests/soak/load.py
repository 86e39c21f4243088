"""The mixed load: shoppers by the API, page views, the desk's steps, restocking, new pictures.

Bounded: a few threads, each with a pause between what it does. A shopper who gets no clear
answer sends the same order again under the same key until there is one, as a good client does.
"""

import io
import random
import secrets
import threading
from collections.abc import Callable
from decimal import Decimal
from uuid import UUID, uuid4, uuid5

import httpx
from PIL import Image

from tests.live import LiveShop
from tests.soak.record import Purchase, Record, now

SHOPPERS = 4
MAX_WAIT = 120.0
"""Seconds after which a shopper gives up on an order that gets no clear answer."""
PRODUCTS = 20
HOT_STOCK = 40
CLEAR_ANSWERS = (200, 201, 409)
LANGUAGES = ("en", "zh-hans")


class Load:
    """All users of the shop. Django must be set up for the shop's database."""

    def __init__(self, shop: LiveShop, record: Record, *, seed: int) -> None:
        self._shop = shop
        self._record = record
        self._seed = seed
        self._ending = threading.Event()
        self._placed: list[UUID] = []
        self.hot, self.skus = _add_products(seed)
        bodies: list[tuple[str, Callable[[random.Random], None], float]] = [
            *[(f"shopper-{number}", self._shop_for_something, 1.5) for number in range(SHOPPERS)],
            ("reader", self._read_pages, 1.0),
            ("desk", self._take_a_step, 0.7),
            ("restocker", self._restock, 5.0),
            ("photographer", self._add_picture, 15.0),
        ]
        self._threads = [
            threading.Thread(target=self._live, name=name, args=(index, body, pause))
            for index, (name, body, pause) in enumerate(bodies)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Return when all users have finished their current step."""
        self._ending.set()
        for thread in self._threads:
            thread.join()

    def _live(self, index: int, body: Callable[[random.Random], None], pause: float) -> None:
        from django.db import connections

        dice = random.Random(self._seed * 100 + index)
        try:
            while not self._ending.wait(dice.expovariate(1 / pause)):
                body(dice)
        finally:
            connections.close_all()

    # ── Shoppers ────────────────────────────────────────────────────────────────────────────

    def _shop_for_something(self, dice: random.Random) -> None:
        wanted = dice.sample(self.skus, dice.randint(1, 3))
        if dice.random() < 0.5:
            wanted.append(self.hot)
        purchase = Purchase(key=secrets.token_urlsafe(24), body=_body(wanted, dice), begun=now())
        self._record.purchases.append(purchase)
        self._send_until_clear(purchase)
        if purchase.order_ids:
            self._placed += purchase.order_ids
            if dice.random() < 0.2:  # a second click
                self._send(purchase)

    def _send_until_clear(self, purchase: Purchase) -> None:
        while now() - purchase.begun < MAX_WAIT:
            if self._send(purchase) in CLEAR_ANSWERS or purchase.refusal:
                purchase.answered = now()
                return
            threading.Event().wait(0.5)

    def _send(self, purchase: Purchase) -> int:
        """POST the order and note the answer; return its status, 0 if there was none."""
        purchase.sent += 1
        try:
            answer = httpx.post(
                f"{self._shop.url}/api/v1/orders",
                json=purchase.body,
                headers={"Idempotency-Key": purchase.key},
                timeout=20,
                trust_env=False,
            )
        except httpx.TransportError:
            self._record.answers.append((now(), 0))
            return 0
        self._record.answers.append((now(), answer.status_code))
        if answer.status_code in (200, 201):
            purchase.order_ids.add(UUID(answer.json()["id"]))
        elif answer.status_code < 500:
            purchase.refusal = answer.json()["code"]
        return answer.status_code

    def _read_pages(self, dice: random.Random) -> None:
        paths = ["/", "/api/v1/products", f"/products/{dice.choice(self.skus).lower()}/"]
        if self._placed:
            paths.append(f"/orders/{dice.choice(self._placed)}/")
        try:
            answer = httpx.get(self._shop.url + dice.choice(paths), timeout=20, trust_env=False)
            self._record.pages[answer.status_code] += 1
        except httpx.TransportError:
            self._record.pages[0] += 1

    # ── The desk ────────────────────────────────────────────────────────────────────────────

    def _take_a_step(self, dice: random.Random) -> None:
        """Do one step of some order's life; what an outage interrupts is left to another time."""
        from django.db import Error

        from orders.lifecycle.errors import TransitionError
        from orders.placing.errors import PlacementError

        if not self._placed:
            return
        try:
            step = self._step(dice.choice(self._placed), dice)
        except TransitionError:
            step = "refused"
        except (Error, PlacementError):
            step = _interrupted()
        self._record.steps[step] += 1

    def _step(self, order_id: UUID, dice: random.Random) -> str:
        from orders.lifecycle import transitions
        from orders.models import Order

        order = Order.objects.get(pk=order_id)
        choice = dice.random()
        if choice < 0.1:
            transitions.cancel(order_id=order_id, reason="Out of season")
            return "cancelled"
        if choice < 0.2 and order.status != Order.Status.PLACED:
            line = order.lines.first()
            assert line is not None  # an order has lines
            transitions.refund(
                order_id=order_id,
                refund_id=uuid5(order_id, f"soak {line.sku}"),
                restock=dice.random() < 0.5,
                lines={line.sku: 1},
            )
            return "refunded"
        match order.status:
            case Order.Status.PLACED:
                transitions.pay(
                    order_id=order_id, method="transfer", reference="R", amount=order.total
                )
            case Order.Status.PAID:
                transitions.pack(order_id=order_id)
            case Order.Status.PACKED if order.address:
                transitions.ship(order_id=order_id, carrier="DHL", tracking_number="JD01")
            case Order.Status.PACKED | Order.Status.SHIPPED:
                transitions.deliver(order_id=order_id)
            case _:
                return "nothing to do"
        return f"one step on from {order.status}"

    def _restock(self, dice: random.Random) -> None:
        from django.db import Error

        from orders.catalogue.stock import correct_stock
        from orders.models import Product

        try:
            product = Product.objects.get(sku=self.hot)
            correct_stock(
                product_id=product.pk, delta=5, reason="Delivery", user_id=None, key=uuid4()
            )
            self._record.steps["restocked"] += 1
        except Error:
            self._record.steps[_interrupted()] += 1

    def _add_picture(self, dice: random.Random) -> None:
        from django.core.files.base import ContentFile
        from django.db import Error

        from media_jobs.assets import store_asset
        from orders.catalogue.products import add_media
        from orders.models import Product

        try:
            asset = store_asset(ContentFile(_photo(dice)), name="photo.jpg")
            add_media(product=Product.objects.get(sku=dice.choice(self.skus)), asset=asset)
            self._record.steps["picture added"] += 1
        except Error:
            self._record.steps[_interrupted()] += 1


def _interrupted() -> str:
    """Close this thread's connections, as a request does: the next step opens new ones."""
    from django.db import connections

    connections.close_all()
    return "interrupted"


def _add_products(seed: int) -> tuple[str, list[str]]:
    """Add the products; return the hot one's SKU and those of the others."""
    from orders.catalogue.products import create_product
    from orders.models import Category

    category = Category.objects.create(name=f"Soak {seed}", slug=f"soak-{seed}")
    stocks = {f"SOAK-HOT-{seed}": HOT_STOCK} | {
        f"SOAK-{seed}-{number}": 1_000_000 for number in range(PRODUCTS)
    }
    for sku, stock in stocks.items():
        create_product(
            sku=sku,
            name=sku.title(),
            slug=sku.lower(),
            category=category,
            price=Decimal("4.20"),
            stock=stock,
        )
    hot, *others = stocks
    return hot, others


def _body(skus: list[str], dice: random.Random) -> dict[str, object]:
    return {
        "name": "Ada Lovelace",
        "email": f"ada-{dice.randrange(10**9)}@example.org",
        "phone": f"+49151{dice.randrange(10**7, 10**8)}",
        "language": dice.choice(LANGUAGES),
        "lines": [{"sku": sku, "quantity": dice.randint(1, 2)} for sku in skus],
    }


def _photo(dice: random.Random) -> bytes:
    small = Image.frombytes("RGB", (16, 12), dice.randbytes(16 * 12 * 3))
    file = io.BytesIO()
    small.resize((800, 600), Image.Resampling.BICUBIC).save(file, "JPEG")
    return file.getvalue()
