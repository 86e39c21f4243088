"""The next steps of one order, as buttons on its page. `lifecycle` has the rules and effects.

A step that needs data has a page with its form. The page shows the message of a refused step.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from orders.desk.step_forms import (
    CancelForm,
    CorrectionForm,
    ParcelForm,
    PaymentForm,
    RefundForm,
    StepForm,
)
from orders.desk.transitions import CHANGE, PACK, REFUND, show_refusals, take_step
from orders.lifecycle import transitions
from orders.lifecycle.steps import COMES_FROM
from orders.models import Order, User

Status = Order.Status


@dataclass(frozen=True)
class Step:
    """A button and its action: a page with a form, or the step itself."""

    label: str | Promise
    among: tuple[Order.Status, ...]
    """The statuses in which the button is shown. The transition checks if the step is allowed."""
    form: type[StepForm] | None = None
    take: Callable[[Order, User], Order] | None = None
    variant: str = "default"
    """unfold's style of the button."""
    permission: str = CHANGE
    """What an operator needs to take the step; one who may change orders need not refund them."""

    @property
    def has_form(self) -> bool:
        """Return True if the button opens a page. A template would call `step.form`."""
        return self.form is not None


def _pack(order: Order, user: User) -> Order:
    return transitions.pack(order_id=order.pk, user=user)


def _deliver(order: Order, user: User) -> Order:
    return transitions.deliver(order_id=order.pk, user=user)


_BEFORE: dict[str, Step] = {
    "pay": Step(_("Take a payment"), COMES_FROM[Status.PAID], form=PaymentForm),
    "pack": Step(_("Mark as packed"), COMES_FROM[Status.PACKED], take=_pack, permission=PACK),
}
_BY_POST: dict[str, Step] = {
    "ship": Step(_("Ship"), COMES_FROM[Status.SHIPPED], form=ParcelForm),
    "deliver": Step(_("Mark as delivered"), COMES_FROM[Status.DELIVERED], take=_deliver),
    "correct": Step(_("Correct the parcel"), (Status.SHIPPED,), form=CorrectionForm),
}
_PICKED_UP: dict[str, Step] = {
    "deliver": Step(_("Hand over"), (Status.PACKED, Status.SHIPPED), take=_deliver),
}
_BACK: dict[str, Step] = {
    "refund": Step(
        _("Refund"),
        COMES_FROM[Status.REFUNDED],
        form=RefundForm,
        variant="secondary",
        permission=REFUND,
    ),
    "cancel": Step(
        _("Cancel the order"), COMES_FROM[Status.CANCELLED], form=CancelForm, variant="secondary"
    ),
}


def next_steps(order: Order) -> dict[str, Step]:
    """Return the order's possible steps by name, the usual one first."""
    steps = _BEFORE | (_BY_POST if order.address else _PICKED_UP) | _BACK
    return {name: step for name, step in steps.items() if order.status in step.among}


class StepPages:
    """A mixin of the orders' ModelAdmin: the buttons, and the page of each step."""

    admin_site: Any
    opts: Any
    record_action: Callable[..., None]

    def get_urls(self) -> list[URLPattern]:
        page = self.admin_site.admin_view(self.step_view)
        ours = path("<uuid:order_id>/step/<slug:name>/", page, name="orders_order_step")
        return [ours, *super().get_urls()]  # type: ignore[misc]

    def step_buttons(self, request: HttpRequest, order: Order) -> list[tuple[Step, str]]:
        """Return the steps that the operator may take, with their URLs."""
        return [
            (step, reverse("admin:orders_order_step", args=[order.pk, name]))
            for name, step in next_steps(order).items()
            if request.user.has_perm(step.permission)
        ]

    def step_view(self, request: HttpRequest, order_id: UUID, name: str) -> HttpResponse:
        """Take the step, or first show the form of a step that needs data."""
        order = get_object_or_404(Order, pk=order_id)
        step = _find(order, name)
        if not request.user.has_perm(step.permission):
            raise PermissionDenied
        back = reverse("admin:orders_order_change", args=[order.pk])
        if step.form is None:
            if request.method == "POST" and step.take:
                refusals = take_step(request, [order], step.take)
                show_refusals(request, refusals)
                if not refusals:
                    self.record_action(request, step.label, [order])
            return redirect(back)
        form = step.form(request.POST if request.method == "POST" else None, order=order)
        if form.is_valid():
            refusals = take_step(request, [order], form.take)
            if not refusals:
                self.record_action(request, step.label, [order])
                return redirect(back)
            form = form.again(refusals[0])
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": step.label,
            "orders": [form.order],
            "form": form,
            "back": back,
        }
        return TemplateResponse(request, "desk/step.html", context)


def _find(order: Order, name: str) -> Step:
    """Return the step, possible or not: its transition refuses it with a reason."""
    kinds = _BEFORE | _BY_POST | _BACK
    if not order.address:
        kinds = kinds | _PICKED_UP
    if name not in kinds:
        raise Http404
    return kinds[name]
