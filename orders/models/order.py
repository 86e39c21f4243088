"""Orders, their lines and their timeline."""

from decimal import Decimal
from typing import Any, TypeAlias

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.fields.json import KT
from django.db.models.functions import Lower, Now, Reverse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from orders.models.product import Product
from project.address_rules import printed_address
from project.database.words import NameWords
from project.email_addresses import STORED
from project.order_numbers import NUMBER_PREFIX


class OrderStatus(models.TextChoices):
    PLACED = "placed", _("Placed")
    PAID = "paid", _("Paid")
    PACKED = "packed", _("Packed")
    SHIPPED = "shipped", _("Shipped")
    DELIVERED = "delivered", _("Delivered")
    CANCELLED = "cancelled", _("Cancelled")
    REFUNDED = "refunded", _("Refunded")


def keep_order(collector: Any, field: Any, orders: Any, using: str) -> None:
    """Keep the orders of an account that is being deleted: they belong to nobody from now on.

    An `on_delete` of Django. Without the mark they would be guest orders, which anyone finds who
    has confirmed the address on them: a gift's recipient, for example.
    """
    collector.add_field_update(field, None, orders)
    collector.add_field_update(field.model._meta.get_field("account_deleted"), True, orders)


class Order(models.Model):
    """A placed order. It exists only with its stock taken and its jobs queued.

    Its id derives from the idempotency key (`orders.placing.identity`), so a repeat finds it.
    """

    Status: TypeAlias = OrderStatus
    UNCOUNTED = (Status.CANCELLED, Status.REFUNDED)
    """The statuses of orders that are no sales."""

    class Source(models.TextChoices):
        SHOP = "shop", _("Shop")
        API = "api", _("API")
        DESK = "desk", pgettext_lazy("source of an order", "Desk")
        AGENT = "ucp", pgettext_lazy("source of an order", "Agent")

    id = models.UUIDField(primary_key=True, editable=False)
    number = models.BigIntegerField(
        _("number"),
        unique=True,
        editable=False,
        db_default=Func(Value("orders_order_number"), function="nextval"),
    )
    door = models.CharField(_("door"), max_length=4, choices=Source)
    """The source of the order: shop, API, desk or agent. The column keeps its first name."""
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        keep_order,
        null=True,
        blank=True,
        related_name="orders",
        verbose_name=_("user"),
        db_index=False,  # a partial one, below: most orders are guests'
    )
    account_deleted = models.BooleanField(
        _("account deleted"), default=False, db_default=False, editable=False
    )
    """The order was placed by an account that doesn't exist any more: it is no guest order."""
    fingerprint = models.CharField(max_length=64, editable=False)
    """SHA-256 of the order as it was placed. A request with the same key and another one is
    refused; a later correction of the contact doesn't change it."""
    status = models.CharField(
        _("status"), max_length=10, choices=Status, default=Status.PLACED, db_default="placed"
    )
    name = models.CharField(pgettext_lazy("person", "name"), max_length=200)
    email = models.EmailField(_("e-mail"))
    phone = models.CharField(_("phone"), max_length=20, blank=True)
    """E.164, or empty."""
    language = models.CharField(_("language"), max_length=7, choices=settings.LANGUAGES)
    address = models.JSONField(_("address"), default=dict, blank=True)
    """It may be corrected until the order is shipped, but an order with one keeps having one:
    line1, line2, city, region, postcode, country (ISO 3166-1 alpha-2); empty for pickup."""
    currency = models.CharField(_("currency"), max_length=3)
    items_total = models.DecimalField(_("items"), max_digits=14, decimal_places=2)
    delivery_total = models.DecimalField(
        _("delivery"), max_digits=14, decimal_places=2, default=0, db_default=0
    )
    discount_total = models.DecimalField(
        _("discount"), max_digits=14, decimal_places=2, default=0, db_default=0
    )
    """The sum of its lines' discounts."""
    voucher_code = models.CharField(
        _("voucher"), max_length=40, blank=True, default="", db_default=""
    )
    total = models.DecimalField(_("total"), max_digits=14, decimal_places=2)
    delivery = models.JSONField(
        _("delivery"), default=dict, db_default=Value({}, models.JSONField()), blank=True
    )
    """The quote that the order was placed by: carrier, service, label and days. Its price is
    `delivery_total`. Empty: none was chosen, and delivery costs nothing."""
    payment_method = models.CharField(
        _("payment method"), max_length=20, blank=True, default="", db_default=""
    )
    """How the customer wants to pay: `transfer`, `pickup` or a provider's name; empty: not chosen
    yet. It may change while something is due, so it is no part of the fingerprint."""
    placed_at = models.DateTimeField(_("placed"), db_default=Now())
    changed_at = models.DateTimeField(_("changed"), db_default=Now(), db_index=True)
    erased_at = models.DateTimeField(_("person erased"), null=True, blank=True, editable=False)
    """When its person was erased (`orders.personal_data`): from then on it names nobody."""

    class Meta:
        verbose_name = _("order")
        verbose_name_plural = _("orders")
        ordering = ["-number"]
        permissions = [
            ("pack_order", _("Can pack orders")),
            ("refund_order", _("Can refund orders")),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=OrderStatus.values), name="order_status_is_known"
            ),
            models.CheckConstraint(
                condition=Q(total=F("items_total") + F("delivery_total") - F("discount_total")),
                name="order_total_is_its_parts",
            ),
            models.CheckConstraint(
                condition=Q(discount_total__gte=0, discount_total__lte=F("items_total")),
                name="order_discount_is_of_its_items",
            ),
            models.CheckConstraint(
                condition=Q(delivery_total__gte=0), name="order_delivery_is_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(delivery={}, delivery_total=0)
                | Q(delivery__has_keys=["carrier", "service", "label", "days"]),
                name="order_delivery_has_its_quote",
            ),
            models.CheckConstraint(
                condition=~Q(payment_method="pickup") | Q(address={}),
                name="order_paid_at_pickup_has_no_address",
            ),
            models.CheckConstraint(
                condition=Q(account_deleted=False) | Q(user=None),
                name="order_of_a_deleted_account_has_no_user",
            ),
            models.CheckConstraint(
                condition=Q(email__regex=STORED), name="order_email_has_the_one_form"
            ),
        ]
        # Each change of an order writes to all of them, because `changed_at` changes. Those that
        # begin with a time, or with a status and a time, are written at their end, on a page that
        # is in memory; those of e-mails and phones anywhere, so there are no more of that kind.
        # Times ascend, although lists begin with the newest: a page that is filled at its end is
        # left full, one that is filled at its begin is split in halves. And none has the number,
        # which only sorts the orders of one commit.
        indexes = [
            # For a signed-in shopper's guest orders (`orders.accounts.history`), and for the desk's
            # search for an address or its beginning.
            models.Index(
                OpClass(Lower("email"), name="text_pattern_ops"),
                F("number").desc(),
                name="order_email",
            ),
            # The desk's list and its filters. Most orders are the shop's, in most shops.
            models.Index(fields=["placed_at"], name="order_newest"),
            models.Index(fields=["status", "placed_at"], name="order_status_list"),
            models.Index(fields=["placed_at"], name="order_by_api", condition=Q(door="api")),
            models.Index(fields=["placed_at"], name="order_by_desk", condition=Q(door="desk")),
            models.Index(fields=["placed_at"], name="order_by_agent", condition=Q(door="ucp")),
            # The desk's filter by country. A new order is the last entry of its country, so few
            # pages are written, as with a status.
            models.Index(KT("address__country"), F("placed_at"), name="order_country"),
            # The desk's search for a phone number by its last digits.
            models.Index(
                OpClass(Reverse("phone"), name="text_pattern_ops"),
                name="order_phone",
                condition=~Q(phone=""),
            ),
            # The desk's search for words of names. Without `fastupdate`, which lets one order in
            # thousands wait until all entries since the last one are sorted in.
            GinIndex(NameWords("name"), name="order_name_words", fastupdate=False),
            models.Index(fields=["user"], name="order_user", condition=Q(user__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.display_number

    def get_absolute_url(self) -> str:
        return reverse("order", args=[self.pk])

    @property
    def display_number(self) -> str:
        """The number with its prefix, as pages and messages show it."""
        return f"{NUMBER_PREFIX}{self.number}"

    @property
    def address_lines(self) -> list[str]:
        """The delivery address as its country prints it; empty for a pickup."""
        return printed_address(self.address)


class OrderLine(models.Model):
    """One product of an order, with its name and price (tax included) at the time of placing."""

    order = models.ForeignKey(
        Order,
        models.PROTECT,
        related_name="lines",
        verbose_name=_("order"),
        db_index=False,  # the unique constraint's index begins with it
    )
    product = models.ForeignKey(
        Product, models.PROTECT, related_name="order_lines", verbose_name=_("product")
    )
    sku = models.CharField(_("SKU"), max_length=40)
    name = models.CharField(_("name"), max_length=200)
    quantity = models.IntegerField(_("quantity"))
    unit_price = models.DecimalField(_("unit price"), max_digits=10, decimal_places=2)
    total = models.DecimalField(_("total"), max_digits=14, decimal_places=2)
    tax_rate = models.DecimalField(
        _("tax rate (%)"), max_digits=5, decimal_places=3, null=True, editable=False
    )
    """The percentage of tax that the price includes where the order goes; None: not known."""
    discount = models.DecimalField(
        _("discount"), max_digits=14, decimal_places=2, default=0, db_default=0, editable=False
    )
    """What the order's voucher took off the total."""
    refunded = models.IntegerField(_("refunded"), default=0, db_default=0)
    """The refunded units: the sum of the line's refund lines."""

    class Meta:
        verbose_name = _("order line")
        verbose_name_plural = _("order lines")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["order", "product"], name="line_once_per_product"),
            models.CheckConstraint(condition=Q(quantity__gte=1), name="line_has_a_quantity"),
            models.CheckConstraint(
                condition=Q(total=F("quantity") * F("unit_price")),
                name="line_total_is_quantity_times_price",
            ),
            models.CheckConstraint(
                condition=Q(discount__gte=0, discount__lte=F("total")),
                name="line_discount_is_of_its_total",
            ),
            models.CheckConstraint(
                condition=Q(refunded__gte=0, refunded__lte=F("quantity")),
                name="line_is_refunded_at_most_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.name}"

    @property
    def charged(self) -> Decimal:
        """What the line cost: its total less its discount."""
        return self.total - self.discount


class OrderEvent(models.Model):
    """One entry of an order's timeline: event, user and detail. Rows are only inserted."""

    class Kind(models.TextChoices):
        """The new status of the order, or an event between two statuses."""

        PLACED = "placed", _("Placed")
        MEDIA_READY = "media_ready", _("Ready to view")
        PART_PAID = "part_paid", _("Paid in part")
        PAID = "paid", _("Paid")
        OVERPAID = "overpaid", _("Paid without need")
        PAYMENT_UNDONE = "payment_undone", _("Payment undone")
        PAYMENT_CHECKED = "payment_checked", _("Payment checked")
        PACKED = "packed", _("Packed")
        SHIPPED = "shipped", _("Shipped")
        PARCEL_CORRECTED = "parcel_corrected", _("Parcel corrected")
        DELIVERED = "delivered", _("Delivered")
        CANCELLED = "cancelled", _("Cancelled")
        PART_REFUNDED = "part_refunded", _("Refunded in part")
        REFUNDED = "refunded", _("Refunded")
        PAID_OUT = "paid_out", _("Refund paid out")
        RETURN_REQUESTED = "return_requested", _("Return requested")
        RETURN_ACCEPTED = "return_accepted", _("Return accepted")
        RETURN_REFUSED = "return_refused", _("Return refused")
        RETURN_WITHDRAWN = "return_withdrawn", _("Return withdrawn")
        RETURN_RECEIVED = "return_received", _("Return received")
        CORRECTED = "corrected", _("Contact corrected")
        SENT_AGAIN = "sent_again", _("Messages sent again")

    order = models.ForeignKey(Order, models.PROTECT, related_name="events", verbose_name=_("order"))
    kind = models.CharField(_("what"), max_length=20, choices=Kind)
    detail = models.JSONField(_("detail"), default=dict, blank=True)
    """The event's data, by its kind; amounts are text. Keys: method, reference, amount; carrier,
    tracking_number, corrected; reason, by_shopper, expired, given_back; restocked, items; old, new
    (the corrected fields with their values); recipients; outcome, provider (of a checked payment);
    prices (those by hand, with the shop's and the reason); return_id, is_late, send_to."""
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("by"),
        db_index=False,  # a partial one, below: placing an order enters no user
    )
    created_at = models.DateTimeField(_("when"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("order event")
        verbose_name_plural = _("order events")
        ordering = ["pk"]
        indexes = [
            models.Index(fields=["user"], name="event_user", condition=Q(user__isnull=False)),
            # The desk's filters of orders that are paid in part, and of those without a payment. It
            # is read whole, in the order of the table: see docs/lists.md.
            models.Index(
                fields=["kind"],
                name="event_not_all_paid",
                condition=Q(kind__in=["part_paid", "payment_undone"]),
                include=["order"],
            ),
            # The desk's proposal for the next parcel: the carrier of the last one.
            models.Index(fields=["id"], condition=Q(kind="shipped"), name="event_shipped"),
            # The desk's filter by carrier: a new parcel is the last entry of its carrier.
            models.Index(
                Lower(KT("detail__carrier")),
                F("id"),
                name="event_carrier",
                condition=Q(kind__in=["shipped", "parcel_corrected"]),
            ),
        ]

    def __str__(self) -> str:
        return self.get_kind_display()


class OrderNote(models.Model):
    """What an operator wrote down about an order, for colleagues only. Rows are only inserted.

    The form chooses the id, so that a repeated form writes one note.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    order = models.ForeignKey(
        Order,
        models.PROTECT,
        related_name="notes",
        verbose_name=_("order"),
        db_index=False,  # the timeline's index begins with it
    )
    text = models.CharField(_("text"), max_length=2000)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("by"),
    )
    created_at = models.DateTimeField(_("when"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("note")
        verbose_name_plural = _("notes")
        ordering = ["created_at"]
        constraints = [
            models.CheckConstraint(condition=~Q(text=""), name="note_has_a_text"),
        ]
        indexes = [models.Index(fields=["order", "created_at"], name="note_of_order")]

    def __str__(self) -> str:
        return self.text
