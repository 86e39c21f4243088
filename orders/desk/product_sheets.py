"""What the products' list is exported as: the table that an import reads, or the sales."""

from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from orders.models import Product
from project.desk.sheets import Column, Sheet, column


def _plain(products: QuerySet[Product]) -> QuerySet[Product]:
    return products.prefetch_related(None).select_related("category", "tax_class", "stock", "sales")


def _on_sale(product: Any) -> bool:
    return bool(product.is_active)


def _tax_class(product: Any) -> str:
    return product.tax_class.name if product.tax_class else ""


PRODUCTS = Sheet(
    name="products",
    label=_("Products"),
    # `orders.imports.table` knows these names, in each language: the table comes back equal.
    columns=(
        column(pgettext_lazy("import", "sku"), "sku"),
        column(pgettext_lazy("import", "name"), "name"),
        column(pgettext_lazy("import", "category"), "category.name"),
        column(pgettext_lazy("import", "description"), "description"),
        column(pgettext_lazy("import", "price"), "price"),
        column(pgettext_lazy("import", "weight"), "weight"),
        Column(pgettext_lazy("import", "tax class"), _tax_class),
        column(pgettext_lazy("import", "stock"), "stock.available"),
        Column(pgettext_lazy("import", "on sale"), _on_sale),
    ),
    read=_plain,
)
SALES = Sheet(
    name="sales",
    label=_("Sales"),
    columns=(
        column(_("SKU"), "sku"),
        column(_("product"), "name"),
        column(_("category"), "category.name"),
        column(_("units sold"), "sales.units"),
        Column(_("currency"), lambda product: settings.SHOP_CURRENCY),
        column(_("amount"), "sales.amount"),
    ),
    read=_plain,
)
SHEETS = (PRODUCTS, SALES)
