"""All that the shop has of a person, in one zip: JSON by class, their files, and a README.

It is what Art. 15 and 20 of the GDPR want: complete, structured, commonly used, machine-readable.
Left out are names of operators, secrets (passwords, codes, keys of sessions), and what is about the
shop and not the person.
"""

import json
import shutil
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import Any

from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Q, QuerySet
from django.db.models.functions import Lower
from django.utils.functional import Promise
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from media_jobs.models import MediaJob
from notifications.models import Notification, WebhookDelivery
from orders.models import Address, CartLine, Order, Upload, User, WaitingListEntry
from orders.personal_data.person import Person, orders_of
from project.database.clock import database_now
from project.desk.audit_log import told

FILE_NAME = "person.zip"
PAGE = 100


@dataclass(frozen=True)
class Part:
    """One JSON file of the zip."""

    name: str
    about: str | Promise
    """What is in it, for the README."""
    rows: Callable[[Person], Iterable[dict[str, Any]]]


@contextmanager
def written_zip(
    person: Person, *, on_step: Callable[[int, int], None] = lambda _done, _total: None
) -> Iterator[tuple[File, dict[str, int]]]:
    """Yield the zip, which is written to the disk, and how much of each part is in it."""
    counts: dict[str, int] = {}
    with TemporaryFile(prefix="tandem-person-") as written:
        with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
            for number, part in enumerate(PARTS):
                on_step(number, len(PARTS) + 1)
                counts[part.name] = _write_json(archive, part, person)
            on_step(len(PARTS), len(PARTS) + 1)
            counts["files"] = sum(_write_file(archive, *each) for each in _files(person))
            archive.writestr("README.txt", readme(counts))
        written.seek(0)
        yield File(written), counts


def _write_json(archive: zipfile.ZipFile, part: Part, person: Person) -> int:
    """Write the rows one by one: a person may have a thousand orders."""
    count = 0
    with archive.open(f"{part.name}.json", "w") as file:
        file.write(b"[")
        for row in part.rows(person):
            text = json.dumps(row, cls=DjangoJSONEncoder, ensure_ascii=False, indent=1)
            file.write((b",\n" if count else b"\n") + text.encode())
            count += 1
        file.write(b"\n]\n")
    return count


def _write_file(archive: zipfile.ZipFile, stored: str, name: str) -> int:
    try:
        with (
            default_storage.open(stored, "rb") as source,
            archive.open(f"files/{name}", "w") as target,
        ):
            shutil.copyfileobj(source, target)
    except FileNotFoundError:
        return 0
    return 1


def readme(counts: dict[str, int]) -> str:
    """Return the README in the current language: what each file is."""
    files = _("your uploads, your pickup passes and your invoices")
    lines = [
        _("Your data at %(shop)s") % {"shop": settings.SHOP_NAME},
        _("As of %(time)s") % {"time": f"{localtime(database_now()):%Y-%m-%d %H:%M %Z}"},
        "",
        _("Each .json file is a list; programs and text editors open it. Times are in UTC."),
        "",
        *(f"{part.name}.json ({counts[part.name]}): {part.about}" for part in PARTS),
        f"files/ ({counts['files']}): {files}",
        "",
        _("Not in it: passwords, sign-in codes and other secrets, and who of the staff did what."),
        _("To have your data deleted, choose “My data” in your account, or write to us."),
    ]
    return "\n".join(lines) + "\n"


# ── The parts ───────────────────────────────────────────────────────────────────────────────
def own_orders(person: Person) -> QuerySet[Order]:
    """Return the person's orders, but for those of deleted accounts: they are nobody's to read."""
    return orders_of(person).filter(account_deleted=False)


def _in_pages(rows: QuerySet[Any]) -> Iterator[Any]:
    """Yield the rows by key in pages: no cursor stays open while the zip is written."""
    page = list(rows.order_by("pk")[:PAGE])
    while page:
        yield from page
        page = list(rows.order_by("pk").filter(pk__gt=page[-1].pk)[:PAGE])


