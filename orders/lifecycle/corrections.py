"""Corrections of an order's contact (name, e-mail, phone, address), until it is shipped.

What was corrected stays in the timeline, old and new. Messages that were never tried go to the new
address by themselves; those that were sent can be sent again. The order's fingerprint stays that of
the order as it was placed, so a repeat of its request still finds it (`orders.placing.repeats`). A
guest's order belongs to the account that has confirmed the new address (`orders.accounts.history`).
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models.functions import Now
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from media_jobs.remaking import draw_pass_again
from notifications.events import EVENTS, Audience
from notifications.models import Notification
from notifications.resending import is_repeat, may_resend, redirect, resend
from orders.accounts.history import opt_out_context
from orders.invoicing.issue import invoice_of
from orders.lifecycle.errors import InvalidTransition, WrongStatus
from orders.lifecycle.payouts import due_of
from orders.lifecycle.steps import Kind, Status, lock, one_transaction, read, record, require_seen
from orders.models import Order, User
from orders.placing.errors import InvalidOrder
from orders.placing.payment_choice import payment_context
from orders.placing.request import (
    MAX_NAME_LENGTH,
    check_postcode,
    clean_country,
    clean_email,
    clean_phone,
    clean_text,
)
from orders.taxes.rates import country_of, move_to
from project.address_rules import address_rules
from project.jobs.queryset import Status as JobStatus

CORRECTABLE = (Status.PLACED, Status.PAID, Status.PACKED)
"""The statuses before the parcel leaves the shop."""
LABELS: dict[str, str | Promise] = {
    "name": pgettext_lazy("person", "Name"),
    "email": pgettext_lazy("address", "E-mail"),
    "phone": gettext_lazy("Phone"),
    "address": gettext_lazy("Address"),
}
CHANNELS = {"email": Notification.Channel.EMAIL, "phone": Notification.Channel.SMS}
"""The channel that each field is the recipient of."""
ADDRESS_LENGTHS = {"line1": 200, "line2": 200, "city": 100, "region": 100, "postcode": 20}


def correct_contact(
    *,
    order_id: UUID,
    name: str,
    email: str,
    phone: str,
    address: Mapping[str, str],
    user: User | None = None,
    seen: datetime | None = None,
) -> Order:
    """Correct the contact of an order that isn't shipped. Values that are there already stay.

    A value that changes gets its one form (`orders.placing.request`); one that stays isn't checked,
    because it may be older than the rule; nor is a part of an address that stays in its country. A
    delivery keeps having an address and a pickup none: the delivery was priced. Prices stay as they
    are in another country, but include tax at its rates, unless the invoice was issued. A call that
    changes nothing is a repeat. `seen`: see `require_seen`.
    """
    given = {"name": name, "email": email, "phone": phone, "address": dict(address)}
    with one_transaction():
        order = lock(order_id)
        new = {
            field: _clean(field, value, stored=getattr(order, field))
            for field, value in given.items()
            if value != getattr(order, field)
        }
        new = {field: value for field, value in new.items() if value != getattr(order, field)}
        if not new:
            return order
        if order.status not in CORRECTABLE:
            raise WrongStatus(order, to=Kind.CORRECTED)
        require_seen(order, seen=seen)
        if "address" in new and bool(new["address"]) != bool(order.address):
            raise InvalidTransition(_("A delivery can't become a pickup, or a pickup a delivery."))
        old = {field: getattr(order, field) for field in new}
        Order.objects.filter(pk=order_id).update(**new, changed_at=Now())
        order = read(order_id)
        if _has_moved(old.get("address"), new.get("address")) and invoice_of(order) is None:
            move_to(country_of(order.address), lines=order.lines.all())
        record(order, Kind.CORRECTED, user=user, old=old, new=new)
        for field, channel in CHANNELS.items():
            if old.get(field):
                redirect(order_id=order_id, channel=channel, old=old[field], to=new[field])
        if "name" in new:
            draw_pass_again(order_id=order_id, name=order.name)
    return order


def _has_moved(old: Any, new: Any) -> bool:
    return bool(old) and bool(new) and country_of(old) != country_of(new)


def address_of(order: Order, channel: str) -> str:
    """Return the address to which the order's messages of the channel go now; empty: none."""
    [field] = [field for field, known in CHANNELS.items() if known == channel]
    return str(getattr(order, field))


