"""What a list of products is asked for: words, order, category, price, stock."""

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import F, Q, QuerySet, TextChoices
from django.db.models.expressions import OrderBy
from django.utils.translation import gettext_lazy as _

from orders.models import Category, Product
from orders.models.product import IS_SOLD, ON_SALE


class Sort(TextChoices):
    """The orders of a list. Without words the most relevant are by name."""

    RELEVANCE = "relevance", _("Best match")
    BEST = "best", _("Best-selling")
    NEWEST = "newest", _("Newest")
    PRICE = "price", _("Price: low to high")
    PRICE_DOWN = "-price", _("Price: high to low")


BY_NAME = "name"
KEYS = {
    Sort.RELEVANCE: ("-score", "-sold", "-pk"),
    Sort.BEST: ("-popularity__units", "-popularity__product_id"),
    Sort.NEWEST: ("-created_at", "-pk"),
    Sort.PRICE: ("price", "pk"),
    Sort.PRICE_DOWN: ("-price", "-pk"),
    BY_NAME: ("name", "pk"),
}
"""The columns of each order. All go in one direction, and the last one is unique."""


@dataclass(frozen=True)
class Filters:
    """What the products of a list have in common, and their order."""

    search: str = ""
    """Cleaned (`clean_search`)."""
    sort: Sort = Sort.RELEVANCE
    category: Category | None = None
    least: Decimal | None = None
    most: Decimal | None = None
    """The price's bounds, both included."""
    in_stock: bool = False

    @property
    def order(self) -> str:
        """The key of `KEYS`."""
        return BY_NAME if self.sort == Sort.RELEVANCE and not self.search else self.sort

    @property
    def are_narrow(self) -> bool:
        """True if anything but the words leaves products out."""
        return bool(
            self.category or self.least is not None or self.most is not None or self.in_stock
        )

    def apply(self, products: QuerySet[Product]) -> QuerySet[Product]:
        """Return the products that the filters leave, not those of the words.

        A parent is left if one of its variants is: its own price and stock aren't sold.
        """
        if self.category is not None:
            products = products.filter(category=self.category)
        sold = Q()
        if self.least is not None:
            sold &= Q(price__gte=self.least)
        if self.most is not None:
            sold &= Q(price__lte=self.most)
        if self.in_stock:
            sold &= Q(stock__available__gt=0)
        if sold:
            variants = Product.objects.filter(ON_SALE, sold, variant_of__isnull=False)
            parents = Q(pk__in=variants.order_by().values("variant_of"))
            products = products.filter((IS_SOLD & sold) | parents)
        return products


def ordering(order: str, *, backwards: bool = False) -> list[OrderBy]:
    """Return the terms of this order for `order_by`."""
    return [
        OrderBy(F(name.lstrip("-")), descending=name.startswith("-") != backwards)
        for name in KEYS[order]
    ]
