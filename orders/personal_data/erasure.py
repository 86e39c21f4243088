"""Erasing a person: in small steps, each of which may be done again without a further effect.

What a row is found by goes last: files before their row, and of an order everything before its
address. So a process that dies leaves nothing that the next one can't find. A transaction changes
one order or one batch of rows, and waits no longer than PRUNING_LOCK for a lock.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib.admin.models import LogEntry
from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Lower, Now
from django_celery_results.models import TaskResult

from media_jobs.models import MediaJob
from notifications.delivery.attachments import delete_with_files
from notifications.models import KnownNumber, MessageHtml, Notification, WebhookDelivery
from orders.accounts.sessions import end_sessions
from orders.models import (
    Address,
    AgentAnswer,
    AgentCart,
    AgentCheckout,
    Cart,
    CartLine,
    CheckoutDraft,
    Order,
    OrderEvent,
    OrderNote,
    Payment,
    PaymentAttempt,
    Refund,
    Return,
    StockMovement,
    Upload,
    User,
    WaitingListEntry,
)
from orders.personal_data.invoices import erase_buyers, old_enough
from orders.personal_data.log import erase_log_entries
from orders.personal_data.media import erase_media_jobs
from orders.personal_data.person import Person, orders_carrying, orders_of, pattern_of
from orders.personal_data.refusals import CLOSED
from orders.personal_data.registry import ERASED
from orders.personal_data.reports import delete_exports, delete_lists, delete_papers
from orders.personal_data.scrubbing import holding, scrub, scrub_rows
from orders.personal_data.sessions import delete_sessions
from orders.personal_data.wording import Wording
from orders.placing.upload_store import delete_uploads, discard
from project.database.timeouts import PRUNING_LOCK, lock_timeout
from project.models import JobDecision, LimitCounter

BATCH = 200
ORDERS = 20
"""Orders whose messages and media are deleted together."""


def anonymous_email(order: Order) -> str:
    """Return the address that an erased order has: it reaches nobody (RFC 2606), and differs from
    that of the person's other orders, so that nothing connects them.
    """
    return f"erased-{order.number}@erased.invalid"


@dataclass
class Erasure:
    """One erasure: the person, and what has been done so far in this attempt, by kind."""

    person: Person
    on_step: Callable[[int, int], None] = lambda _done, _total: None
    """Called with the steps that are done and their total. May raise, to stop between two."""
    counts: dict[str, int] = field(default_factory=dict)

    def run(self) -> dict[str, int]:
        """Do all steps; return how much of each kind there was. Nothing: it was done before."""
        steps = (
            self._sign_out,
            self._erase_log,
            self._erase_orders,
            self._erase_messages,
            self._erase_loose_rows,
            self._erase_carried,
            self._erase_accounts,
            self._scrub,
        )
        with lock_timeout(PRUNING_LOCK):
            for number, step in enumerate(steps):
                self.on_step(number, len(steps))
                step()
        return {kind: count for kind, count in self.counts.items() if count}

    def _add(self, kind: str, count: int) -> None:
        self.counts[kind] = self.counts.get(kind, 0) + count

    # ── The steps ───────────────────────────────────────────────────────────────────────────
    def _sign_out(self) -> None:
        """End the person's sessions, and let no new one begin."""
        accounts = User.objects.filter(pk__in=self.person.user_ids)
        accounts.filter(is_active=True).update(is_active=False)
        for user in accounts:
            self._add("sessions", end_sessions(user))
        self._add("sessions", delete_sessions(pattern_of(self.person.identifiers)))

    def _erase_log(self) -> None:
        """Take values and reasons out of the audit log's entries about accounts and orders."""
        users = User.objects.filter(pk__in=self.person.user_ids)
        self._add("log entries", erase_log_entries(users))
        self._add("log entries", erase_log_entries(self._orders()))

    def _erase_orders(self) -> None:
        orders = self._orders()
        while page := list(orders[:ORDERS]):
            ids = [order.pk for order in page]
            uploads = Upload.objects.filter(line__order__in=ids)
            tokens = list(uploads.values_list("token", flat=True))
            of_uploads = Q(source__in=[f"upload:{token}" for token in tokens])
            jobs = MediaJob.objects.filter(Q(order_id__in=ids) | of_uploads)
            self._add("media files", erase_media_jobs(jobs.exclude(source__startswith="invoice:")))
            self._add("uploads", delete_uploads(uploads))
            self._delete_messages(Notification.objects.filter(order_id__in=ids))
            self._delete_messages(_to_staff(ids))
            self._delete_deliveries(WebhookDelivery.objects.filter(order_id__in=ids))
            self._add("reports", delete_papers(order.number for order in page))
            for order in page:
                self.on_step(2, 8)
                _anonymise(order, self.person)
                self._add("orders", 1)

    def _erase_messages(self) -> None:
        """Delete what was sent, and what waits, to the person's addresses and numbers.

        Messages about orders of others stay, without the address; a number may be shared.
        """
        small = Notification.objects.alias(small=Lower("recipient"))
        mine = small.filter(small__in=self.person.emails)
        self._delete_messages(mine.filter(order_id=None))
        left = orders_of(self.person).order_by().values("pk")  # placed meanwhile
        for page in _pages(mine.exclude(order_id=None).exclude(order_id__in=left)):
            _readdress(page, pattern_of(self.person.identifiers))
            self._add("messages", len(page))
        by_phone = Notification.objects.filter(recipient__in=self.person.phones, order_id=None)
        self._delete_messages(by_phone)

    def _erase_loose_rows(self) -> None:
        emails, phones = self.person.emails, self.person.phones
        typed = [*emails, *(name.lower() for name in self.person.usernames)]
        waiting = WaitingListEntry.objects.alias(small=Lower("email"))
        self._delete("waiting list entries", waiting.filter(small__in=emails))
        self._delete("phone numbers", KnownNumber.objects.filter(phone__in=phones))
        drafts = holding(CheckoutDraft, ("fields", "answer"), pattern_of(self.person.identifiers))
        self._delete("drafts of checkouts", drafts)
        for agents, columns in (
            (AgentAnswer, ("body",)),
            (AgentCheckout, ("wanted", "answer")),
            (AgentCart, ("wanted",)),
        ):
            rows = holding(agents, columns, pattern_of(self.person.identifiers))
            self._delete("what agents kept", rows)
        for model in (AccessAttempt, AccessFailureLog, AccessLog):
            rows = model.objects.alias(small=Lower("username")).filter(small__in=typed)
            self._delete("sign-in attempts", rows)
        keys = LimitCounter.objects.alias(small=Lower("key")).filter(small__in=[*emails, *phones])
        self._delete("counters", keys)

    def _erase_carried(self) -> None:
        """Take the address off orders of other accounts. Nothing else of these is the person's."""
        for order in orders_carrying(self.person).filter(status__in=CLOSED):
            Order.objects.filter(pk=order.pk).update(
                email=anonymous_email(order), fingerprint=ERASED, changed_at=Now()
            )
            self._add("orders of others", 1)

    def _erase_accounts(self) -> None:
        """Delete the accounts. One that the audit log names is emptied, and stays switched off."""
        lines = CartLine.objects.filter(cart__user__in=self.person.user_ids, upload__isnull=False)
        for token in lines.values_list("upload", flat=True):
            if token is not None and discard(token):
                self._add("uploads", 1)
        for user in User.objects.filter(pk__in=self.person.user_ids):
            if self._orders_left(user):
                continue  # placed meanwhile: the account is switched off, and goes the next time
            with transaction.atomic():
                if LogEntry.objects.filter(user=user).exists():
                    self._add("accounts", _emptied(user))
                else:
                    user.delete()
                    self._add("accounts", 1)
        self._delete(
            "addresses of accounts", EmailAddress.objects.filter(email__in=self.person.emails)
        )

    def _scrub(self) -> None:
        """Delete files that name the person, and replace them in all other texts."""
        self._add("exports", delete_exports(self.person))
        self._add("reports", delete_lists())
        self._add("texts", scrub(pattern_of(self.person.identifiers)))

    # ── Parts ───────────────────────────────────────────────────────────────────────────────
    def _orders(self) -> QuerySet[Order]:
        return orders_of(self.person).filter(status__in=CLOSED)

    @staticmethod
    def _orders_left(user: User) -> bool:
        return Order.objects.filter(user=user).exists()

    def _delete(self, kind: str, rows: QuerySet[Any]) -> None:
        for page in _pages(rows):
            rows.model.objects.filter(pk__in=page).delete()
            self._add(kind, len(page))

    def _delete_messages(self, rows: QuerySet[Any]) -> None:
        """Cancel those that wait, then delete them with their files and Celery's results."""
        for page in _pages(rows):
            mine = Notification.objects.filter(pk__in=page)
            mine.cancel()
            TaskResult.objects.filter(task_id__in=[str(key) for key in page]).delete()
            JobDecision.objects.filter(job_id__in=page).exclude(reason="", error="").update(
                reason="", error=""
            )
            delete_with_files(page)
            self._add("messages", len(page))

    def _delete_deliveries(self, rows: QuerySet[Any]) -> None:
        """Cancel what other systems weren't told yet, then delete what they were told."""
        for page in _pages(rows):
            mine = WebhookDelivery.objects.filter(pk__in=page)
            mine.cancel()
            TaskResult.objects.filter(task_id__in=[str(key) for key in page]).delete()
            mine.delete()
            self._add("webhook deliveries", len(page))


