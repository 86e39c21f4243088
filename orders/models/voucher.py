"""Vouchers: codes that make an order cheaper, and the ledger of their uses."""

from decimal import Decimal
from typing import TypeAlias

from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from orders.models.product import Category

CODE_PATTERN = r"^[A-Z0-9-]{3,40}$"
"""Capital letters, digits and hyphens: what can be read out, and typed from paper."""


class VoucherKind(models.TextChoices):
    AMOUNT = "amount", pgettext_lazy("kind of voucher", "Amount")
    PERCENT = "percent", pgettext_lazy("kind of voucher", "Per cent")


class Voucher(models.Model):
    """A code. `used` is the counter of its ledger: the uses that weren't given back."""

    Kind: TypeAlias = VoucherKind

    code = models.CharField(
        _("code"),
        max_length=40,
        unique=True,
        validators=[
            RegexValidator(CODE_PATTERN, _("Use 3 to 40 capital letters, digits and hyphens."))
        ],
    )
    kind = models.CharField(_("kind"), max_length=7, choices=VoucherKind)
    value = models.DecimalField(
        _("value"),
        max_digits=12,
        decimal_places=2,
        validators=[MinValueValidator(Decimal("0.01"))],
        help_text=_("An amount with tax, or a percentage up to 100."),
    )
    category = models.ForeignKey(
        Category,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="vouchers",
        verbose_name=_("category"),
        help_text=_("Only its products get cheaper. Empty: all products."),
    )
    minimum = models.DecimalField(
        _("minimum"),
        max_digits=12,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal("0.01"))],
        help_text=_("So much the products that it is for must cost. Empty: any amount."),
    )
    starts_at = models.DateTimeField(_("from"), null=True, blank=True)
    ends_at = models.DateTimeField(_("until"), null=True, blank=True)
    limit = models.PositiveIntegerField(
        _("uses in all"), null=True, blank=True, validators=[MinValueValidator(1)]
    )
    limit_per_person = models.PositiveIntegerField(
        _("uses per person"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("A person is one e-mail address."),
    )
    is_active = models.BooleanField(_("active"), default=True, db_default=True)
    used = models.PositiveIntegerField(_("used"), default=0, db_default=0, editable=False)
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("voucher")
        verbose_name_plural = _("vouchers")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(code__regex=CODE_PATTERN),
                name="voucher_code_is_plain",
                violation_error_message=_("Use 3 to 40 capital letters, digits and hyphens."),
            ),
            models.CheckConstraint(
                condition=Q(kind="amount", value__gt=0)
                | Q(kind="percent", value__gt=0, value__lte=100),
                name="voucher_value_fits_its_kind",
                violation_error_message=_("A percentage is above 0 and at most 100."),
            ),
            models.CheckConstraint(
                condition=Q(limit__isnull=True) | Q(used__lte=F("limit")),
                name="voucher_is_used_within_its_limit",
                violation_error_message=_("It was used more often already."),
            ),
            models.CheckConstraint(
                condition=Q(starts_at__isnull=True)
                | Q(ends_at__isnull=True)
                | Q(starts_at__lt=F("ends_at")),
                name="voucher_begins_before_it_ends",
                violation_error_message=_("It must end after it begins."),
            ),
        ]

    def __str__(self) -> str:
        return self.code


class VoucherUse(models.Model):
    """One order's use of a voucher. It is given back, once, with the order's cancellation."""

    order_id = models.UUIDField(primary_key=True, editable=False)
    """An order uses one voucher. No foreign key: the order is written by the same statement's
    batch, and is never deleted."""
    voucher = models.ForeignKey(
        Voucher, models.PROTECT, related_name="uses", verbose_name=_("voucher"), db_index=False
    )
    person = models.CharField(max_length=64, editable=False)
    """HMAC-SHA-256 by SECRET_KEY of the mailbox: it counts uses, and names nobody."""
    amount = models.DecimalField(_("discount"), max_digits=14, decimal_places=2)
    used_at = models.DateTimeField(_("used"), db_default=Now())
    given_back_at = models.DateTimeField(_("given back"), null=True)

    class Meta:
        default_permissions = ("view",)
        verbose_name = _("use of a voucher")
        verbose_name_plural = _("uses of vouchers")
        indexes = [
            # The uses of a person, and of the voucher.
            models.Index(fields=["voucher", "person"], name="voucher_use_of_person"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gte=0), name="voucher_use_is_not_negative")
        ]

    def __str__(self) -> str:
        return f"{self.voucher_id}: {self.amount}"