def sent_elsewhere(order: Order, known: Iterable[Notification] | None = None) -> list[Notification]:
    """Return the order's messages to its customer that the present address doesn't have yet.

    The oldest first. A message of which a copy went to the present address isn't among them.
    `known` are the order's messages by age, if the caller has read them.
    """
    present = {channel.value: address_of(order, channel) for channel in CHANNELS.values()}
    if known is None:
        rows = Notification.objects.filter(order_id=order.pk)
        known = rows.defer("text").order_by("created_at")
    messages = [message for message in known if message.status != JobStatus.CANCELLED]
    have = {_what(message) for message in messages if message.recipient == present[message.channel]}
    found: dict[Any, Notification] = {}
    for message in messages:
        is_theirs = message.event in EVENTS and (EVENTS[message.event].audience is Audience.SHOPPER)
        if not is_theirs or not may_resend(message) or is_repeat(message):
            continue
        if _what(message) not in have:
            found.setdefault(_what(message), message)
    return [message for message in found.values() if present[message.channel]]


def send_again(
    *, order_id: UUID, message_ids: Collection[UUID], user: User | None = None
) -> list[Notification]:
    """Send these of the order's messages to its present address, and return the copies.

    Their texts are written anew with the present name, and with the unsubscribe link of the account
    that the order belongs to now. A repeat sends nothing.
    """
    with one_transaction():
        order = lock(order_id)
        # How to pay is said as it is now, and not at all once something is paid.
        payment = payment_context(order) if due_of(order) == order.total else {}
        left_out = ("unsubscribe_url", "payment")
        copies = []
        for message in sent_elsewhere(order):
            if message.pk not in message_ids:
                continue
            to = address_of(order, message.channel)
            context = {
                name: value for name, value in message.context.items() if name not in left_out
            }
            context |= {"name": order.name} | opt_out_context(message.event, order=order)
            if message.event == "order_placed":
                context |= payment
            copy, is_new = resend(message, to=to, context=context)
            if is_new:
                copies.append(copy)
        if copies:
            recipients = sorted({copy.recipient for copy in copies})
            record(order, Kind.SENT_AGAIN, user=user, recipients=recipients, count=len(copies))
    return copies


def _what(message: Notification) -> tuple[str, str, str]:
    return message.event, message.occasion, message.channel


def _clean(field: str, value: Any, *, stored: Any) -> Any:
    """Return the value in its one form. Raises InvalidTransition with the field's name."""
    try:
        return _clean_address(value, stored) if field == "address" else _RULES[field](value)
    except InvalidOrder as invalid:
        raise InvalidTransition(f"{LABELS[field]}: {invalid.errors[0].message}") from None


def _clean_name(value: str) -> str:
    return clean_text(value, field="name", max_length=MAX_NAME_LENGTH)


def _clean_address(value: Mapping[str, str], stored: Mapping[str, str]) -> dict[str, str]:
    """Return the address without its empty parts, as orders are placed with it."""
    if not any(value.values()):
        return {}
    country = value.get("country", "")
    has_moved = country != stored.get("country", "")
    if has_moved:
        clean_country(country)
    needed = {"line1"} | (address_rules(country).required & {"city"})
    parts = {"country": country}
    for name, length in ADDRESS_LENGTHS.items():
        parts[name] = value.get(name, "")
        if has_moved or parts[name] != stored.get(name, ""):
            parts[name] = clean_text(
                parts[name],
                field=f"address.{name}",
                max_length=length,
                required=name in needed,
            )
            if name == "postcode":
                check_postcode(parts[name], country=country)
    return {name: part for name, part in parts.items() if part}


_RULES: dict[str, Callable[[Any], Any]] = {
    "name": _clean_name,
    "email": clean_email,
    "phone": clean_phone,
}
