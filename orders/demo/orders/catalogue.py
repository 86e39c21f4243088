"""The products of demo orders: a few that everybody buys, and a long tail."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from random import Random

from django.db import transaction
from django.db.backends.utils import CursorWrapper

from orders.catalogue.products import create_product
from orders.demo.orders.copying import Copied
from orders.demo.orders.names import words
from orders.demo.orders.silence import take_back
from orders.demo.orders.weighted import Weighted
from orders.models import Category, Product, StockMovement
from project.database.arrays import array_literal

MATERIALS = words(
    "Oak Walnut Beech Ash Bamboo Cork Linen Cotton Wool Felt Leather Canvas Steel Copper"
    " Brass Iron Glass Stoneware Porcelain Enamel"
)
THINGS = {
    "Tableware": "bowl plate cup jug platter carafe teapot",
    "Cooking": "pan pot ladle spatula grater mortar sieve",
    "Baking": "tin mould rolling-pin whisk scraper rack",
    "Storage": "box jar basket crate tray canister",
    "Writing": "pen notebook folder ruler pencil-case blotter",
    "Lighting": "lamp lantern candlestick shade torch",
    "Bath": "brush towel soap-dish bath-mat mirror",
    "Bedroom": "blanket cushion pillowcase throw robe",
    "Garden": "trowel planter watering-can bird-feeder bench",
    "Bags": "backpack tote satchel pouch wallet",
    "Toys": "puzzle spinning-top kite train blocks",
    "Hallway": "hook umbrella-stand doormat shoehorn key-rack",
}
SIZES = ("", ", small", ", large", ", set of two", ", natural", ", blue", ", green", ", dark")
LINES_OF = Weighted((1, 2, 3, 4, 5, 6), (18, 24, 24, 16, 11, 7))
"""How many of a hundred orders have one line, at most two, … six: three on average."""
QUANTITIES = Weighted((1, 2, 3, 4, 5, 6), (74, 17, 5, 2, 1, 1))
"""How many of a hundred lines have one unit, at most two, … six."""


@dataclass(slots=True)
class Goods:
    """A demo product."""

    id: int
    sku: str
    name: str
    price: Decimal
    entries: dict[int, str] = field(default_factory=dict)
    """Its line of a job's context by quantity, as JSON: see `contexts`."""
    shown: dict[tuple[int, str], tuple[str, ...]] = field(default_factory=dict)
    """What messages show of its line, by quantity and language: see `rows.messages`."""


class Catalogue:
    """The products of a fill, the hottest first."""

    def __init__(self, goods: list[Goods]) -> None:
        weights = [1 / (rank + 2.5) ** 0.85 for rank in range(len(goods))]
        self.goods = Weighted(goods, weights)

    def choose(self, random: Random) -> list[tuple[Goods, int]]:
        """Return the lines of an order: different products with their quantities."""
        wanted = LINES_OF.draw(random)
        drawn = [self.goods.draw(random) for _more in range(wanted + 2)]
        chosen = list({goods.id: goods for goods in drawn}.values())[:wanted]
        # In this order there are few shapes of messages to render: see `wording`.
        quantities = sorted([QUANTITIES.draw(random) for _line in chosen])
        return list(zip(chosen, quantities, strict=True))


def skus(*, orders: int, seed: int) -> list[str]:
    """Return the SKUs of the products that such a fill makes."""
    return [f"DEMO-{seed}-{rank:04}" for rank in range(min(2000, max(24, orders // 100)))]


def category_slug(name: str, seed: int) -> str:
    return f"demo-{seed}-{name.lower()}"


def create(*, orders: int, seed: int) -> Catalogue:
    """Create categories and products. They are off sale, so that nobody waits for their rows."""
    random = Random(f"{seed}/catalogue")
    kinds = [
        (category, thing.replace("-", " "), material, size)
        for category, things in THINGS.items()
        for thing in things.split()
        for material in MATERIALS
        for size in SIZES
    ]
    random.shuffle(kinds)
    wanted = skus(orders=orders, seed=seed)
    goods = []
    with transaction.atomic(durable=True):  # `take_back` knows by its begin what it told
        categories = {
            name: Category.objects.create(
                name=f"{name} (demo)", slug=category_slug(name, seed), position=100 + position
            )
            for position, name in enumerate(THINGS)
        }
        for sku, (category, thing, material, size) in zip(wanted, kinds, strict=False):
            price = Decimal(random.choice((490, 890, 1250, 1490, 1990, 2450, 3900, 5900, 12900)))
            product = create_product(
                sku=sku,
                name=f"{material} {thing}{size}",
                slug=sku.lower(),
                category=categories[category],
                price=(price + random.randrange(20) * 10).scaleb(-2),
                description=f"{material} {thing}{size}, made by hand.",
                is_active=False,
                stock=random.randrange(20, 80),
            )
            goods.append(Goods(product.pk, sku, product.name, product.price))
        take_back(skus=wanted)
    return Catalogue(goods)


def put_on_sale(*, orders: int, seed: int) -> None:
    """Put the products on sale, all but every twentieth: those have had their day."""
    wanted = [sku for rank, sku in enumerate(skus(orders=orders, seed=seed)) if rank % 20 != 19]
    with transaction.atomic(durable=True):
        Product.objects.filter(sku__in=wanted).update(is_active=True)
        take_back(skus=wanted)


def deliver_stock(cursor: CursorWrapper, units: Mapping[int, int], at: datetime) -> None:
    """Enter the delivery of these units by product, as the desk does: by corrections."""
    _CORRECTIONS.write(
        cursor,
        ((product, "correction", count, "Delivery", at) for product, count in units.items()),
    )


def move_stock(cursor: CursorWrapper, units: Mapping[int, int]) -> None:
    """Add the units by product to the counters, with the rows locked in product order."""
    ids = sorted(units)
    cursor.execute(
        """
        WITH locked AS MATERIALIZED (
            SELECT product_id FROM orders_stock WHERE product_id = ANY(%(ids)s::bigint[])
            ORDER BY product_id FOR NO KEY UPDATE
        )
        UPDATE orders_stock AS stock SET available = available + moved.units
        FROM unnest(%(ids)s::bigint[], %(units)s::integer[]) AS moved (product_id, units)
        JOIN locked USING (product_id)
        WHERE stock.product_id = moved.product_id
        """,
        {"ids": array_literal(ids), "units": array_literal(units[one] for one in ids)},
    )


_CORRECTIONS = Copied(StockMovement, ("product_id", "kind", "quantity", "reason", "created_at"))
