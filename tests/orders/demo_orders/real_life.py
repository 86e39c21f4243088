"""Real orders, brought through their whole lives by the services and the workers' code."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from allauth.account.models import EmailAddress
from celery import Task, current_app
from celery.app.task import Context
from celery.backends.base import Backend
from django.db.models.functions import Now

from media_jobs import pickup_pass
from media_jobs.models import MediaJob
from media_jobs.tasks import process
from notifications.channels.message import NoAnswerError, Receipt
from notifications.delivery import attempt
from notifications.delivery.gateways import EMAIL, SMS, Gateway, gateways
from notifications.models import Notification
from notifications.receipts import effect
from notifications.receipts.report import Report
from notifications.tasks import send
from orders.catalogue.stock import correct_stock
from orders.lifecycle.payouts import pay_out
from orders.lifecycle.transitions import (
    cancel,
    correct_parcel,
    deliver,
    expire,
    pack,
    pay,
    refund,
    ship,
)
from orders.models import Order, Product, Refund, User
from orders.placing.by_operator import ByOperator
from orders.placing.placement import place_order
from orders.placing.request import ChosenDelivery
from orders.placing.writers import drain
from project.jobs.dispatch import bury
from project.jobs.errors import JobError, NotNowError, PermanentError
from project.jobs.model import Job
from project.jobs.queryset import MAX_LOST, PARKED
from tests.factories import order_request
from tests.order_states import aged, refund_order

HOME = {"line1": "Lindenstraße 1", "postcode": "10969", "city": "Berlin", "country": "DE"}
PHONE = "+493023125001"
DELIVERIES = tuple(Notification.Delivery)


def place(**changes: Any) -> Order:
    lines = (("TEA", 1), ("MUG", 3))
    changes.setdefault("source", Order.Source.SHOP)
    return place_order(order_request(*lines, **changes)).order


def pay_all(order: Order) -> Order:
    return pay(order_id=order.pk, method="card", reference="R", amount=order.total, user=_clerk())


def _clerk() -> User:
    return User.objects.get_or_create(username="clerk")[0]


def live_all_lives() -> None:
    """Leave an order of every fate, in every status, with their messages and passes queued."""
    clerk = _clerk()
    place(phone=PHONE, user_id=_account().pk)
    for _order in range(3):
        place(phone=PHONE)
    place(source=Order.Source.DESK, operator=ByOperator(clerk.pk))
    pay_all(place())
    pack(order_id=pay_all(place()).pk, user=clerk)
    of_account = place(user_id=User.objects.get(username="ada").pk)
    picked_up = pack(order_id=pay_all(of_account).pk, user=clerk)
    deliver(order_id=picked_up.pk, user=clerk)
    flat_rate = ChosenDelivery("flat-rate", "standard")
    sent = pack(
        order_id=pay_all(place(address=HOME, phone=PHONE, delivery=flat_rate)).pk, user=clerk
    )
    ship(order_id=sent.pk, carrier="DHL", tracking_number="JD01", user=clerk)
    correct_parcel(order_id=sent.pk, carrier="DHL", tracking_number="JD02", user=clerk)
    deliver(order_id=sent.pk, user=clerk)
    refund_order(sent.pk, {"MUG": 1}, reason="broken", user=clerk)
    refund_order(sent.pk, user=clerk)
    _pay_out(sent)
    in_parts = place()
    pay(
        order_id=in_parts.pk,
        method="transfer",
        reference="1",
        amount=in_parts.total / 2,
        user=clerk,
    )
    pay(
        order_id=in_parts.pk,
        method="transfer",
        reference="2",
        amount=in_parts.total / 2,
        user=clerk,
    )
    refund(order_id=in_parts.pk, refund_id=UUID(int=4), restock=False, user=clerk)
    cancel(order_id=place().pk, by_shopper=True)
    cancel(order_id=pay_all(place()).pk, by_shopper=True)
    _pay_out(cancel(order_id=pay_all(place()).pk, by_shopper=True))
    cancel(order_id=pay_all(place()).pk, reason="Damaged in our store", user=clerk)
    expire(order_id=aged(place(), hours=80).pk, hours=72)
    tea = Product.objects.get(sku="TEA")
    correct_stock(product_id=tea.pk, delta=9, reason="Delivery", user_id=None)
    drain(timeout=20)  # settled


def _pay_out(order: Order) -> None:
    owed = Refund.objects.filter(order=order).earliest("created_at")
    pay_out(refund_id=owed.pk, reference="OUT-1", user=_clerk())


def _account() -> User:
    user = User.objects.create_user("ada", "ada@example.net", None)
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user


def end_jobs(monkeypatch: Any) -> None:
    """Let the workers' code end every queued job, in each way, and keep their results."""
    answers = {
        EMAIL: [
            PermanentError("550 no such mailbox"),
            PermanentError("550 no such mailbox, and an operator cancels it"),
            NotNowError("the mail server is down"),
        ],
        SMS: [
            PermanentError("400 no such number"),
            PermanentError("400 no such number, and an operator cancels it"),
            NoAnswerError("no answer within 20 s"),
        ],
    }

    def send_by(gateway: Gateway, message: Any, *, deadline: Any) -> Receipt:
        errors = answers[EMAIL if gateway.name == EMAIL else SMS]
        if errors:
            raise errors.pop(0)
        return Receipt(provider_id=f"<{message.id}@x>", answer="250 Ok")

    monkeypatch.setattr(Gateway, "send", send_by)
    monkeypatch.setattr(Gateway, "repeats_are_safe", lambda gateway: gateway.name == EMAIL)
    for channel in (EMAIL, SMS):
        die_with_one(channel)
    run_all(Notification, send)
    with monkeypatch.context() as patch:
        patch.setattr(pickup_pass, "draw", _no_memory)
        run_all(MediaJob, process, limit=1)
    run_all(MediaJob, process)
    failed = Notification.objects.filter(status="failed", error__contains="an operator")
    assert failed.cancel_failed() == 2
    report_each()