def _pages(rows: QuerySet[Any]) -> Iterator[list[Any]]:
    """Yield the keys of the rows in batches, while the caller deletes those of each."""
    while page := list(rows.order_by().values_list("pk", flat=True)[:BATCH]):
        yield page


def _readdress(message_ids: list[UUID], pattern: str) -> None:
    """Take the person off messages about an order of somebody else: they stay with that order."""
    with transaction.atomic():
        messages = Notification.objects.filter(pk__in=message_ids)
        messages.cancel()
        columns = ("context", "error", "result", "subject", "text", "attempts_log")
        scrub_rows(Notification, columns, pattern, keys=message_ids)
        scrub_rows(MessageHtml, ("html",), pattern, keys=message_ids)
        for key in message_ids:
            recipient = f"erased-{key.hex[-12:]}@erased.invalid"
            messages.filter(pk=key).update(recipient=recipient, delivery_reason="")


def _to_staff(order_ids: list[Any]) -> QuerySet[Notification]:
    """Return the messages to the staff about these orders' money and returns: they name the
    customer.
    """
    occasions = [
        str(key)
        for model in (Refund, PaymentAttempt, Return)
        for key in model._default_manager.filter(order__in=order_ids).values_list("pk", flat=True)
    ]
    messages: QuerySet[Notification] = Notification.objects.filter(
        event__in=("refund_owed", "payment_to_check", "return_requested"), occasion__in=occasions
    )
    return messages


