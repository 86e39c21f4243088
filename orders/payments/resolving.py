"""What the staff decide about a payment to check: money that a provider reported, and didn't fit.

An attempt stays to check until a person has looked at the provider's own page. Then it is over, and
the customer can pay what is still due. A report that comes later counts as any other: money that
fits is entered. One that the staff have looked at changes nothing; after money that didn't come,
another one is to check again.
"""

from contextlib import suppress
from decimal import Decimal
from uuid import UUID

from django.db.models import TextChoices
from django.db.models.functions import Now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from orders.lifecycle.errors import InvalidTransition, TransitionError
from orders.lifecycle.payments import CENT, enter_captured
from orders.lifecycle.steps import Kind, cleaned, cleaned_code, lock, one_transaction, record, touch
from orders.models import Order, PaymentAttempt, User
from orders.payments.attempts import Status


class Resolution(TextChoices):
    """What became of the money."""

    CAME = "came", gettext_lazy("It came: enter it now")
    ENTERED = "entered", gettext_lazy("It came, and is entered already")
    NOTHING = "nothing", gettext_lazy("It didn't come")


class ResolvedMeanwhile(TransitionError):
    """The attempt isn't to check any more: a colleague or the provider was faster."""

    def __init__(self, attempt: PaymentAttempt) -> None:
        says = _("This payment isn't to check any more. It is: %(status)s.")
        super().__init__(says % {"status": attempt.get_status_display()})


def resolve(
    *,
    attempt_id: UUID,
    resolution: str,
    reason: str,
    user: User,
    amount: Decimal | None = None,
    reference: str = "",
) -> Order:
    """End an attempt that is to check; one caller wins. Return the order.

    With CAME the `amount`, in the order's currency, is entered under the provider's `reference` of
    the payment, so that a later report of it finds it there. What the order doesn't need is owed to
    the customer. Raises ResolvedMeanwhile, InvalidTransition, DoneDifferently, and OrderBusy.
    """
    reason = cleaned(reason, name=_("Reason"), max_length=200)
    if resolution not in Resolution:
        raise InvalidTransition(_("Choose what became of the money."))
    came = resolution == Resolution.CAME
    if came:
        reference = cleaned_code(reference, name=_("Reference"), max_length=100)
        if amount is None or not amount.is_finite() or amount <= 0 or amount % CENT:
            raise InvalidTransition(_("Enter an amount of money."))
    order_id = PaymentAttempt.objects.values_list("order_id", flat=True).get(pk=attempt_id)
    with one_transaction():
        order = lock(order_id)
        status = Status.FAILED if resolution == Resolution.NOTHING else Status.PAID
        won = PaymentAttempt.objects.filter(pk=attempt_id, status=Status.TO_CHECK)
        # Its `reason` stays: a repeat of the report that was looked at changes nothing.
        if not won.update(status=status, doubt="", finished_at=Now()):
            raise ResolvedMeanwhile(PaymentAttempt.objects.get(pk=attempt_id))
        attempt = PaymentAttempt.objects.get(pk=attempt_id)
        touch(order.pk)
        record(
            order,
            Kind.PAYMENT_CHECKED,
            user=user,
            outcome=resolution,
            reason=reason,
            amount=str(amount if came else attempt.amount),
            reference=reference or attempt.reference,
            provider=attempt.provider,
        )
        if came and amount is not None:
            order = enter_captured(
                order, provider=attempt.provider, reference=reference, amount=amount, user=user
            )
    return order


def reported(attempt: PaymentAttempt) -> tuple[Decimal | None, str]:
    """Return what a form opens with: the reported amount, and the provider's reference of it.

    No amount if it is in another currency than the order's.
    """
    amount, currency, reference = [*attempt.reason.split(maxsplit=2), "", "", ""][:3]
    with suppress(ArithmeticError):
        if currency == attempt.currency:
            return Decimal(amount).quantize(CENT), reference
    return None, reference
