"""What is ordered: the products of the scratch database, and baskets of them."""

import secrets
from dataclasses import dataclass
from decimal import Decimal

from orders.models import Category, Order, Product, ProductSales, Stock
from orders.placing.request import OrderRequest, RequestedLine

PRODUCTS = 1000
SHOPPERS = 10_000
UNITS = 10**8
SPREAD, HOT = "spread", "hot"


@dataclass(frozen=True)
class Basket:
    """What each order has: so many products, of all at random or always the same ones."""

    products: str
    """SPREAD or HOT."""
    lines: int = 1

    @property
    def name(self) -> str:
        """The basket as ratios and plots call it."""
        return f"{self.products} baskets" if self.lines > 1 else self.products

    def skus(self) -> list[str]:
        """Return the SKUs of one order, in any order."""
        among = self.lines if self.products == HOT else PRODUCTS
        numbers = secrets.SystemRandom().sample(range(among), self.lines)
        return [f"bench-{number}" for number in numbers]

    def request(self) -> OrderRequest:
        """Return a new order of one of the shoppers."""
        shopper = secrets.randbelow(SHOPPERS)
        return OrderRequest(
            source=Order.Source.API,
            key=secrets.token_urlsafe(24),
            name="Ada Lovelace",
            email=f"ada{shopper}@example.org",
            phone=f"+493012{shopper:04}",
            counted_address=f"2001:db8:0:{shopper:x}::/64",
            session_key=f"session-{shopper}",
            lines=tuple(RequestedLine(sku, 1) for sku in self.skus()),
        )


SPREAD_ONE, HOT_ONE = Basket(SPREAD), Basket(HOT)
SPREAD_BASKET, HOT_BASKET = Basket(SPREAD, lines=5), Basket(HOT, lines=5)
BASKETS = (SPREAD_ONE, HOT_ONE, SPREAD_BASKET, HOT_BASKET)


def create_products() -> None:
    """Fill the shop's catalogue: each product has more units than a benchmark can order."""
    category = Category.objects.create(name="Bench", slug="bench")
    products = Product.objects.bulk_create(
        Product(
            sku=f"bench-{number}",
            slug=f"bench-{number}",
            name=f"Bench {number}",
            category=category,
            price=Decimal("9.90"),
        )
        for number in range(PRODUCTS)
    )
    Stock.objects.bulk_create(
        Stock(product=product, initial=UNITS, available=UNITS) for product in products
    )
    ProductSales.objects.bulk_create(ProductSales(product=product) for product in products)