def _values(row: Any, *names: str) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names}


def _account(person: Person) -> Iterator[dict[str, Any]]:
    for user in User.objects.filter(pk__in=person.user_ids):
        emails = EmailAddress.objects.filter(user=user).order_by("-primary", "pk")
        yield {
            **_values(user, "username", "email", "name", "first_name", "last_name", "phone"),
            **_values(user, "language", "date_joined", "last_login", "is_active"),
            **_values(user, "wants_announcements", "muted_events"),
            "email_addresses": [_values(each, "email", "verified", "primary") for each in emails],
            "addresses": [
                _values(each, "line1", "line2", "postcode", "city", "region", "country")
                for each in Address.objects.filter(user=user)
            ],
            "cart": [
                _values(line, "sku", "quantity", "seen_name", "seen_price")
                for line in CartLine.objects.filter(cart__user=user)
            ],
        }


def _orders(person: Person) -> Iterator[dict[str, Any]]:
    for order in _in_pages(own_orders(person)):
        yield {
            "id": order.pk,
            "number": order.display_number,
            **_values(order, "status", "door", "name", "email", "phone", "language", "address"),
            **_values(order, "currency", "items_total", "delivery_total", "total", "delivery"),
            **_values(order, "discount_total", "voucher_code"),
            **_values(order, "payment_method", "placed_at", "changed_at"),
            "lines": [
                _values(line, "sku", "name", "quantity", "unit_price", "total", "refunded")
                for line in order.lines.all()
            ],
            "timeline": [
                _values(event, "kind", "detail", "created_at") for event in order.events.all()
            ],
            "payments": [
                _values(paid, "method", "reference", "provider", "amount", "reason", "created_at")
                for paid in order.payments.all()
            ],
            "payment_attempts": [
                _values(each, "provider", "reference", "amount", "status", "reason", "created_at")
                for each in order.payment_attempts.all()
            ],
            "refunds": [
                _values(each, "amount", "reason", "status", "created_at", "paid_out_at")
                for each in order.refunds.all()
            ],
            "returns": [
                {
                    **_values(each, "status", "is_late", "reason", "answer", "requested_at"),
                    "ended_at": each.ended_at,
                    "lines": [
                        {"sku": row.line.sku, **_values(row, "quantity", "received")}
                        for row in each.lines.select_related("line")
                    ],
                }
                for each in order.returns.all()
            ],
            "invoices": [
                {"number": each.display_number, "issued_at": each.issued_at, "content": each.data}
                for each in order.invoices.all()
            ],
            "notes_of_the_shop": [
                _values(note, "text", "created_at") for note in order.notes.all()
            ],
        }


def _uploads(person: Person) -> Iterator[dict[str, Any]]:
    for upload in uploads_of(person):
        yield {
            **_values(upload, "name", "content_type", "size", "sha256", "address", "created_at"),
            "order": upload.line.order.display_number if upload.line else None,
        }


def uploads_of(person: Person) -> QuerySet[Upload]:
    """Return the person's uploads: of their orders, and in their cart."""
    in_cart = CartLine.objects.filter(cart__user__in=person.user_ids, upload__isnull=False)
    return (
        Upload.objects.filter(
            Q(line__order__in=own_orders(person).order_by().values("pk"))
            | Q(token__in=in_cart.values("upload"))
        )
        .select_related("line__order")
        .order_by("created_at")
    )


def messages_of(person: Person) -> QuerySet[Any]:
    """Return the messages to the person, and those of their orders."""
    return Notification.objects.alias(small=Lower("recipient")).filter(
        Q(small__in=person.emails)
        | Q(recipient__in=person.phones, order_id=None)
        | Q(order_id__in=own_orders(person).order_by().values("pk"))
    )


def _messages(person: Person) -> Iterator[dict[str, Any]]:
    for message in _in_pages(messages_of(person)):
        yield {
            **_values(message, "event", "channel", "recipient", "language", "subject", "text"),
            **_values(message, "status", "delivery", "delivery_at", "created_at", "finished_at"),
        }


