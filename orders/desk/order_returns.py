"""An order's returns on its page at the desk, each with the steps that it may take."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import F, OuterRef
from django.db.models.functions import JSONObject
from django.http import Http404
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from orders.desk.next_steps import NextStep, Step
from orders.desk.return_forms import AcceptForm, ReceiveForm, RefuseForm
from orders.desk.step_forms import StepForm
from orders.desk.transitions import CHANGE, PACK
from orders.lifecycle.return_steps import COMES_FROM
from orders.lifecycle.return_units import MAY_HAVE_RETURNS
from orders.models import Order, Return, ReturnLine

Status = Return.Status

COLOURS = {
    Status.REQUESTED.value: "warning",
    Status.ACCEPTED.value: "info",
    Status.RECEIVED.value: "success",
    Status.REFUSED.value: "",
    Status.WITHDRAWN.value: "",
}


@dataclass(frozen=True)
class ReturnStep:
    """A step of a return: its page, and who may take it."""

    label: str | Promise
    to: Return.Status
    form: type[StepForm]
    permission: str


STEPS = {
    "accept": ReturnStep(_("Accept the return"), Status.ACCEPTED, AcceptForm, CHANGE),
    "receive": ReturnStep(_("Enter what came back"), Status.RECEIVED, ReceiveForm, PACK),
    "refuse": ReturnStep(_("Refuse the return"), Status.REFUSED, RefuseForm, CHANGE),
}
"""Who packs may receive: an acceptance agreed to the money, and the pay-out is another step."""


@dataclass(frozen=True)
class ReturnRow:
    """One return."""

    asked: Return
    colour: str
    lines: list[dict[str, Any]]
    """Name, quantity, received and restocked units of each."""
    steps: list[tuple[ReturnStep, str]]
    """The steps that the operator may take, with their URLs."""

    @property
    def is_received(self) -> bool:
        return self.asked.status == Status.RECEIVED

    @property
    def when(self) -> datetime:
        return self.asked.requested_at


def read_returns(order: Order, *, may: Callable[[str], bool]) -> list[ReturnRow]:
    """Return the order's returns, the oldest first, in one query; none for one that wasn't sent.

    `may` tells whether the operator has a permission.
    """
    if order.status not in MAY_HAVE_RETURNS:
        return []
    lines = ReturnLine.objects.filter(of_return=OuterRef("pk")).order_by("pk")
    of_line = JSONObject(
        name=F("line__name"),
        quantity=F("quantity"),
        received=F("received"),
        restocked=F("restocked"),
    )
    returns: list[Any] = list(
        order.returns.annotate(units=ArraySubquery(lines.values(row=of_line)))
    )
    return [
        ReturnRow(
            asked=each,
            colour=COLOURS[each.status],
            lines=each.units,
            steps=[
                (step, step_url(each, name))
                for name, step in STEPS.items()
                if each.status in COMES_FROM[step.to] and may(step.permission)
            ],
        )
        for each in returns
    ]


def next_of_returns(returns: list[ReturnRow]) -> NextStep | None:
    """Return the step to emphasise on the order's page, once no other is left; None: none."""
    for row in returns:
        for step, url in row.steps:
            return NextStep(Step(step.label, (), form=step.form), url, [])
    return None


def step_url(asked: Return, name: str) -> str:
    """Return the URL of the return's step."""
    return reverse("admin:orders_order_return", args=[asked.order_id, asked.pk, name])


def find_step(name: str) -> ReturnStep:
    """Return the step, possible or not: its service refuses it with a reason. Raises Http404."""
    if name not in STEPS:
        raise Http404
    return STEPS[name]
