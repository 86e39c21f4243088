"""Returns: goods that a shopper wants to send back, and what became of that."""

from typing import TypeAlias

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from orders.models.money import Refund
from orders.models.order import Order, OrderLine


class ReturnStatus(models.TextChoices):
    REQUESTED = "requested", pgettext_lazy("return", "Requested")
    ACCEPTED = "accepted", pgettext_lazy("return", "Accepted")
    RECEIVED = "received", pgettext_lazy("return", "Received")
    REFUSED = "refused", pgettext_lazy("return", "Refused")
    WITHDRAWN = "withdrawn", pgettext_lazy("return", "Withdrawn")


OPEN = (ReturnStatus.REQUESTED, ReturnStatus.ACCEPTED)


class Return(models.Model):
    """A shopper's wish to return units of an order, for their price.

    The form chooses the id, so that a repeated form makes one return. The returns of an order are
    changed under its row's lock. A unit is in one open return, or refunded, or neither.
    """

    Status: TypeAlias = ReturnStatus
    OPEN = OPEN
    """The statuses in which its units are held: no other return or refund takes them."""

    id = models.UUIDField(primary_key=True, editable=False)
    """Also the id of its refund: a return is refunded once."""
    order = models.ForeignKey(
        Order,
        models.PROTECT,
        related_name="returns",
        verbose_name=_("order"),
        db_index=False,  # `return_of_order` begins with it
    )
    status = models.CharField(
        _("status"),
        max_length=9,
        choices=ReturnStatus,
        default=ReturnStatus.REQUESTED,
        db_default="requested",
    )
    is_late = models.BooleanField(pgettext_lazy("return", "late"), default=False, db_default=False)
    """It was asked for after RETURN_DAYS, which LATE_RETURNS allowed."""
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    """The shopper's; none is needed."""
    answer = models.CharField(_("answer"), max_length=200, blank=True, default="", db_default="")
    """The shop's latest words to the shopper, such as the reason of a refusal."""
    refund = models.OneToOneField(
        Refund,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="made_for",
        verbose_name=_("refund"),
    )
    requested_at = models.DateTimeField(
        pgettext_lazy("return", "requested"), db_default=Now(), editable=False
    )
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)

    class Meta:
        verbose_name = pgettext_lazy("goods", "return")
        verbose_name_plural = pgettext_lazy("goods", "returns")
        ordering = ["requested_at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=ReturnStatus.values), name="return_status_is_known"
            ),
            models.CheckConstraint(
                condition=Q(status="received", refund__isnull=False)
                | Q(~Q(status="received"), refund=None),
                name="return_is_refunded_when_received",
            ),
            models.CheckConstraint(
                condition=~Q(status="refused", answer=""), name="return_is_refused_with_a_reason"
            ),
            models.CheckConstraint(
                condition=Q(status__in=OPEN, ended_at=None)
                | Q(~Q(status__in=OPEN), ended_at__isnull=False),
                name="return_is_open_until_it_ends",
            ),
        ]
        indexes = [
            models.Index(fields=["order", "requested_at"], name="return_of_order"),
            # The desk's list, by status.
            models.Index(fields=["status", "requested_at", "id"], name="return_by_status"),
        ]

    def __str__(self) -> str:
        return f"{self.order_id}: {self.status}"


class ReturnLine(models.Model):
    """The units of one order line that a return is for, and how many of them came."""

    of_return = models.ForeignKey(
        Return,
        models.PROTECT,
        related_name="lines",
        verbose_name=pgettext_lazy("goods", "return"),
        db_index=False,  # the unique constraint's index begins with it
    )
    line = models.ForeignKey(
        OrderLine, models.PROTECT, related_name="return_lines", verbose_name=_("order line")
    )
    quantity = models.IntegerField(_("quantity"))
    """The units that the shopper wants to return."""
    received = models.IntegerField(pgettext_lazy("units", "received"), default=0, db_default=0)
    """Those that came, and were refunded."""
    restocked = models.IntegerField(_("back in stock"), default=0, db_default=0)
    """Those of the received ones that are sold again."""

    class Meta:
        verbose_name = _("line of a return")
        verbose_name_plural = _("lines of returns")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["of_return", "line"], name="return_line_once"),
            models.CheckConstraint(condition=Q(quantity__gte=1), name="return_line_has_a_quantity"),
            models.CheckConstraint(
                condition=Q(
                    restocked__gte=0,
                    restocked__lte=F("received"),
                    received__lte=F("quantity"),
                ),
                name="return_line_comes_at_most_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.line_id}"
