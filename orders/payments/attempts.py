"""The way of one payment: to the provider, back, and into the ledger, once.

`pay_online` leads the customer to the provider's page. Webhook, return page and sweep bring the
provider's report to `enter`, in any order and as often as they like: `orders.lifecycle.payments`
enters one payment. What doesn't fit is never entered: the attempt is left to the staff.
"""

import logging
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import Q
from django.db.models.functions import Now
from django.urls import reverse

from notifications.models import Notification
from notifications.outbox import staff_messages
from orders.accounts.staff import staff
from orders.lifecycle.errors import DoneDifferently, TransitionError
from orders.lifecycle.payments import capture
from orders.lifecycle.payouts import due_of
from orders.lifecycle.steps import lock, one_transaction
from orders.models import PaymentAttempt
from orders.payments.provider import Outcome, Provider, ProviderError, Report
from orders.payments.providers import UnknownProvider, provider_named
from project.database.clock import database_now

logger = logging.getLogger(__name__)

Status = PaymentAttempt.Status
Doubt = PaymentAttempt.Doubt

SOONEST = timedelta(seconds=5)
"""After a customer's return, the first pause before the provider is asked again."""
UNRETURNED = timedelta(minutes=1)
"""The first pause while the customer is at the provider's page."""
LATEST = timedelta(days=1)
"""The longest pause: some ways to pay take days."""
GIVEN_UP = timedelta(hours=1)
"""After so long, an attempt whose start was cut off is over: nobody knows its page."""

_OUTCOMES = {Outcome.FAILED: Status.FAILED, Outcome.CANCELLED: Status.CANCELLED}


class NothingDue(TransitionError):
    """The order needs no payment (any more)."""


class BeingChecked(TransitionError):
    """The provider has money for the order that the staff have to look at first."""


def pay_online(*, order_id: UUID, provider: str) -> str:
    """Return the address of the provider's page on which the customer pays what is due.

    Open attempts are asked about first: a customer who comes again is led to the same page, and
    nobody who has paid meanwhile pays twice. Raises UnknownProvider, ProviderError, UnknownOrder,
    OrderBusy, NothingDue, and BeingChecked.
    """
    chosen = provider_named(provider)
    _look_at_open(order_id, chosen=provider)
    attempt = begin(order_id=order_id, provider=provider)
    return attempt.url or _start(attempt, chosen)


def begin(*, order_id: UUID, provider: str) -> PaymentAttempt:
    """Return a new attempt to pay what is due, or the one that is started for the same amount.

    Raises UnknownOrder, OrderBusy, and NothingDue.
    """
    with one_transaction():
        order = lock(order_id)
        due = due_of(order)
        if not due:
            raise NothingDue
        attempt, _is_new = PaymentAttempt.objects.get_or_create(
            order=order,
            provider=provider,
            amount=due,
            status=Status.STARTED,
            defaults={"currency": order.currency, "look_after": Now() + UNRETURNED},
        )
    return attempt


def look(attempt: PaymentAttempt) -> PaymentAttempt:
    """Ask the provider about the attempt and enter its report.

    Raises UnknownProvider, ProviderError, and OrderBusy.
    """
    report = provider_named(attempt.provider).look(attempt)
    return enter(attempt=attempt, report=report)


def note_return(attempt: PaymentAttempt) -> None:
    """Note that the customer is back, so that the provider is asked soon and often."""
    PaymentAttempt.objects.filter(pk=attempt.pk, returned_at=None, status=Status.STARTED).update(
        returned_at=Now(), look_after=Now() + SOONEST
    )


def find_attempt(*, provider: str, report: Report) -> PaymentAttempt | None:
    """Return the attempt that the report is about; None if it isn't one of ours.

    A report may be faster than the answer that tells us the provider's id of the attempt.
    """
    if not report.reference:
        return None
    is_it = Q(reference=report.reference) | Q(reference="", pk=report.attempt_id)
    attempts = PaymentAttempt.objects.filter(is_it, provider=provider)
    return attempts.order_by("-reference").first()


def enter(*, attempt: PaymentAttempt, report: Report) -> PaymentAttempt:
    """Enter what the provider reports, and return the attempt as it is now.

    A repeat changes nothing, and money counts whatever was reported before: only a payment ends
    an attempt for good. Raises OrderBusy.
    """
    if report.outcome is Outcome.PAID:
        _enter_money(attempt, report)
    elif report.outcome in _OUTCOMES and _is_of(attempt, report):
        PaymentAttempt.objects.filter(pk=attempt.pk, status=Status.STARTED).update(
            status=_OUTCOMES[report.outcome], reason=report.reason[:300], finished_at=Now()
        )
    attempt.refresh_from_db()
    return attempt


