"""The next steps of one order, as buttons on its page. `lifecycle` has the rules and effects.

A step that needs data has a page with its form, which says what will happen. The page shows the
message of a refused step.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from unfold.widgets import UnfoldAdminTextareaWidget

from orders.desk import effects
from orders.desk.contact_forms import ContactForm, SendAgainForm
from orders.desk.step_forms import (
    CancelForm,
    CorrectionForm,
    ParcelForm,
    PaymentForm,
    PayoutForm,
    RefundForm,
    ResolveForm,
    StepForm,
    UndoForm,
)
from orders.desk.transitions import CHANGE, PACK, REFUND, show_refusals, take_step
from orders.lifecycle import transitions
from orders.lifecycle.corrections import CORRECTABLE
from orders.lifecycle.errors import TransitionError
from orders.lifecycle.notes import MAX_LENGTH, add_note
from orders.lifecycle.steps import COMES_FROM
from orders.models import Order, Payment, PaymentAttempt, Refund, User
from project.database.keys import time_ordered_key

Status = Order.Status


@dataclass(frozen=True)
class Step:
    """A button and its action: a page with a form, or the step itself."""

    label: str | Promise
    among: tuple[Order.Status, ...]
    """The statuses in which the button is shown. The transition checks if the step is allowed."""
    form: type[StepForm] | None = None
    take: Callable[[Order, User], Order] | None = None
    effects: Callable[[Order], Iterable[str]] | None = None
    """What a step without a form will do, in sentences; a form says it itself."""
    variant: str = "default"
    """unfold's style of the button."""
    permission: str = CHANGE
    """What an operator needs to take the step; one who may change orders need not refund them."""

    @property
    def has_form(self) -> bool:
        """Return True if the button opens a page. A template would call `step.form`."""
        return self.form is not None


@dataclass(frozen=True)
class NextStep:
    """The one step that the order's page emphasises."""

    step: Step
    url: str
    effects: list[str]
    """What it will do, for a step that is taken by its button."""


def _pack(order: Order, user: User) -> Order:
    return transitions.pack(order_id=order.pk, user=user)


def _deliver(order: Order, user: User) -> Order:
    return transitions.deliver(order_id=order.pk, user=user)


