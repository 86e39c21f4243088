"""The steps that an order may take next, each with its button.

`orders.desk.steps` has their pages.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.http import Http404
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from orders.desk import effects
from orders.desk.contact_forms import ContactForm, SendAgainForm
from orders.desk.step_forms import (
    CancelForm,
    CorrectionForm,
    ParcelForm,
    PaymentForm,
    RefundForm,
    StepForm,
)
from orders.desk.transitions import CHANGE, PACK, REFUND
from orders.lifecycle import transitions
from orders.lifecycle.corrections import CORRECTABLE
from orders.lifecycle.errors import WrongStatus
from orders.lifecycle.payouts import due_of
from orders.lifecycle.steps import COMES_FROM, packed_from
from orders.models import Order, OrderEvent, User

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
    to: str = ""
    """What `WrongStatus` names its refusal by; empty for a step that no status refuses."""

    def refusal(self, order: Order) -> WrongStatus | None:
        """Return why the step's page isn't for the order as it is; None if it is."""
        is_for_it = order.status in self.among or (self.to == Status.PAID and due_of(order))
        return None if is_for_it or not self.to else WrongStatus(order, to=self.to)

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
    "pay": Step(_("Take a payment"), COMES_FROM[Status.PAID], form=PaymentForm, to=Status.PAID),
    "pack": Step(
        _("Mark as packed"),
        COMES_FROM[Status.PACKED],
        take=_pack,
        effects=effects.of_packing,
        permission=PACK,
    ),
}


_BY_POST: dict[str, Step] = {
    "ship": Step(_("Ship"), COMES_FROM[Status.SHIPPED], form=ParcelForm, to=Status.SHIPPED),
    "deliver": Step(
        _("Mark as delivered"),
        COMES_FROM[Status.DELIVERED],
        take=_deliver,
        effects=effects.of_delivery,
    ),
    "correct": Step(
        _("Correct the parcel"),
        (Status.SHIPPED,),
        form=CorrectionForm,
        to=OrderEvent.Kind.PARCEL_CORRECTED,
    ),
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
        to=Status.REFUNDED,
    ),
    "cancel": Step(
        _("Cancel the order"),
        COMES_FROM[Status.CANCELLED],
        form=CancelForm,
        variant="secondary",
        to=Status.CANCELLED,
    ),
}


_CONTACT: dict[str, Step] = {
    "contact": Step(
        _("Correct the contact"), CORRECTABLE, form=ContactForm, to=OrderEvent.Kind.CORRECTED
    ),
    "again": Step(_("Send messages again"), tuple(Status), form=SendAgainForm),
}
"""Their links are beside the contact."""


def next_steps(order: Order, *, is_due: bool = False) -> dict[str, Step]:
    """Return the order's possible steps by name, the usual one first.

    `is_due`: the customer has to pay although the order is packed: a payment was undone, or it is
    paid at pick-up.
    """
    steps = _BEFORE | (_BY_POST if order.address else _PICKED_UP) | _BACK
    possible = {name: step for name, step in steps.items() if order.status in step.among}
    if order.status == Status.PLACED and order.status in packed_from(order):
        possible = {"pack": steps["pack"]} | possible  # it is paid when it is picked up
    if not order.total:
        possible.pop("pay", None)  # a payment of nothing
    return {"pay": _BEFORE["pay"]} | possible if is_due else possible


def step_url(order: Order, name: str) -> str:
    """Return the URL of the order's step."""
    return reverse("admin:orders_order_step", args=[order.pk, name])


def find_step(order: Order, name: str) -> Step:
    """Return the step, possible or not: its transition refuses it with a reason."""
    kinds = _BEFORE | _BY_POST | _BACK | _CONTACT
    if not order.address:
        kinds = kinds | _PICKED_UP
    if name not in kinds:
        raise Http404
    return kinds[name]
