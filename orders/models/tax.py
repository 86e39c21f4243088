"""Tax: the classes of products, and the rate of each class in each country."""

from decimal import Decimal

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from project.text import isolate


class TaxClass(models.Model):
    """Products with a rate of their own, such as books. One without a class has the usual rate."""

    name = models.CharField(_("name"), max_length=100, unique=True)

    class Meta:
        verbose_name = _("tax class")
        verbose_name_plural = _("tax classes")
        ordering = ["name"]

    def __str__(self) -> str:
        return isolate(self.name)


class TaxRate(models.Model):
    """The percentage of tax that the prices of a class include, in one country.

    Which row counts for a product is said by `orders.taxes.rates`.
    """

    tax_class = models.ForeignKey(
        TaxClass,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="rates",
        verbose_name=_("tax class"),
        db_index=False,  # the unique constraint's index has it
        help_text=_("Empty: of all products without a rate of their own there."),
    )
    country = models.CharField(_("country"), max_length=2)
    """ISO 3166-1 alpha-2: where the goods go, or the shop's for a pickup."""
    rate = models.DecimalField(
        _("tax rate (%)"),
        max_digits=5,
        decimal_places=3,
        validators=[MinValueValidator(Decimal(0)), MaxValueValidator(Decimal("99.999"))],
    )

    class Meta:
        verbose_name = _("tax rate")
        verbose_name_plural = _("tax rates")
        ordering = ["country", "tax_class"]
        constraints = [
            models.UniqueConstraint(
                fields=["country", "tax_class"],
                name="one_tax_rate_per_country_and_class",
                nulls_distinct=False,
                violation_error_message=_("There is a rate of this class in this country already."),
            ),
            models.CheckConstraint(
                condition=Q(rate__gte=0, rate__lt=100), name="tax_rate_is_a_percentage"
            ),
            models.CheckConstraint(
                condition=Q(country__regex="^[A-Z]{2}$"), name="tax_rate_has_a_country"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.country} {self.rate.normalize():f} %"