def next_look(attempt: PaymentAttempt) -> timedelta:
    """Return how long the provider isn't asked again: as long as the customer waits already."""
    waits = database_now() - (attempt.returned_at or attempt.created_at)
    return min(max(waits, SOONEST), LATEST)


def _look_at_open(order_id: UUID, *, chosen: str) -> None:
    """Ask about the order's open attempts. Another provider's fault doesn't keep from paying."""
    started = PaymentAttempt.objects.filter(order_id=order_id, status=Status.STARTED)
    for attempt in started.exclude(reference=""):
        try:
            if look(attempt).status == Status.TO_CHECK:
                raise BeingChecked
        except (ProviderError, UnknownProvider) as error:
            if attempt.provider == chosen:
                raise
            logger.warning("payment attempt %s can't be asked about: %s", attempt.pk, error)


def _start(attempt: PaymentAttempt, provider: Provider) -> str:
    """Have the provider prepare its page; return the page's address."""
    page = settings.SITE_URL + reverse("order-pay-return", args=[attempt.order_id, attempt.pk])
    try:
        started = provider.start(attempt, return_url=page, leave_url=f"{page}?left=1")
    except ProviderError as error:
        # Over for good, though a cut-off request may have arrived: nobody knows its page. And
        # some providers answer a repeated key with the same fault for a day.
        PaymentAttempt.objects.filter(pk=attempt.pk, status=Status.STARTED, reference="").update(
            status=Status.FAILED, reason=str(error)[:300], finished_at=Now()
        )
        raise
    # A report may have ended the attempt already; its reference is kept all the same.
    PaymentAttempt.objects.filter(pk=attempt.pk).update(
        reference=started.reference, url=started.url
    )
    return started.url


def _is_of(attempt: PaymentAttempt, report: Report) -> bool:
    """Tell whether the report is about this attempt and no other."""
    return report.reference == (attempt.reference or report.reference) and (
        report.attempt_id in (None, attempt.pk)
    )


def _enter_money(attempt: PaymentAttempt, report: Report) -> None:
    doubt = _doubt(attempt, report)
    if not doubt:
        try:
            capture(
                order_id=attempt.order_id,
                provider=attempt.provider,
                reference=report.payment,
                amount=attempt.amount,
            )
        except DoneDifferently:
            doubt = Doubt.KNOWN
    if doubt:
        _leave_to_staff(attempt, report, doubt)
        return
    # After the payment's commit: a crash in between is repaired by the next report.
    PaymentAttempt.objects.filter(pk=attempt.pk).exclude(status=Status.PAID).update(
        status=Status.PAID, doubt="", reason="", finished_at=Now()
    )


def _doubt(attempt: PaymentAttempt, report: Report) -> PaymentAttempt.Doubt | None:
    """Return why the money can't be entered as this attempt's; None if it fits."""
    if not _is_of(attempt, report) or not report.payment:
        return Doubt.ATTEMPT
    if (report.amount, report.currency) != (attempt.amount, attempt.currency):
        return Doubt.AMOUNT
    return None


def _leave_to_staff(attempt: PaymentAttempt, report: Report, doubt: PaymentAttempt.Doubt) -> None:
    """Leave the attempt to the staff, and tell them once.

    A report that they have looked at already is no news: it is the reason of an attempt that is
    over.
    """
    said = f"{report.amount} {report.currency} {report.payment}".strip()[:300]
    logger.error("payment attempt %s: %s (%s)", attempt.pk, doubt.value, said)
    ended = (Status.PAID, Status.TO_CHECK)
    with one_transaction():
        won = PaymentAttempt.objects.filter(pk=attempt.pk).exclude(
            Q(status__in=ended) | Q(status=Status.FAILED, reason=said)
        )
        if won.update(status=Status.TO_CHECK, doubt=doubt, reason=said, finished_at=Now()):
            attempt.refresh_from_db()
            Notification.objects.bulk_create(
                staff_messages(
                    event="payment_to_check",
                    readers=staff(),
                    occasion=str(attempt.pk),
                    context=to_check_context(attempt),
                )
            )


def to_check_context(attempt: PaymentAttempt) -> dict[str, str]:
    """Return the context of the message to the staff about an attempt to check."""
    page = reverse("admin:orders_order_change", args=[attempt.order_id])
    return {
        "number": attempt.order.display_number,
        "name": attempt.order.name,
        "provider": attempt.provider,
        "amount": str(attempt.amount),
        "currency": attempt.currency,
        "doubt": attempt.doubt,
        "reason": attempt.reason,
        "url": settings.SITE_URL + page,
    }