def _anonymise(order: Order, person: Person) -> None:
    """Take the person off one order, its timeline, its money and its invoices."""
    words = Wording.of(order, person)
    invoices = old_enough(order.invoices.all())
    erase_buyers(list(invoices.values_list("pk", flat=True)))
    with transaction.atomic():
        # The order first: that is the lock order, and nobody writes an entry meanwhile.
        locked = Order.objects.select_for_update(no_key=True).get(pk=order.pk)
        OrderNote.objects.filter(order=order).delete()
        for event in OrderEvent.objects.filter(order=order):
            detail = words.without_person(event.detail)
            if detail != event.detail:
                OrderEvent.objects.filter(pk=event.pk).update(detail=detail)
        for payment in Payment.objects.filter(order=order):
            Payment.objects.filter(pk=payment.pk).update(
                reference=words.reference(payment.reference, key=payment.pk),
                reason=ERASED if payment.reason else "",
            )
        for refund in Refund.objects.filter(order=order):
            Refund.objects.filter(pk=refund.pk).update(
                payout_reference=words.reference(refund.payout_reference, key=refund.pk),
                reason=ERASED if refund.reason else "",
            )
        for asked in Return.objects.filter(order=order):
            Return.objects.filter(pk=asked.pk).update(
                reason=ERASED if asked.reason else "", answer=ERASED if asked.answer else ""
            )
        PaymentAttempt.objects.filter(order=order).update(url="", reason="")
        StockMovement.objects.filter(order=order).exclude(reason="").update(reason=ERASED)
        JobDecision.objects.filter(order_id=order.pk).update(reason="", error="")
        Order.objects.filter(pk=order.pk).update(
            name=ERASED,
            email=anonymous_email(order),
            phone="",
            address=_country_of(locked.address),
            fingerprint=ERASED,
            user=None,
            account_deleted=locked.account_deleted or locked.user_id is not None,
            erased_at=Now(),
            changed_at=Now(),
        )


def _country_of(address: dict[str, str]) -> dict[str, str]:
    """Return what stays of an address: that there was one, and its country, for the tax."""
    return {"line1": ERASED, "country": address["country"]} if address else {}


def _emptied(user: User) -> int:
    """Empty an account that the audit log names; return 0 if it was empty before."""
    username = f"erased-{user.pk}"
    if user.username == username:
        return 0
    for model in (Address, Authenticator, Cart, EmailAddress):
        model.objects.filter(user=user).delete()
    fresh = User(pk=user.pk, username=username, is_active=False, date_joined=user.date_joined)
    fresh.set_unusable_password()
    fresh.save(force_update=True)
    user.groups.clear()
    user.user_permissions.clear()
    return 1