_BEFORE: dict[str, Step] = {
    "pay": Step(_("Take a payment"), COMES_FROM[Status.PAID], form=PaymentForm),
    "pack": Step(
        _("Mark as packed"),
        COMES_FROM[Status.PACKED],
        take=_pack,
        effects=effects.of_packing,
        permission=PACK,
    ),
}
_BY_POST: dict[str, Step] = {
    "ship": Step(_("Ship"), COMES_FROM[Status.SHIPPED], form=ParcelForm),
    "deliver": Step(
        _("Mark as delivered"),
        COMES_FROM[Status.DELIVERED],
        take=_deliver,
        effects=effects.of_delivery,
    ),
    "correct": Step(_("Correct the parcel"), (Status.SHIPPED,), form=CorrectionForm),
}
_PICKED_UP: dict[str, Step] = {
    "deliver": Step(
        _("Hand over"),
        (Status.PACKED, Status.SHIPPED),
        take=_deliver,
        effects=effects.of_delivery,
    ),
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
_CONTACT: dict[str, Step] = {
    "contact": Step(_("Correct the contact"), CORRECTABLE, form=ContactForm),
    "again": Step(_("Send messages again"), tuple(Status), form=SendAgainForm),
}
"""Their links are beside the contact."""


def next_steps(order: Order, *, is_due: bool = False) -> dict[str, Step]:
    """Return the order's possible steps by name, the usual one first.

    `is_due`: the customer has to pay although the order is packed: a payment was undone.
    """
    steps = _BEFORE | (_BY_POST if order.address else _PICKED_UP) | _BACK
    possible = {name: step for name, step in steps.items() if order.status in step.among}
    return {"pay": _BEFORE["pay"]} | possible if is_due else possible


class NoteForm(forms.Form):
    """A note about the order, for colleagues."""

    text = forms.CharField(
        label=_("Note"),
        max_length=MAX_LENGTH,
        strip=True,
        widget=UnfoldAdminTextareaWidget({"rows": 2, "maxlength": MAX_LENGTH}),
    )
    note_id = forms.UUIDField(widget=forms.HiddenInput, initial=time_ordered_key)


class StepPages:
    """A mixin of the orders' ModelAdmin: the buttons, and the page of each step."""

    admin_site: Any
    opts: Any
    record_action: Callable[..., None]

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        ours = [
            path(
                "<uuid:order_id>/step/<slug:name>/", view(self.step_view), name="orders_order_step"
            ),
            path(
                "<uuid:order_id>/payments/<int:payment_id>/undo/",
                view(self.undo_view),
                name="orders_order_undo",
            ),
            path(
                "<uuid:order_id>/refunds/<uuid:refund_id>/pay-out/",
                view(self.payout_view),
                name="orders_order_payout",
            ),
            path(
                "<uuid:order_id>/attempts/<uuid:attempt_id>/resolve/",
                view(self.resolve_view),
                name="orders_order_resolve",
            ),
            path(
                "<uuid:order_id>/note/",
                view(require_POST(self.note_view)),
                name="orders_order_note",
            ),
        ]
        return [*ours, *super().get_urls()]  # type: ignore[misc]

    def step_buttons(
        self, request: HttpRequest, order: Order, *, is_due: bool = False
    ) -> list[tuple[Step, str]]:
        """Return the steps that the operator may take, with their URLs."""
        steps = next_steps(order, is_due=is_due)
        return [
            (step, step_url(order, name))
            for name, step in steps.items()
            if request.user.has_perm(step.permission)
        ]

    def next_step(
        self,
        buttons: list[tuple[Step, str]],
        order: Order,
        *,
        payout_url: str,
        resolve_url: str = "",
    ) -> NextStep | None:
        """Return the step to emphasise: a payment that is to check keeps the customer from paying,
        and money that is owed goes first once the order has ended.
        """
        if resolve_url:
            return NextStep(Step(_("Resolve the payment"), (), form=ResolveForm), resolve_url, [])
        if not buttons and not payout_url:
            return None
        has_ended = not any(step.variant == "default" for step, _url in buttons)
        if has_ended:
            payout = Step(_("Enter the pay-out"), (), form=PayoutForm)
            return NextStep(payout, payout_url, []) if payout_url else None
        step, url = buttons[0]
        return NextStep(step, url, list(step.effects(order)) if step.effects else [])

    def step_view(self, request: HttpRequest, order_id: UUID, name: str) -> HttpResponse:
        """Take the step, or first show the form of a step that needs data."""
        order = get_object_or_404(Order, pk=order_id)
        step = _find(order, name)
        if step.form is not None:
            return self._form_page(
                request, order, step.form, step.label, permission=step.permission
            )
        if not request.user.has_perm(step.permission):
            raise PermissionDenied
        if request.method == "POST" and step.take:
            refusals = take_step(request, [order], step.take)
            show_refusals(request, refusals)
            if not refusals:
                self.record_action(request, step.label, [order])
        return redirect("admin:orders_order_change", order.pk)

    def undo_view(self, request: HttpRequest, order_id: UUID, payment_id: int) -> HttpResponse:
        """Undo a payment that was entered by hand."""
        payment = get_object_or_404(Payment, pk=payment_id, order_id=order_id)
        label = _("Undo the payment")
        return self._form_page(
            request, payment.order, UndoForm, label, permission=REFUND, about=payment
        )

    def resolve_view(self, request: HttpRequest, order_id: UUID, attempt_id: UUID) -> HttpResponse:
        """Say what became of a payment that is to check."""
        attempt = get_object_or_404(PaymentAttempt, pk=attempt_id, order_id=order_id)
        label = _("Resolve the payment")
        return self._form_page(request, attempt.order, ResolveForm, label, about=attempt)

    def payout_view(self, request: HttpRequest, order_id: UUID, refund_id: UUID) -> HttpResponse:
        """Enter the pay-out of a refund."""
        refund = get_object_or_404(Refund, pk=refund_id, order_id=order_id)
        worklist = reverse("admin:orders_refund_changelist")
        back = worklist if "worklist" in request.GET else ""
        label = _("Enter the pay-out")
        return self._form_page(
            request,
            refund.order,
            PayoutForm,
            label,
            permission=REFUND,
            about=refund,
            back=back,
        )

    def note_view(self, request: HttpRequest, order_id: UUID) -> HttpResponse:
        """Add a note; one that can't be added is told on the order's page."""
        if not request.user.has_perm(CHANGE):
            raise PermissionDenied
        get_object_or_404(Order, pk=order_id)
        form = NoteForm(request.POST)
        if form.is_valid():
            try:
                add_note(order_id=order_id, user=_user(request), **form.cleaned_data)
            except TransitionError as refusal:
                messages.warning(request, str(refusal))
            else:
                messages.success(request, _("The note is added."))
        else:
            for errors in form.errors.values():
                messages.warning(request, f"{_('Note')}: {errors[0]}")
        return redirect("admin:orders_order_change", order_id)

    def _form_page(
        self,
        request: HttpRequest,
        order: Order,
        step_form: type[StepForm],
        label: str | Promise,
        *,
        permission: str = CHANGE,
        about: Any = None,
        back: str = "",
    ) -> HttpResponse:
        """Show the step's form, and take the step when the form is valid.

        With `?foresee` it only says what the step would do with what the form holds.
        """
        if not request.user.has_perm(permission):
            raise PermissionDenied
        back = back or reverse("admin:orders_order_change", args=[order.pk])
        data = request.POST if request.method == "POST" else None
        form = step_form(data, order=order, user=request.user, about=about)
        if "foresee" in request.GET:
            foreseen = {"effects": list(form.effects())}
            return TemplateResponse(request, "desk/step_effects.html", foreseen)
        if form.is_valid():
            refusals = take_step(request, [order], form.take)
            if not refusals:
                reason = form.cleaned_data.get("reason", "")
                self.record_action(request, label, [order], reason=reason)
                return redirect(form.next_page(order) or back)
            form = form.again(refusals[0])
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": label,
            "orders": [form.order],
            "form": form,
            "about": about,
            "effects": list(form.effects()),
            "back": back,
        }
        return TemplateResponse(request, "desk/step.html", context)


def step_url(order: Order, name: str) -> str:
    """Return the URL of the order's step."""
    return reverse("admin:orders_order_step", args=[order.pk, name])


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # the desk requires sign-in
    return request.user


def _find(order: Order, name: str) -> Step:
    """Return the step, possible or not: its transition refuses it with a reason."""
    kinds = _BEFORE | _BY_POST | _BACK | _CONTACT
    if not order.address:
        kinds = kinds | _PICKED_UP
    if name not in kinds:
        raise Http404
    return kinds[name]
