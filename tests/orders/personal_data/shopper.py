"""A shopper with one of everything that the shop keeps of a person."""

import json
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.backends.db import SessionStore
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client
from django_celery_results.models import TaskResult

from media_jobs.models import MediaJob
from notifications.delivery.known_numbers import know
from notifications.delivery.stored_html import store_html
from notifications.models import ChannelState, Notification, WebhookDelivery
from notifications.outbox import account_message, announcement_message
from notifications.webhooks.events import EVENTS
from orders.carts.cart import ShopperCart
from orders.lifecycle.corrections import correct_contact
from orders.lifecycle.invoices import issue_invoice
from orders.lifecycle.notes import add_note
from orders.lifecycle.payouts import pay_out
from orders.lifecycle.transitions import deliver, pack, pay, refund, ship
from orders.messages import waiting_list
from orders.models import Address, DeskJob, Order, PaymentAttempt, Product, Refund, Return, User
from orders.placing.placement import place_order
from orders.shop.drafts import keep_draft
from project.database.clock import database_now
from project.desk.audit_log import record_action
from project.jobs.run import run_job
from project.limits.counters import Count, take
from project.limits.rates import Rate
from project.models import JobDecision, SavedView, Sweep
from tests.factories import add_product, order_request, uploaded_file
from tests.notifications.webhooks.receiver import endpoint_at

EMAIL = "mina.quast@example.org"
TYPED = "Mina.Quast@example.org"
OLD_EMAIL = "wmq-first@example.net"
NAME = "Wilhelmina Quastenflosse"
PHONE = "+4915112345678"
ADDRESS = {
    "line1": "Zwetschgenweg 117",
    "line2": "Hinterhaus Pfirsich",
    "city": "Quitzdorf",
    "postcode": "02906",
    "country": "DE",
}
NOTE = "sings while waiting"
REASON = "rang twice about her cat"
BROWSER = "QuastBrowser/7"
PICTURE = b"\x89PNG\r\n\x1a\n" + b"quast-family-portrait" + bytes(300)

PIECES = (
    *(EMAIL, OLD_EMAIL, "mina.quast", "minaq77", "Wilhelmina", "Quastenflosse"),
    *(PHONE, PHONE[1:], "Zwetschgenweg", "Pfirsich", "Quitzdorf", "02906"),
    *(NOTE, REASON, BROWSER, "203.0.113.77", "holiday-of-mina.png", "quast-family-portrait"),
    *("JD0099QUAST", "Mina%2EQuast%40example.org".replace("%2E", ".")),
)
"""What must be found nowhere afterwards, and somewhere before."""


@dataclass
class Shopper:
    user: User
    order: Order
    """Of the account: delivered, with an upload, partly refunded, and an invoice."""
    guests: Order
    """A guest's order with the same address in other letters: picked up, with its pass."""
    other: Order
    """Another account's order on which the address stands."""
    files: list[str]
    """Files that are the person's alone."""


def shopper(client: Client, *, boss: User) -> Shopper:
    """Make them. The orders are placed by the real writers, and go the real way."""
    endpoint_at("https://warehouse.example/hooks", events=[*EVENTS])
    add_product("MUG", price="12.50", stock=50, personalisation="either")
    add_product("TEA", price="5.00", stock=50)
    sold_out = add_product("RARE", stock=0)
    user = User.objects.create_user("minaq77", TYPED, "a long password", name=NAME, phone=PHONE)
    EmailAddress.objects.create(user=user, email=EMAIL, verified=True, primary=True)
    Address.objects.create(user=user, is_default=True, **ADDRESS)
    order = _account_order(user, boss)
    guests = place_order(
        order_request(("TEA", 1), name=NAME, email=TYPED, phone=PHONE, counted_address="")
    ).order
    passes = MediaJob.objects.get(order_id=guests.pk, kind="pickup_pass")
    run_job(MediaJob, passes.pk)
    _finish(guests)
    other_user = User.objects.create_user("friend", "friend@example.org")
    other = place_order(
        order_request(("TEA", 1), name="A Friend", email=EMAIL, user_id=other_user.pk)
    ).order
    _finish(other)
    _in_the_shop(client, user, sold_out)
    _traces(boss, user, order)
    _tell_the_warehouse()
    files = [str(upload.file.name) for line in order.lines.all() for upload in line.uploads.all()]
    files += passes.renditions.values_list("file", flat=True)
    return Shopper(user, order, guests, other, files)


def _account_order(user: User, boss: User) -> Order:
    upload = uploaded_file(PICTURE, name="holiday-of-mina.png", address="203.0.113.77")
    order = place_order(
        order_request(
            ("MUG", 2, upload.token),
            name=NAME,
            email=OLD_EMAIL,
            phone=PHONE,
            address=ADDRESS,
            user_id=user.pk,
        )
    ).order
    correct_contact(
        order_id=order.pk, name=NAME, email=TYPED, phone=PHONE, address=ADDRESS, user=boss
    )
    add_note(order_id=order.pk, note_id=uuid4(), text=NOTE, user=boss)
    reference = f"transfer of {NAME}"
    pay(order_id=order.pk, method="transfer", reference=reference, amount=order.total)
    issue_invoice(order_id=order.pk)
    pack(order_id=order.pk)
    ship(order_id=order.pk, carrier="DHL", tracking_number="JD0099QUAST")
    deliver(order_id=order.pk)
    refund_id = uuid4()
    refund(order_id=order.pk, refund_id=refund_id, restock=True, lines={"MUG": 1}, reason=REASON)
    pay_out(refund_id=refund_id, reference=f"back to {EMAIL}")
    PaymentAttempt.objects.create(
        order=order,
        provider="test-bank",
        reference="T-1",
        url=f"https://bank.example/?for={EMAIL}",
        amount=order.total,
        currency="EUR",
        status="failed",
        reason=f"the card of {NAME} was refused",
        finished_at=database_now(),
    )
    Return.objects.create(
        id=uuid4(),
        order=order,
        status="refused",
        reason=REASON,
        answer=f"{NAME} asked too late",
        ended_at=database_now(),
    )
    assert Refund.objects.filter(order=order).exists()
    return order


