"""What the orders' list is exported as: the orders, their lines, or their payments."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Prefetch, QuerySet
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from orders.models import Order, OrderLine, Payment
from project.countries import country_name
from project.desk.sheets import Column, Sheet, column
from project.email_addresses import readable_address


def _address(part: str) -> Column:
    labels = {
        "line1": _("address line 1"),
        "line2": _("address line 2"),
        "postcode": _("postcode"),
        "city": _("city"),
        "region": _("state or province"),
    }
    return Column(labels[part], lambda order: order.address.get(part, ""))


def _without_joins(orders: QuerySet[Order]) -> QuerySet[Order]:
    return orders.select_related(None)


ORDERS = Sheet(
    name="orders",
    label=_("Orders"),
    columns=(
        column(_("number"), "display_number"),
        Column(_("status"), lambda order: order.get_status_display()),
        column(_("placed"), "placed_at"),
        Column(_("source"), lambda order: order.get_door_display()),
        column(pgettext_lazy("person", "name"), "name"),
        Column(_("e-mail"), lambda order: readable_address(order.email)),
        column(_("phone"), "phone"),
        Column(_("language"), lambda order: order.get_language_display()),
        _address("line1"),
        _address("line2"),
        _address("postcode"),
        _address("city"),
        _address("region"),
        Column(_("country"), lambda order: country_name(order.address.get("country", ""))),
        column(_("currency"), "currency"),
        column(_("items"), "items_total"),
        column(_("delivery"), "delivery_total"),
        column(_("discount"), "discount_total"),
        column(_("voucher"), "voucher_code"),
        Column(_("carrier"), lambda order: order.delivery.get("carrier", "")),
        Column(_("service"), lambda order: order.delivery.get("service", "")),
        column(_("total"), "total"),
        column(_("changed"), "changed_at"),
        Column(_("id"), lambda order: str(order.pk)),
    ),
    read=_without_joins,
)


def _with_lines(orders: QuerySet[Order]) -> QuerySet[Order]:
    return _without_joins(orders).prefetch_related(
        Prefetch("lines", OrderLine.objects.order_by("pk"))
    )


def _lines(order: Order) -> Iterable[Any]:
    return order.lines.all()


LINES = Sheet(
    name="lines",
    label=_("Order lines"),
    columns=(
        column(_("order"), "order.display_number"),
        Column(_("status"), lambda line: line.order.get_status_display()),
        column(_("placed"), "order.placed_at"),
        column(_("SKU"), "sku"),
        column(_("product"), "name"),
        column(_("quantity"), "quantity"),
        column(_("refunded"), "refunded"),
        column(_("currency"), "order.currency"),
        column(_("unit price"), "unit_price"),
        column(_("total"), "total"),
        column(_("discount"), "discount"),
    ),
    read=_with_lines,
    expand=_lines,
)


def _with_payments(orders: QuerySet[Order]) -> QuerySet[Order]:
    payments = Payment.objects.select_related("user").order_by("pk")
    return _without_joins(orders).prefetch_related(Prefetch("payments", payments))


def _payments(order: Order) -> Iterable[Any]:
    return order.payments.all()


PAYMENTS = Sheet(
    name="payments",
    label=_("Payments"),
    columns=(
        column(_("order"), "order.display_number"),
        column(_("when"), "created_at"),
        Column(_("method"), lambda payment: payment.get_method_display()),
        column(_("reference"), "reference"),
        column(_("provider"), "provider"),
        column(_("currency"), "order.currency"),
        column(_("amount"), "amount"),
        column(_("reason"), "reason"),
        Column(_("by"), lambda payment: payment.user.username if payment.user else ""),
    ),
    read=_with_payments,
    expand=_payments,
)
SHEETS = (ORDERS, LINES, PAYMENTS)
