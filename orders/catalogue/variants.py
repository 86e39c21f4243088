"""Variants: products of their own that differ from their parent in its options, such as the size.

Desk, import and demo call it. A variant has its parent's category, and its name is the parent's
with its options: "T-shirt, M, red". So cart, order and messages need to know nothing of variants.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Min
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import override, pgettext

from orders.catalogue.products import create_product
from orders.models import Product
from orders.models.product import ON_SALE
from orders.models.translated import other_languages, with_text

MOST_OPTIONS = 4
LONGEST_NAME = 200


class VariantError(ValueError):
    """The product can't be a parent or a variant like this; the text says why. Nothing changed."""


def make_parent(product_id: int, options: Sequence[str]) -> None:
    """Let the product be sold as variants that differ in these options, such as Size and Colour.

    Without options it is sold itself again. Raises VariantError: for a variant, while it has
    variants with another number of options, for an option that is there twice.
    """
    with transaction.atomic():
        product = _locked(product_id)
        check_parent(product, options)
        Product.objects.filter(pk=product.pk).update(options=list(options))


def check_parent(product: Product, options: Sequence[str]) -> None:
    """Raise VariantError if the product can't be sold as variants with these options."""
    if product.variant_of_id is not None:
        if options:
            raise VariantError(_("It is a variant itself, so it can't have any."))
        return
    if len(options) > MOST_OPTIONS:
        text = _("A product has at most %(most)d options to choose.")
        raise VariantError(text % {"most": MOST_OPTIONS})
    if len({option.casefold() for option in options}) < len(options):
        raise VariantError(_("Each option needs a name of its own."))
    if len(options) != len(product.options) and product.pk and product.variants.exists():
        raise VariantError(
            _("It has variants with %(count)d options. Delete them first, or only rename options.")
            % {"count": len(product.options)}
        )


def check_variant(parent: Product, options: Sequence[str], *, pk: int | None = None) -> None:
    """Raise VariantError if the parent can't have a variant (`pk`, if it exists) like this."""
    if parent.variant_of_id is not None:
        raise VariantError(_("“%(sku)s” is a variant itself.") % {"sku": parent.sku})
    if not parent.options:
        raise VariantError(
            _("“%(sku)s” has no options. Say first what is chosen: Size | Colour")
            % {"sku": parent.sku}
        )
    if len(options) != len(parent.options) or not all(options):
        raise VariantError(
            _("It needs a value for each of: %(names)s") % {"names": " | ".join(parent.options)}
        )
    if parent.pk and parent.variants.exclude(pk=pk or 0).filter(options=list(options)).exists():
        raise VariantError(_("Another variant has these options."))


def create_variant(
    *,
    parent_id: int,
    options: Sequence[str],
    sku: str,
    price: Decimal,
    stock: int = 0,
    position: int = 0,
    is_active: bool = True,
    slug: str = "",
    texts: dict[str, dict[str, Any]] | None = None,
    **fields: Any,
) -> Product:
    """Create a variant of the parent with its counters; `options` in the parent's order.

    What isn't given (weight, tax class, what it asks the shopper for) is the parent's. Raises
    VariantError, and IntegrityError if the SKU or the slug is taken.
    """
    with transaction.atomic():
        parent = _locked(parent_id)
        check_variant(parent, options)
        inherited = {
            name: getattr(parent, name)
            for name in ("weight", "tax_class", "personalisation", "requires_upload", "low_stock")
            if fields.get(name) is None
        }
        variant = create_product(
            sku=sku,
            name=full_name(parent, list(options)),
            slug=slug or slugify(f"{parent.slug[:100]}-{sku}"),
            category=parent.category,
            price=price,
            stock=stock,
            is_active=is_active,
            variant_of=parent,
            options=options,
            position=position,
            texts=texts,
            **(fields | inherited),
        )
        keep_variants(parent.pk)
    variant.refresh_from_db()
    return variant


def keep_variants(parent_id: int) -> None:
    """Give the variants the parent's category and name, and the parent their lowest price.

    It changes only what differs, so it may be called after any change of a parent or a variant.
    """
    parent = Product.objects.filter(pk=parent_id, variant_of=None).first()
    if parent is None or not parent.options:
        return
    for variant in parent.variants.order_by("pk"):
        wanted = {
            "name": full_name(parent, variant.options),
            "category_id": parent.category_id,
            "texts": _named(parent, variant),
        }
        changed = {name: new for name, new in wanted.items() if getattr(variant, name) != new}
        if changed:
            Product.objects.filter(pk=variant.pk).update(**changed)
    keep_lowest_price(parent_id)


def keep_lowest_price(parent_id: int) -> None:
    """Set the parent's price to the lowest of its variants on sale: lists are sorted by it."""
    lowest = Product.objects.filter(ON_SALE, variant_of=parent_id).aggregate(least=Min("price"))
    if lowest["least"] is not None:
        Product.objects.filter(pk=parent_id).exclude(price=lowest["least"]).update(
            price=lowest["least"]
        )


def full_name(parent: Product, options: Iterable[str], language: str | None = None) -> str:
    """Return the name of the parent's variant with these options, in the language."""
    language = language or settings.LANGUAGE_CODE
    with override(language):
        between = pgettext("between a product's name and its options", ", ")
    return between.join([str(parent.text("name", language)), *options])[:LONGEST_NAME]


def _named(parent: Product, variant: Product) -> dict[str, dict[str, Any]]:
    """Return the variant's translations with its name in each language that has a part of it."""
    texts = variant.texts
    for language, _name in other_languages():
        is_translated = parent.translated("name", language) or variant.translated(
            "options", language
        )
        options = variant.text("options", language)
        name = full_name(parent, options, language) if is_translated else ""
        texts = with_text(texts, language, name=name)
    return texts


def _locked(product_id: int) -> Product:
    """Lock the product until the commit: two variants with the same options come one by one."""
    return Product.objects.select_for_update(no_key=True).get(pk=product_id)