def _finish(order: Order) -> None:
    pay(order_id=order.pk, method="cash", reference=str(order.number), amount=order.total)
    pack(order_id=order.pk)
    if order.address:
        ship(order_id=order.pk, carrier="DHL")
    deliver(order_id=order.pk)


def _tell_the_warehouse() -> None:
    """Give each delivery the body of its first attempt, and an answer that names the person."""
    for delivery in WebhookDelivery.objects.all():
        delivery.body = json.dumps(delivery.context, ensure_ascii=False)
        delivery.attempts_log = [{"answer": f"no such person: {EMAIL}"}]
        delivery.error = f"refused: {EMAIL}"
        delivery.save()


def _in_the_shop(client: Client, user: User, sold_out: Any) -> None:
    """What a browser leaves: a session, a cart, a draft, wrong passwords, a waiting list."""
    browser = {"HTTP_USER_AGENT": BROWSER, "REMOTE_ADDR": "203.0.113.77"}
    for email in (TYPED, EMAIL.upper()):
        form = {"login": email, "password": "wrong"}
        client.post("/accounts/login/?password", form, **browser)  # type: ignore[arg-type]
    client.force_login(user)
    client.get("/accounts/", **browser)  # type: ignore[arg-type]
    UserSession.objects.create(
        user=user, ip="203.0.113.77", user_agent=BROWSER, session_key=client.session.session_key
    )
    cart = ShopperCart(client.session, user_id=user.pk)
    in_cart = uploaded_file(PICTURE, name="holiday-of-mina.png", address="203.0.113.77")
    cart.add(Product.objects.get(sku="MUG"), 1, upload=str(in_cart.token))
    fields = {"name": [NAME], "email": [TYPED], "line1": [ADDRESS["line1"]]}
    keep_draft(None, fields=fields, answer={"problem": "busy"})
    waiting_list.join(product=sold_out, email=TYPED, language="en", is_known=False)
    know(PHONE)
    take([Count("order:email", EMAIL, Rate(10, 3600)), Count("order:phone", PHONE, Rate(9, 3600))])
    guest = SessionStore()
    guest["account_login"] = {"email": TYPED}
    guest.save()
    code = account_message(
        event="sign_in_code", recipient=EMAIL, language="en", context={"code": "778812"}
    )
    code.save(force_insert=True)
    sms = account_message(
        event="phone_confirmation", recipient=PHONE, language="en", context={"code": "778812"}
    )
    sms.save(force_insert=True)
    news = announcement_message(
        announcement_id=1,
        reader_id=user.pk,
        email=EMAIL,
        name=NAME,
        language="en",
        subject="News",
        text="…",
        preferences_url="",
        unsubscribe_url="",
    )
    news.save(force_insert=True)
    store_html(news, f"<p>Dear {NAME}</p>")


def _traces(boss: User, user: User, order: Order) -> None:
    """What logs, jobs and errors say of them."""
    record_action(user_id=boss.pk, label="Cancel", rows=[order], reason=REASON)
    LogEntry.objects.create(
        user=boss,
        content_type=ContentType.objects.get_for_model(User),
        object_id=str(user.pk),
        object_repr=str(user),
        action_flag=CHANGE,
        change_message=json.dumps(
            [{"values": [["name", "W. Quastenflosse", NAME, False]]}, {"reason": REASON}]
        ),
    )
    filters = [{"export": "Orders", "format": "CSV", "filters": [["search", TYPED, False]]}]
    LogEntry.objects.create(
        user=boss, object_repr="", action_flag=CHANGE, change_message=json.dumps(filters)
    )
    message = Notification.objects.filter(order_id=order.pk).first()
    assert message is not None
    TaskResult.objects.create(task_id=str(message.pk), result=json.dumps({"answer": f"{NAME}"}))
    TaskResult.objects.create(task_id=str(uuid4()), traceback=f"550 <{TYPED}>: no such user")
    JobDecision.objects.create(
        job_id=message.pk,
        order_id=order.pk,
        app="notification",
        label="Retry",
        error=f"550 {NAME} <{EMAIL}>",
        reason=REASON,
        user=boss,
    )
    ChannelState.objects.create(gateway="email", error=f"RCPT TO:<{EMAIL}> refused")
    Sweep.objects.update_or_create(name="settle_due", defaults={"error": f"of {PHONE}"})
    SavedView.objects.create(
        list="orders.order", name="hers", query="q=Mina.Quast%40example.org", owner=boss
    )
    slips = default_storage.save("desk/papers/slips.pdf", ContentFile(f"to {NAME}"))
    DeskJob.objects.create(
        kind="print_packing_slips",
        status="done",
        context={"orders": [1, order.number]},
        report=slips,
        finished_at=database_now(),
    )
    others = default_storage.save("desk/papers/others.pdf", ContentFile("to somebody else"))
    DeskJob.objects.create(
        kind="print_packing_slips", status="done", context={"orders": [1]}, report=others
    )
    report = default_storage.save("desk/exports/orders.csv", ContentFile(f"{NAME};{EMAIL}"))
    DeskJob.objects.create(
        kind="export_list",
        status="done",
        user=boss,
        context={"list": "orders.order", "query": f"?q={EMAIL}"},
        report=report,
        finished_at=database_now(),
    )