def _deliveries(person: Person) -> Iterator[dict[str, Any]]:
    orders = own_orders(person).order_by().values("pk")
    deliveries: Any = WebhookDelivery.objects.filter(order_id__in=orders)
    for delivery in _in_pages(deliveries):
        yield {
            "told_to": delivery.endpoint.name,
            **_values(delivery, "kind", "context", "status", "created_at", "finished_at"),
        }


def _waiting(person: Person) -> Iterator[dict[str, Any]]:
    rows = WaitingListEntry.objects.alias(small=Lower("email")).filter(small__in=person.emails)
    for entry in rows.select_related("product").order_by("created_at"):
        yield {
            "product": entry.product.name,
            **_values(entry, "email", "language", "created_at", "confirmed_at", "told_at"),
        }


def _sign_ins(person: Person) -> Iterator[dict[str, Any]]:
    for session in UserSession.objects.filter(user__in=person.user_ids).order_by("created_at"):
        yield {"kind": "session", **_values(session, "ip", "user_agent", "created_at")} | _values(
            session, "last_seen_at"
        )
    typed = [*person.emails, *(name.lower() for name in person.usernames)]
    attempts = AccessAttempt.objects.alias(small=Lower("username")).filter(small__in=typed)
    for attempt in attempts.order_by("attempt_time"):
        yield {
            "kind": "wrong password",
            **_values(attempt, "username", "ip_address", "user_agent", "path_info"),
            **_values(attempt, "attempt_time", "failures_since_start"),
        }


def _changes(person: Person) -> Iterator[dict[str, Any]]:
    """Yield what the desk changed of the account and the orders; who did it is not the person's."""
    for model, keys in (
        (User, [str(key) for key in person.user_ids]),
        (Order, [str(key) for key in own_orders(person).order_by().values_list("pk", flat=True)]),
    ):
        kind = ContentType.objects.get_for_model(model)
        entries = LogEntry.objects.filter(content_type=kind, object_id__in=keys)
        for entry in entries.order_by("pk"):
            words = told(entry)
            yield {
                "at": entry.action_time,
                "about": model._meta.model_name,
                "id": entry.object_id,
                "what": words.sentences,
                "values": [_values(value, "label", "old", "new") for value in words.values],
                "reason": words.reason,
            }


PARTS = (
    Part("account", gettext_lazy("your account, addresses and cart"), _account),
    Part(
        "orders",
        gettext_lazy("your orders, with all that happened to them, payments and invoices"),
        _orders,
    ),
    Part("uploads", gettext_lazy("the files that you sent us, which are in files/"), _uploads),
    Part("messages", gettext_lazy("the e-mails and SMS to you"), _messages),
    Part("webhooks", gettext_lazy("what other systems were told of your orders"), _deliveries),
    Part("back_in_stock", gettext_lazy("products of which you want to be told"), _waiting),
    Part("sign_ins", gettext_lazy("where you are signed in, and wrong passwords"), _sign_ins),
    Part("changes", gettext_lazy("what the staff changed of your account and orders"), _changes),
)


def _files(person: Person) -> Iterator[tuple[str, str]]:
    """Yield each file's name in the storage, and in the zip."""
    for upload in uploads_of(person):
        number = upload.line.order.display_number if upload.line else "cart"
        stored = upload.file.name or ""
        ending = stored.rpartition(".")[2]
        yield stored, f"uploads/{number}-{str(upload.pk)[:8]}.{ending}"
    for order in _in_pages(own_orders(person)):
        jobs = MediaJob.objects.filter(order_id=order.pk, kind__in=OWN_PAPERS)
        for job in jobs.prefetch_related("renditions"):
            for made in job.renditions.all():
                if made.format in ("pdf", "png"):
                    name = f"{order.display_number}-{job.kind}-{str(job.pk)[-6:]}.{made.format}"
                    yield str(made.file.name), f"papers/{name}"


OWN_PAPERS = ("pickup_pass", "invoice", "credit_note")
"""The kinds of media jobs whose papers are made for the customer."""
