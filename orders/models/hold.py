"""Holds: units that are set aside for somebody who is about to pay."""

from typing import TypeAlias

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from orders.models.product import Product


class HoldStatus(models.TextChoices):
    OPEN = "open", pgettext_lazy("status of a hold", "Held")
    ORDERED = "ordered", pgettext_lazy("status of a hold", "Ordered")
    REPLACED = "replaced", pgettext_lazy("status of a hold", "Replaced by another hold")
    GIVEN_BACK = "given_back", pgettext_lazy("status of a hold", "Given back")
    EXPIRED = "expired", pgettext_lazy("status of a hold", "Its time was over")


class Hold(models.Model):
    """Units that nobody else can buy until `expires_at`, or until an order takes them.

    It ends once: by an UPDATE from OPEN. Only the StockWriter opens and ends it, with the stock
    locked. It holds as long as it is open, even if its time is over: the relay ends it then.
    """

    Status: TypeAlias = HoldStatus

    id = models.UUIDField(primary_key=True, editable=False)
    fingerprint = models.CharField(max_length=64, editable=False)
    """SHA-256 of its lines, which tells a repeat from another hold under the same key."""
    status = models.CharField(
        _("status"), max_length=10, choices=Status, default=Status.OPEN, db_default="open"
    )
    units = models.IntegerField(_("units"))
    """The units of all its lines: they stay when the lines go."""
    order_id = models.UUIDField(_("order"), null=True, editable=False)
    """The order that it became. Like a job's, it is no foreign key: holds are deleted."""
    created_at = models.DateTimeField(_("created"), db_default=Now())
    expires_at = models.DateTimeField(_("held until"))
    ended_at = models.DateTimeField(_("ended"), null=True)

    class Meta:
        verbose_name = _("hold")
        verbose_name_plural = _("holds")
        ordering = ["-created_at"]
        indexes = [
            models.Index(fields=["expires_at"], name="hold_open", condition=Q(status="open")),
            models.Index(fields=["created_at"], name="hold_newest"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=HoldStatus.values), name="hold_status_is_known"
            ),
            models.CheckConstraint(
                condition=Q(status="ordered", order_id__isnull=False)
                | (~Q(status="ordered") & Q(order_id__isnull=True)),
                name="hold_is_ordered_by_an_order",
            ),
            models.CheckConstraint(
                condition=Q(status="open", ended_at__isnull=True)
                | (~Q(status="open") & Q(ended_at__isnull=False)),
                name="hold_has_an_end_or_is_open",
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class HoldLine(models.Model):
    """The held units of one product. It exists as long as its hold is open.

    So the held units of a product are the sum of its rows, and initial + movements - held =
    available.
    """

    hold = models.ForeignKey(Hold, models.CASCADE, related_name="lines", verbose_name=_("hold"))
    product = models.ForeignKey(
        Product, models.PROTECT, related_name="hold_lines", verbose_name=_("product")
    )
    quantity = models.PositiveIntegerField(_("quantity"))

    class Meta:
        verbose_name = _("held product")
        verbose_name_plural = _("held products")
        constraints = [
            models.UniqueConstraint(fields=["hold", "product"], name="held_once_per_product"),
            models.CheckConstraint(condition=Q(quantity__gte=1), name="hold_line_has_a_quantity"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.product_id}"
