"""A step of more orders than a page answers for: confirmed with their number, done as a desk job.

Once confirmed, the job has the orders' ids: an order that comes under the filter later is left
alone. The form has a key, so Back, reload and a double click lead to the one job.
"""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.widgets import UnfoldAdminTextInputWidget

from orders.desk_jobs.kinds import STEP_ORDERS
from orders.desk_jobs.order_steps import MOST_ORDERS, STEPS, pack_orders
from orders.desk_jobs.queue import queue_desk_job
from orders.models import DeskJob, Order
from project.database.keys import time_ordered_key
from project.desk.confirming import confirm_page
from project.order_numbers import NUMBER_PREFIX

FEW = 20
"""So many orders are changed at once, by the request itself."""
CONFIRMED = "confirmed"


class BulkStepForm(forms.Form):
    """What is confirmed: so many orders, under this key, for one reason if the step needs one."""

    key = forms.UUIDField(widget=forms.HiddenInput)
    told = forms.IntegerField(widget=forms.HiddenInput, min_value=0)
    """The number of orders that the page told."""
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=200,
        help_text=gettext_lazy("Each shopper reads it."),
        widget=UnfoldAdminTextInputWidget,
    )

    def __init__(self, *args: Any, needs_reason: bool, **options: Any) -> None:
        super().__init__(*args, **options)
        if not needs_reason:
            del self.fields["reason"]


def are_many(orders: QuerySet[Order]) -> bool:
    """Return True if the orders are more than one request changes."""
    return orders.order_by().values("pk")[: FEW + 1].count() > FEW


def step_many(
    desk: Any, request: HttpRequest, orders: QuerySet[Order], action: str
) -> HttpResponse | None:
    """Ask whether to take the step with so many orders; when that is confirmed, queue its job."""
    step = STEPS[action]
    sent = request.POST if CONFIRMED in request.POST else None
    form = BulkStepForm(sent, needs_reason=step.needs_reason)
    is_valid = form.is_valid()
    if is_valid and (known := _job_of(request, form.cleaned_data["key"])):
        return redirect("admin:orders_deskjob_change", known.pk)
    chosen = list(orders.order_by("number").values_list("pk", "number")[: MOST_ORDERS + 1])
    if len(chosen) > MOST_ORDERS:
        text = _(
            "These are more than %(most)s orders. Filter the list, and choose fewer at a time."
        )
        most = number_format(MOST_ORDERS, force_grouping=True)
        messages.warning(request, text % {"most": most})
        return None
    if is_valid and form.cleaned_data["told"] == len(chosen):
        job = queue_desk_job(
            STEP_ORDERS,
            user_id=request.user.pk,
            file=pack_orders((key, f"{NUMBER_PREFIX}{number}") for key, number in chosen),
            context={
                "step": action,
                "reason": form.cleaned_data.get("reason", ""),
                "orders": len(chosen),
            },
            job_id=form.cleaned_data["key"],
        )
        return redirect("admin:orders_deskjob_change", job.pk)
    if form.is_bound and form.cleaned_data.keys() >= {"key", "told"}:
        if form.cleaned_data["told"] != len(chosen):
            messages.warning(request, _("Meanwhile the filter matches another number of orders."))
        form.data = {**request.POST.dict(), "told": len(chosen)}
    else:
        if form.is_bound:
            messages.warning(request, _("The page was incomplete. Please confirm again."))
        form = BulkStepForm(
            initial={"key": time_ordered_key(), "told": len(chosen)},
            needs_reason=step.needs_reason,
        )
    is_all = request.POST.get("select_across") == "1"
    # By the filter the first one is enough; the admin asks for one.
    asked = chosen[: 1 if is_all else None]
    return confirm_page(
        request,
        title=step.label,
        question=step.label,
        label=step.label,
        sentences=[_says(len(chosen))],
        hidden=[
            ("action", action),
            (CONFIRMED, "1"),
            ("select_across", "1" if is_all else "0"),
            *((ACTION_CHECKBOX_NAME, key) for key, _number in asked),
        ],
        form=form,
        back=reverse("admin:orders_order_changelist"),
    )


def _says(count: int) -> str:
    """Return what confirming does, with the number of orders."""
    says = ngettext(
        "%(count)s order is changed in the background. You see the progress, can cancel it, and are"
        " told which orders couldn't be changed.",
        "%(count)s orders are changed in the background. You see the progress, can cancel it, and"
        " are told which orders couldn't be changed.",
        count,
    )
    return says % {"count": number_format(count, force_grouping=True)}


def _job_of(request: HttpRequest, key: Any) -> DeskJob | None:
    """Return the job that this form has queued already."""
    mine = DeskJob.objects.filter(pk=key, kind=STEP_ORDERS.name, user=request.user.pk)
    return mine.first()
