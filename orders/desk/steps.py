"""The next steps of one order, as buttons on its page. Rules and effects are the services'.

A step that needs to know something has a page with its form. What a service refuses is shown in
its own words.
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
from orders.desk.transitions import take_all, tell
from orders.lifecycle import transitions
from orders.lifecycle.steps import COMES_FROM
from orders.models import Order, User

Status = Order.Status


@dataclass(frozen=True)
class Step:
    """A button, and what comes behind it: a page with a form, or the step itself."""

    label: str | Promise
    among: tuple[Order.Status, ...]
    """When it is offered. Whether it is allowed the service says."""
    form: type[StepForm] | None = None
    take: Callable[[Order, User], Order] | None = None
    variant: str = "default"
    """How unfold draws the button."""

    @property
    def has_form(self) -> bool:
        """Whether the button opens a page. Templates ask this: `step.form` they would call."""
        return self.form is not None


def _pack(order: Order, user: User) -> Order:
    return transitions.pack(order_id=order.pk, user=user)


def _deliver(order: Order, user: User) -> Order:
    return transitions.deliver(order_id=order.pk, user=user)


_BEFORE: dict[str, Step] = {
    "pay": Step(_("Take a payment"), COMES_FROM[Status.PAID], form=PaymentForm),
    "pack": Step(_("Mark as packed"), COMES_FROM[Status.PACKED], take=_pack),
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
    "refund": Step(_("Refund"), COMES_FROM[Status.REFUNDED], form=RefundForm, variant="secondary"),
    "cancel": Step(
        _("Cancel the order"), COMES_FROM[Status.CANCELLED], form=CancelForm, variant="secondary"
    ),
}


def next_steps(order: Order) -> dict[str, Step]:
    """Return what the desk may do with the order now, by name, the usual first."""
    steps = _BEFORE | (_BY_POST if order.address else _PICKED_UP) | _BACK
    return {name: step for name, step in steps.items() if order.status in step.among}


class StepPages:
    """For the orders' ModelAdmin: the buttons, and the page of each step."""

    admin_site: Any
    opts: Any
    has_step_permission: Callable[[HttpRequest], bool]

    def get_urls(self) -> list[URLPattern]:
        page = self.admin_site.admin_view(self.step_view)
        ours = path("<uuid:order_id>/step/<slug:name>/", page, name="orders_order_step")
        return [ours, *super().get_urls()]  # type: ignore[misc]

    def step_buttons(self, request: HttpRequest, order: Order) -> list[tuple[Step, str]]:
        """Return the steps to offer, each with its address; none to who may only look."""
        if not self.has_step_permission(request):
            return []
        return [
            (step, reverse("admin:orders_order_step", args=[order.pk, name]))
            for name, step in next_steps(order).items()
        ]

    def step_view(self, request: HttpRequest, order_id: UUID, name: str) -> HttpResponse:
        """Take the step, or ask first for what it needs to know."""
        if not self.has_step_permission(request):
            raise PermissionDenied
        order = get_object_or_404(Order, pk=order_id)
        step = _find(order, name)
        back = reverse("admin:orders_order_change", args=[order.pk])
        if step.form is None:
            if request.method == "POST" and step.take:
                tell(request, take_all(request, [order], step.take))
            return redirect(back)
        form = step.form(request.POST if request.method == "POST" else None, order=order)
        if form.is_valid():
            refusals = take_all(request, [order], form.take)
            if not refusals:
                return redirect(back)
            form.add_error(None, refusals[0])  # what was typed stays
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": step.label,
            "orders": [order],
            "form": form,
            "back": back,
        }
        return TemplateResponse(request, "desk/step.html", context)


def _find(order: Order, name: str) -> Step:
    """Return the step even if it isn't the order's next: its service says why not."""
    kinds = _BEFORE | _BY_POST | _BACK
    if not order.address:
        kinds = kinds | _PICKED_UP
    if name not in kinds:
        raise Http404
    return kinds[name]
