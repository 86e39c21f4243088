"""The order steps as actions of the order list. `lifecycle` has the rules and effects.

A step that needs data first shows a page with its form. The page shows the message of a refused
step. A repeated click changes nothing.
"""

from collections.abc import Callable, Iterable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from orders.desk.bulk_steps import CONFIRMED, are_many, step_many
from orders.desk.step_forms import CancelForm, ParcelForm, PaymentForm, RefundForm, StepForm
from orders.lifecycle import transitions
from orders.lifecycle.errors import TransitionError
from orders.models import Order, User

CHANGE, PACK, REFUND = "orders.change_order", "orders.pack_order", "orders.refund_order"
"""The permissions of the steps."""
MAX_REFUSALS = 10
"""The number of refusals of one action that are shown; the others are counted."""


class TransitionActions:
    """A mixin of the orders' ModelAdmin: the actions and their permission."""

    def has_step_permission(self, request: HttpRequest) -> bool:
        """Return True if the user may change orders."""
        return request.user.has_perm(CHANGE)

    def has_pack_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(PACK)

    def has_refund_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(REFUND)

    @admin.action(description=gettext_lazy("Take a payment"), permissions=["step"])
    def take_payment(self, request: HttpRequest, orders: QuerySet[Order]) -> HttpResponse | None:
        return _ask(self, request, orders, PaymentForm, "take_payment")

    @admin.action(description=gettext_lazy("Mark as packed"), permissions=["pack"])
    def mark_packed(self, request: HttpRequest, orders: QuerySet[Order]) -> HttpResponse | None:
        return _take(self, request, orders, _pack, "mark_packed")

    @admin.action(description=gettext_lazy("Ship"), permissions=["step"])
    def ship_order(self, request: HttpRequest, orders: QuerySet[Order]) -> HttpResponse | None:
        return _ask(self, request, orders, ParcelForm, "ship_order")

    @admin.action(description=gettext_lazy("Mark as delivered"), permissions=["step"])
    def mark_delivered(self, request: HttpRequest, orders: QuerySet[Order]) -> HttpResponse | None:
        return _take(self, request, orders, _deliver, "mark_delivered")

    @admin.action(description=gettext_lazy("Cancel"), permissions=["step"])
    def cancel_orders(self, request: HttpRequest, orders: QuerySet[Order]) -> HttpResponse | None:
        if CONFIRMED in request.POST or are_many(orders):
            return step_many(self, request, orders, "cancel_orders")
        return _ask(self, request, orders, CancelForm, "cancel_orders", many=True)

    @admin.action(description=gettext_lazy("Refund"), permissions=["refund"])
    def refund_order(self, request: HttpRequest, orders: QuerySet[Order]) -> HttpResponse | None:
        return _ask(self, request, orders, RefundForm, "refund_order")

    actions: tuple[str, ...] = (
        "take_payment",
        "mark_packed",
        "ship_order",
        "mark_delivered",
        "cancel_orders",
        "refund_order",
    )


def _pack(order: Order, user: User) -> Order:
    return transitions.pack(order_id=order.pk, user=user)


def _deliver(order: Order, user: User) -> Order:
    return transitions.deliver(order_id=order.pk, user=user)


def _take(
    desk: Any,
    request: HttpRequest,
    orders: QuerySet[Order],
    take: Callable[[Order, User], Order],
    action: str,
) -> HttpResponse | None:
    """Take the step with a few orders; many are confirmed first, and done by a job."""
    if CONFIRMED in request.POST or are_many(orders):
        return step_many(desk, request, orders, action)
    show_refusals(request, take_step(request, orders.order_by("number"), take))
    return None


def _ask(
    desk: Any,
    request: HttpRequest,
    orders: QuerySet[Order],
    form_class: type[StepForm],
    action: str,
    *,
    many: bool = False,
) -> HttpResponse | None:
    """Show the step's form, and take the step when the form is valid."""
    chosen = list(orders.order_by("number"))
    if not chosen or (len(chosen) > 1 and not many):
        messages.warning(request, _("Choose one order: this step is for one order at a time."))
        return None
    data = request.POST if "take" in request.POST else None
    form = form_class(data, order=chosen[0], user=request.user)
    if form.is_valid():
        refusals = take_step(request, chosen, form.take)
        if many or not refusals:
            show_refusals(request, refusals)
            return None
        form = form.again(refusals[0])
        chosen = [form.order]
    description: str | Promise = getattr(desk, action).short_description
    context = {
        **desk.admin_site.each_context(request),
        "opts": desk.opts,
        "title": description,
        "orders": chosen,
        "form": form,
        "effects": list(form.effects()) if len(chosen) == 1 else [],
        "action": action,
        "checkbox_name": ACTION_CHECKBOX_NAME,
        "back": reverse("admin:orders_order_changelist"),
    }
    return TemplateResponse(request, "desk/step.html", context)


def take_step(
    request: HttpRequest, orders: Iterable[Order], take: Callable[[Order, User], Order]
) -> list[str]:
    """Take a step with each order; show the number of orders, and return the refusals."""
    assert isinstance(request.user, User)  # the desk requires sign-in
    refusals = []
    done = 0
    for order in orders:
        try:
            take(order, request.user)
        except TransitionError as refusal:
            refusals.append(str(refusal))
        else:
            done += 1
    if done:
        message = ngettext("Done for %(count)d order.", "Done for %(count)d orders.", done)
        messages.success(request, message % {"count": done})
    return refusals


def show_refusals(request: HttpRequest, refusals: list[str]) -> None:
    """Show the refusals, at most MAX_REFUSALS."""
    for refusal in refusals[:MAX_REFUSALS]:
        messages.warning(request, refusal)
    more = len(refusals) - MAX_REFUSALS
    if more > 0:
        messages.warning(request, _("And %(more)d more were refused.") % {"more": more})
