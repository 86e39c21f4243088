"""Carts: what a shopper wants to order, until the order is placed."""

from typing import Any
from uuid import uuid4

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from project.database.keys import time_ordered_key


def new_checkout_key() -> str:
    return uuid4().hex


class Cart(models.Model):
    """An account's cart, or a guest's, which the guest's session names.

    Every change locks the row, so that two tabs or two devices lose nothing of each other.
    """

    id = models.UUIDField(primary_key=True, default=time_ordered_key, editable=False)
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="cart",
        verbose_name=_("user"),
    )
    checkout_key = models.CharField(max_length=32, default=new_checkout_key, editable=False)
    """The idempotency key of the cart's next order, the same in all tabs and on all devices."""
    changed_at = models.DateTimeField(_("changed"), db_default=Now())

    class Meta:
        verbose_name = _("cart")
        verbose_name_plural = _("carts")
        indexes = [
            # For the pruning: an account's cart is kept.
            models.Index(fields=["changed_at"], name="cart_of_guest", condition=Q(user=None)),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class CartLine(models.Model):
    """A product in a cart, and what its shopper was last told about it.

    It names the product by its SKU and not by a foreign key: a product that was deleted is told,
    too.
    """

    cart = models.ForeignKey(
        Cart,
        models.CASCADE,
        related_name="lines",
        verbose_name=_("cart"),
        db_index=False,  # the unique constraint's index begins with it
    )
    sku = models.CharField(_("SKU"), max_length=40)
    upload = models.UUIDField(_("upload"), null=True, blank=True)
    """The upload that the units are made with: a personalised product has a line for each."""
    quantity = models.IntegerField(_("quantity"))
    seen_name = models.CharField(max_length=200)
    """The product's name as the shopper saw it last."""
    seen_price = models.DecimalField(max_digits=12, decimal_places=2, null=True)
    """The price that the shopper saw last; None: none yet."""

    class Meta:
        verbose_name = _("cart line")
        verbose_name_plural = _("cart lines")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["cart", "sku", "upload"],
                name="one_cart_line_per_product_and_upload",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=Q(quantity__gte=1, quantity__lte=999), name="cart_line_quantity"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} {self.sku}"


class ClearedCart(models.Model):
    """An order whose lines have left their shopper's cart. The row is why they leave it once."""

    order_id = models.UUIDField(primary_key=True, editable=False)
    created_at = models.DateTimeField(db_default=Now(), db_index=True)

    class Meta:
        verbose_name = _("record of an emptied cart")
        verbose_name_plural = _("records of emptied carts")


class CheckoutDraft(models.Model):
    """A checkout form that was sent and didn't become an order: what was typed, and why not.

    Its page's address has the id. So a reload or a step back never sends a form again. Only the
    browser that sent it may read it, by its session or a cookie; it lives for a day.
    """

    id = models.UUIDField(primary_key=True, default=time_ordered_key, editable=False)
    fields: Any = models.JSONField(default=dict)
    """The form as it was sent: a list of values per field."""
    answer: Any = models.JSONField(default=dict)
    """Why it didn't become an order."""
    created_at = models.DateTimeField(db_default=Now())
    """When it was first sent."""
    changed_at = models.DateTimeField(db_default=Now(), db_index=True)

    class Meta:
        verbose_name = _("draft of a checkout")
        verbose_name_plural = _("drafts of checkouts")
