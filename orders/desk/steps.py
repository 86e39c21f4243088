"""The next steps of one order, as buttons on its page. `lifecycle` has the rules and effects.

A step that needs data has a page with its form, which says what will happen. The page shows the
message of a refused step.
"""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from unfold.widgets import UnfoldAdminTextareaWidget

from orders.accounts.address_form import AddressFieldsForm
from orders.desk.next_steps import NextStep, Step, find_step, next_steps, step_url
from orders.desk.order_returns import find_step as find_return_step
from orders.desk.step_forms import (
    PayoutForm,
    ResolveForm,
    StepForm,
    UndoForm,
)
from orders.desk.transitions import CHANGE, REFUND, show_refusals, take_step
from orders.lifecycle.errors import TransitionError
from orders.lifecycle.notes import MAX_LENGTH, add_note
from orders.lifecycle.payouts import not_owed
from orders.lifecycle.return_steps import COMES_FROM, WrongReturnStatus
from orders.models import Order, Payment, PaymentAttempt, Refund, Return, User
from orders.payments.resolving import ResolvedMeanwhile
from project.database.keys import time_ordered_key


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
                "<uuid:order_id>/returns/<uuid:return_id>/<slug:step>/",
                view(self.return_view),
                name="orders_order_return",
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
        """Take the step, or first show the form of a step that needs data.

        A page of one that the order can't take any more says so instead: Back leads there.
        """
        order = get_object_or_404(Order, pk=order_id)
        step = find_step(order, name)
        if not request.user.has_perm(step.permission):
            raise PermissionDenied
        if step.form is not None:
            if request.method == "GET" and (refusal := step.refusal(order)):
                return self._not_any_more(request, order_id, refusal)
            return self._form_page(
                request, order, step.form, step.label, permission=step.permission
            )
        if request.method == "POST" and step.take:
            refusals = take_step(request, [order], step.take)
            show_refusals(request, refusals)
            if not refusals:
                self.record_action(request, step.label, [order])
        return redirect("admin:orders_order_change", order.pk)

    def undo_view(self, request: HttpRequest, order_id: UUID, payment_id: int) -> HttpResponse:
        """Undo a payment that was entered by hand."""
        payment = get_object_or_404(Payment, pk=payment_id, order_id=order_id)
        if not request.user.has_perm(REFUND):
            raise PermissionDenied
        if request.method == "GET" and Payment.objects.filter(undoes=payment).exists():
            return self._not_any_more(request, order_id, _("The payment was undone already."))
        label = _("Undo the payment")
        return self._form_page(
            request, payment.order, UndoForm, label, permission=REFUND, about=payment
        )

    def resolve_view(self, request: HttpRequest, order_id: UUID, attempt_id: UUID) -> HttpResponse:
        """Say what became of a payment that is to check."""
        attempt = get_object_or_404(PaymentAttempt, pk=attempt_id, order_id=order_id)
        if not request.user.has_perm(CHANGE):
            raise PermissionDenied
        if request.method == "GET" and attempt.status != PaymentAttempt.Status.TO_CHECK:
            return self._not_any_more(request, order_id, ResolvedMeanwhile(attempt))
        label = _("Resolve the payment")
        return self._form_page(request, attempt.order, ResolveForm, label, about=attempt)

    def payout_view(self, request: HttpRequest, order_id: UUID, refund_id: UUID) -> HttpResponse:
        """Enter the pay-out of a refund."""
        refund = get_object_or_404(Refund, pk=refund_id, order_id=order_id)
        if not request.user.has_perm(REFUND):
            raise PermissionDenied
        if request.method == "GET" and refund.status != Refund.Status.OWED:
            return self._not_any_more(request, order_id, not_owed(refund))
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

    def return_view(
        self, request: HttpRequest, order_id: UUID, return_id: UUID, step: str
    ) -> HttpResponse:
        """Take a step of a return. A page of one that it can't take any more says so instead."""
        asked = get_object_or_404(Return, pk=return_id, order_id=order_id)
        found = find_return_step(step)
        if not request.user.has_perm(found.permission):
            raise PermissionDenied
        if request.method == "GET" and asked.status not in COMES_FROM[found.to]:
            return self._not_any_more(request, order_id, WrongReturnStatus(asked, to=found.to))
        worklist = reverse("admin:orders_return_changelist")
        return self._form_page(
            request,
            asked.order,
            found.form,
            found.label,
            permission=found.permission,
            about=asked,
            back=worklist if "worklist" in request.GET else "",
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

    def _not_any_more(
        self, request: HttpRequest, order_id: UUID, says: TransitionError | Promise
    ) -> HttpResponse:
        """Lead to the order and say why the page that Back, or an old tab, asks for isn't there."""
        messages.warning(request, str(says))
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
        of_line = {"line": request.GET.get("line")}
        form = step_form(data, order=order, user=request.user, about=about, initial=of_line)
        if "foresee" in request.GET:
            foreseen = {"effects": list(form.effects())}
            return TemplateResponse(request, "desk/step_effects.html", foreseen)
        if request.POST.get("do") == "look" and isinstance(form, AddressFieldsForm):
            form.show_as_typed()  # the fields of another country
        elif form.is_valid():
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


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # the desk requires sign-in
    return request.user