def die_with_one(channel: str) -> None:
    """Let three workers die with a message of the channel that its gateway may have."""
    message = Notification.objects.filter(status="queued", channel=channel).latest("created_at")
    for _worker in range(MAX_LOST):
        claimed = Notification.objects.claim(message.pk)
        attempt._words(claimed, gateways(channel))
        Notification.objects.filter(pk=message.pk).update(lease_until=Now() - timedelta(seconds=1))
    assert bury(Notification) == 1


def _no_memory(_context: Any) -> None:
    raise MemoryError


def report_each() -> None:
    """Let reports of every kind arrive."""
    done = Notification.objects.filter(status="done", channel="email").order_by("-created_at")
    reports = [(delivery, "abuse" * (delivery != "delivered")) for delivery in DELIVERIES]
    for message, (delivery, reason) in zip(done, reports, strict=False):
        assert effect.apply(
            Report(message_id=message.pk, delivery=delivery, reason=reason), channel="email"
        )


def run_all(model: type[Job], task: Task, *, limit: int | None = None) -> None:
    waiting = model.objects.filter(status="queued").exclude(ring_after=PARKED).order_by("pk")
    for job_id in list(waiting.values_list("pk", flat=True)[:limit]):
        run(model, task, str(job_id))


def run(model: type[Job], task: Task, job_id: str) -> None:
    """Run the job and keep its result as a worker does, from the relay's own message."""
    published = current_app.amqp.create_task_message(job_id, model.task, args=[job_id])
    request = Context(published.headers, hostname=f"{model.queue}@host", called_directly=False)
    backend: Backend = task.backend
    try:
        result = task.run(job_id)
    except JobError as error:
        trace = f"Traceback (most recent call last):\n{error}"
        backend.mark_as_failure(job_id, error, traceback=trace, request=request)
    else:
        backend.mark_as_done(job_id, result, request=request)
