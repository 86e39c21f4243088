"""What the products' list is exported as: the table that an import reads, or the sales."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from orders.desk.translations import BETWEEN
from orders.imports.pictures import BY_CONTENT
from orders.imports.rows import MAX_PICTURES
from orders.models import Product
from orders.models.translated import other_languages
from project.desk.sheets import Column, Sheet, column


def _plain(products: QuerySet[Product]) -> QuerySet[Product]:
    return products.prefetch_related(None).select_related(
        "category", "tax_class", "stock", "sales", "variant_of"
    )


def _with_pictures(products: QuerySet[Product]) -> QuerySet[Product]:
    return _plain(products).prefetch_related("media__asset")


def _on_sale(product: Any) -> bool:
    return bool(product.is_active)


def _tax_class(product: Any) -> str:
    return product.tax_class.name if product.tax_class else ""


def _pictures(product: Any) -> str:
    """Return the pictures by their content, which an import finds again, as many as it takes."""
    media = list(product.media.all())[:MAX_PICTURES]
    return BETWEEN.join(f"{BY_CONTENT}{each.asset.sha256}" for each in media)


def _alts(code: str = "") -> Callable[[Any], str]:
    """Return the value of the column of alternative texts, or of their translations."""

    def value(product: Any) -> str:
        media = list(product.media.all())[:MAX_PICTURES]
        texts = [(each.translated("alt", code) if code else each.alt) or "" for each in media]
        # One that has the column's separator is left to the page: an import keeps what is there.
        said = ["" if "|" in text else text for text in texts]
        return BETWEEN.join(said) if any(said) else ""

    return value


def _translation(name: str, title: Any, code: str, *, of_category: bool = False) -> Column:
    """Return the column of a text's translation: “name zh-hans”."""

    def value(product: Any) -> str:
        row = product.category if of_category else product
        text = row.translated(name, code) or ""
        return BETWEEN.join(text) if isinstance(text, list) else text

    return Column(format_lazy("{} {}", title, code), value)


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
        Column(
            pgettext_lazy("import", "variant of"),
            lambda product: product.variant_of.sku if product.variant_of else "",
        ),
        Column(pgettext_lazy("import", "options"), lambda each: BETWEEN.join(each.options)),
        column(pgettext_lazy("import", "position"), "position"),
        Column(pgettext_lazy("import", "pictures"), _pictures),
        Column(pgettext_lazy("import", "alt"), _alts()),
        *(
            translation
            for code, _name in other_languages()
            for translation in (
                _translation("name", pgettext_lazy("import", "name"), code),
                _translation("description", pgettext_lazy("import", "description"), code),
                _translation("options", pgettext_lazy("import", "options"), code),
                _translation("name", pgettext_lazy("import", "category"), code, of_category=True),
                Column(format_lazy("{} {}", pgettext_lazy("import", "alt"), code), _alts(code)),
            )
        ),
    ),
    read=_with_pictures,
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
