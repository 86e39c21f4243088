"""The catalogue: categories, products, and their pictures and videos."""

from dataclasses import dataclass
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now, Upper
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from media_jobs.display import is_made
from media_jobs.models import Asset
from orders.models.tax import TaxClass
from orders.models.translated import Translated
from orders.models.words import ProductWords, ShopWords, TranslatedNames, TranslatedWords
from project.text import isolate

ON_SALE = Q(is_active=True)
TRANSLATED = ON_SALE & ~Q(texts={})
IS_LISTED = Q(variant_of=None)
"""What lists show: products, not their variants."""
LISTED = ON_SALE & IS_LISTED
ORDERABLE = ON_SALE & (IS_LISTED | Q(variant_of__is_active=True))
"""What is on sale, variants and parents among it: a variant is while its parent is."""
IS_PARENT = Q(variant_of=None) & ~Q(options=[])
IS_SOLD = Q(variant_of__isnull=False) | Q(options=[])
"""What can be ordered: variants, and products without any."""


class Category(Translated):
    name = models.CharField(_("name"), max_length=100, unique=True)
    slug = models.SlugField(_("slug"), max_length=100, unique=True)
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("category")
        verbose_name_plural = _("categories")
        ordering = ["position", "name"]

    def __str__(self) -> str:
        return isolate(self.name)


class Product(Translated):
    """A product. Its price includes tax. Its stock and sales are separate rows.

    A variant is a product of its own, with SKU, price, stock and pictures, of another one: its
    parent, which has `options` and isn't sold itself (docs/variants.md).
    """

    class Personalisation(models.TextChoices):
        """The kind of upload that the product is personalised with."""

        NONE = "none", _("Nothing")
        PICTURE = "picture", _("A picture")
        VIDEO = "video", _("A video")
        EITHER = "either", _("A picture or a video")

    sku = models.CharField(_("SKU"), max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=200)
    slug = models.SlugField(_("slug"), max_length=200, unique=True)
    category = models.ForeignKey(
        Category, models.PROTECT, related_name="products", verbose_name=_("category")
    )
    description = models.TextField(_("description"), blank=True)
    price = models.DecimalField(_("price"), max_digits=10, decimal_places=2)
    is_active = models.BooleanField(_("on sale"), default=True)
    personalisation = models.CharField(
        _("asks the shopper for"),
        max_length=7,
        choices=Personalisation,
        default=Personalisation.NONE,
        db_default="none",
    )
    requires_upload = models.BooleanField(
        _("not to be had without"), default=False, db_default=False
    )
    low_stock = models.PositiveIntegerField(_("low stock"), null=True, blank=True)
    """The staff are notified when the stock falls to this many units; None: `LOW_STOCK_UNITS`."""
    shelf = models.CharField(_("shelf"), max_length=40, blank=True, default="", db_default="")
    """Where it lies in the store. Pick lists are in this order."""
    weight = models.PositiveIntegerField(_("weight (g)"), null=True, blank=True)
    """Grams of one unit, as it is sent; None: `DELIVERY_UNKNOWN_WEIGHT`."""
    tax_class = models.ForeignKey(
        TaxClass,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="products",
        verbose_name=_("tax class"),
        db_index=False,  # a partial one, below: most products have the usual rate
    )
    """None: its price includes the usual rate."""
    variant_of = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="variants",
        verbose_name=_("variant of"),
        db_index=False,  # the unique constraint's index begins with it
    )
    options = ArrayField(
        models.CharField(max_length=60),
        verbose_name=_("options"),
        default=list,
        db_default=[],
        blank=True,
    )
    """A parent's: what is chosen (Size, Colour). A variant's: what it is, in the same order. Empty:
    the product has no variants."""
    position = models.PositiveSmallIntegerField(_("position"), default=0, db_default=0)
    """A variant's place among the parent's."""
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("product")
        verbose_name_plural = _("products")
        ordering = ["name"]
        # The shop's search, and the orders of its lists, of what is on sale (docs/search.md).
        indexes = [
            GinIndex(ProductWords(), name="product_words", condition=ON_SALE, fastupdate=False),
            GinIndex(
                ShopWords("name"), name="product_name_words", condition=ON_SALE, fastupdate=False
            ),
            models.Index(
                OpClass(Upper("sku"), name="text_pattern_ops"),
                name="product_sku_beginning",
                condition=ON_SALE,
            ),
            models.Index(fields=["name", "id"], name="product_by_name", condition=ON_SALE),
            models.Index(fields=["price", "id"], name="product_by_price", condition=ON_SALE),
            models.Index(fields=["created_at", "id"], name="product_by_age", condition=ON_SALE),
            models.Index(
                fields=["category", "name", "id"], name="product_of_category", condition=ON_SALE
            ),
            models.Index(
                fields=["tax_class"],
                name="product_of_tax_class",
                condition=Q(tax_class__isnull=False),
            ),
            GinIndex(
                TranslatedWords(), name="product_translated", condition=TRANSLATED, fastupdate=False
            ),
            GinIndex(
                TranslatedNames(), name="product_names", condition=TRANSLATED, fastupdate=False
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(price__gte=0), name="product_price_is_not_negative"
            ),
            models.CheckConstraint(
                condition=models.Q(requires_upload=False) | ~models.Q(personalisation="none"),
                name="product_requires_what_it_asks_for",
                violation_error_message=_("Say first what the product asks the shopper for."),
            ),
            models.UniqueConstraint(
                fields=["variant_of", "options"],
                condition=Q(variant_of__isnull=False),
                name="variant_differs_by_its_options",
                violation_error_message=_("Another variant has these options."),
            ),
            models.CheckConstraint(
                condition=Q(variant_of=None) | ~Q(options=[]), name="variant_has_options"
            ),
            models.CheckConstraint(
                condition=Q(variant_of=None) | ~Q(variant_of=models.F("id")),
                name="variant_of_another_product",
            ),
        ]

    def __str__(self) -> str:
        return isolate(self.name)

    def get_absolute_url(self) -> str:
        """Return the product's page. A variant's address leads to its parent's."""
        return reverse("product", args=[self.slug])

    @property
    def is_parent(self) -> bool:
        """Return True if the product is sold only as one of its variants."""
        return self.variant_of_id is None and bool(self.options)

    @property
    def shown_name(self) -> str:
        """The name in the reader's language, else in the shop's own."""
        return str(self.text("name"))

    @property
    def shown_media(self) -> "list[ShownMedium]":
        """The media as pages show them: of `products_on_sale`, else those prefetched."""
        rows = self.__dict__.get("media_rows")
        if rows is None:
            return [ShownMedium(medium, medium.shown) for medium in self.media.all()]
        # Variants may have the same picture: their parent shows it once.
        found: dict[int, dict[str, Any]] = {}
        for place, row in enumerate(map(dict, rows)):
            asset = row.pop("asset")
            found.setdefault(asset if self.is_parent else place, row)
        return [
            ShownMedium(ProductMedia(alt=row.pop("alt"), texts=row.pop("texts")), Asset(**row))
            for row in found.values()
        ]


