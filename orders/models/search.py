"""What the search reads besides the products: words for its spelling, and what sells well."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.utils.translation import gettext_lazy as _

from orders.models.product import Product


class SearchWord(models.Model):
    """A word of the products on sale, from which typing mistakes are corrected.

    `orders.catalogue.search.vocabulary` counts them. Losing the table loses corrections only.
    """

    word = models.CharField(_("word"), max_length=30, primary_key=True)
    products = models.PositiveIntegerField(_("products"))
    """The number of names of products and categories that have it."""
    near = ArrayField(models.TextField(), editable=False)
    """What is left of it without one or two letters (`orders.catalogue.search.spelling.rests`)."""

    class Meta:
        verbose_name = _("word of the search")
        verbose_name_plural = _("words of the search")
        indexes = [GinIndex(fields=["near"], name="search_word_near", fastupdate=False)]

    def __str__(self) -> str:
        return self.word


class Popularity(models.Model):
    """A product's units sold, as lists are sorted by them: a copy of `ProductSales.units`.

    The counter itself has no index on its units, because each order would have to write it.
    A sweep takes over what changed (`orders.catalogue.search.popularity`).
    """

    product = models.OneToOneField(
        Product,
        models.CASCADE,
        primary_key=True,
        related_name="popularity",
        verbose_name=_("product"),
    )
    units = models.BigIntegerField(_("units sold"), default=0, db_default=0)

    class Meta:
        verbose_name = _("popularity")
        verbose_name_plural = _("popularity")
        indexes = [models.Index(fields=["units", "product"], name="popularity_units")]

    def __str__(self) -> str:
        return f"{self.product_id}: {self.units}"