class ProductMedia(Translated):
    """One picture or video of a product: the original is an asset, media jobs make its renditions.

    Pages show the replacement once its renditions exist. Until then, or if they fail, pages show
    the asset.
    """

    product = models.ForeignKey(
        Product, models.CASCADE, related_name="media", verbose_name=_("product")
    )
    asset = models.ForeignKey(
        Asset, models.PROTECT, related_name="product_media", verbose_name=_("asset")
    )
    replacement = models.ForeignKey(
        Asset,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="replacing_media",
        verbose_name=_("replacement"),
    )
    alt = models.CharField(_("alternative text"), max_length=200, blank=True)
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("picture or video")
        verbose_name_plural = _("pictures and videos")
        ordering = ["position", "pk"]

    def __str__(self) -> str:
        return self.alt or str(self.newest)

    @property
    def newest(self) -> Asset:
        """The asset that was uploaded last, with or without renditions."""
        return self.replacement or self.asset

    @property
    def shown(self) -> Asset:
        """The asset that pages show. It reads both (`PREFETCH_MEDIA`)."""
        if self.replacement is not None and is_made(self.replacement):
            return self.replacement
        return self.asset


@dataclass(frozen=True)
class ShownMedium:
    """One picture or video as pages show it."""

    medium: ProductMedia
    """Its texts; no row that could be saved."""
    shown: Asset

    @property
    def alt(self) -> str:
        """The alternative text in the reader's language, else in the shop's own."""
        return str(self.medium.text("alt"))

    @property
    def alt_lang(self) -> str:
        """The language of `alt` if it isn't the reader's."""
        return self.medium.foreign_language("alt")


PREFETCH_MEDIA = ("media__asset", "media__replacement")
"""The prefetches that let pages show the media of other rows' products. A list of products has them
in its own query (`orders.catalogue.browsing`)."""
