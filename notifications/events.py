"""The table of events: each has its audience, channels and templates.

`outbox` creates jobs by this table, `rendering` finds templates by it, and `delivery` reads the
rule for messages in doubt from it.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from enum import Enum
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from notifications.models import SYNTHETIC, Notification

EMAIL, SMS = Notification.Channel.EMAIL, Notification.Channel.SMS


class Audience(Enum):
    SHOPPER = "shopper"
    STAFF = "staff"
    READERS = "readers"
    """Those who asked for it and confirmed: of announcements, or of one product."""


class InDoubt(Enum):
    """The rule for a message in doubt: it may have arrived already."""

    RESEND = "resend"
    """A second copy is better than none; it is recognisable by its id, and marked."""
    ASK = "ask"
    """An operator decides: the job is left `unknown`."""


@dataclass(frozen=True)
class Event:
    label: str | Promise
    audience: Audience
    channels: tuple[Notification.Channel, ...]
    templates: str
    """`<templates>.email.txt`, `.email.html`, `.email.subject.txt`, `.sms.txt`"""
    may_opt_out: bool
    in_doubt: InDoubt
    secrets: tuple[str, ...] = ()
    """Values of the templates that are stored apart and masked: see `Notification.secrets`."""
    is_marketing: bool = False
    """Whether it is marketing, for which quiet hours hold: `notifications.delivery.quiet_hours`."""
    parameters: tuple[str, ...] = ()
    """The variable parts of this event's SMS, for gateways that only send approved templates:
    values of the context or secrets, under these names."""
    valid_for: timedelta | None = None
    """The time after which it fails instead of being sent, such as an expired code."""


CODE_VALID_FOR = timedelta(minutes=15)
"""The validity of a code that was sent; the settings of allauth follow it."""


def _account_event(label: Promise, *, name: str, by_sms: bool = False) -> Event:
    """A message about an account: at once, by one channel, without opting out."""
    return Event(
        label=label,
        audience=Audience.SHOPPER,
        channels=(SMS,) if by_sms else (EMAIL,),
        templates=f"notifications/{name}",
        may_opt_out=False,
        in_doubt=InDoubt.RESEND,
    )


def _staff_event(label: Promise, *, name: str) -> Event:
    """A message to the shop's staff, by e-mail."""
    return Event(
        label=label,
        audience=Audience.STAFF,
        channels=(EMAIL,),
        templates=f"notifications/{name}",
        may_opt_out=False,
        in_doubt=InDoubt.RESEND,
    )


def _code_event(label: Promise, *, name: str, by_sms: bool = False) -> Event:
    """A message with a code in it."""
    event = _account_event(label, name=name, by_sms=by_sms)
    return replace(event, secrets=("code",), parameters=("code",), valid_for=CODE_VALID_FOR)


def _order_event(label: Promise, *, name: str, by_sms: bool = False, **options: Any) -> Event:
    """A message to a shopper about an order; also as an SMS if there is a phone number."""
    values: dict[str, Any] = {"may_opt_out": False, "in_doubt": InDoubt.RESEND, **options}
    return Event(
        label=label,
        audience=Audience.SHOPPER,
        channels=(EMAIL, SMS) if by_sms else (EMAIL,),
        templates=f"notifications/{name}",
        **values,
    )


EVENTS = {
    "order_placed": _order_event(
        _("Order placed"), name="order_placed", by_sms=True, parameters=("number", "total")
    ),
    "order_media_ready": _order_event(
        _("Ready to view"), name="order_media_ready", may_opt_out=True
    ),
    SYNTHETIC: _order_event(_("Order of a performance run"), name="order_placed"),
    "order_paid": _order_event(_("Order paid"), name="order_paid"),
    "order_shipped": _order_event(
        _("Order shipped"), name="order_shipped", by_sms=True, parameters=("number", "carrier")
    ),
    "order_delivered": _order_event(_("Order delivered"), name="order_delivered", may_opt_out=True),
    "order_cancelled": _order_event(
        _("Order cancelled"), name="order_cancelled", by_sms=True, parameters=("number",)
    ),
    "order_refunded": _order_event(_("Order refunded"), name="order_refunded"),
    "order_return_requested": _order_event(_("Return requested"), name="order_return_requested"),
    "order_return_accepted": _order_event(_("Return accepted"), name="order_return_accepted"),
    "order_return_refused": _order_event(_("Return refused"), name="order_return_refused"),
    "order_return_withdrawn": _order_event(_("Return withdrawn"), name="order_return_withdrawn"),
    "order_return_received": _order_event(_("Return received"), name="order_return_received"),
    "sign_up_confirmation": _code_event(_("Sign-up confirmation"), name="sign_up_confirmation"),
    "email_confirmation": _code_event(_("E-mail confirmation"), name="email_confirmation"),
    "phone_confirmation": _code_event(
        _("Phone confirmation"), name="phone_confirmation", by_sms=True
    ),
    "sign_in_code": _code_event(_("Sign-in code"), name="sign_in_code"),
    "confirmation_code": _code_event(_("Code for an important step"), name="confirmation_code"),
    "password_reset": _code_event(_("Password reset"), name="password_reset"),
    "account_exists": _account_event(_("Account exists already"), name="account_exists"),
    "unknown_account": _account_event(_("Unknown account"), name="unknown_account"),
    "account_changed": _account_event(_("Account changed"), name="account_changed"),
    "announcement": Event(
        label=_("Announcement"),
        audience=Audience.READERS,
        channels=(EMAIL,),
        templates="notifications/announcement",
        may_opt_out=True,
        is_marketing=True,
        in_doubt=InDoubt.RESEND,
    ),
    "back_in_stock_confirmation": _account_event(
        _("Back in stock: confirmation"), name="back_in_stock_confirmation"
    ),
    "back_in_stock": Event(
        label=_("Back in stock"),
        audience=Audience.READERS,
        channels=(EMAIL,),
        templates="notifications/back_in_stock",
        may_opt_out=True,
        in_doubt=InDoubt.RESEND,
    ),
    "low_stock": _staff_event(_("Low stock"), name="low_stock"),
    "performance_slower": _staff_event(
        _("Performance: slower than usual"), name="performance_slower"
    ),
    "refund_owed": _staff_event(_("Refund owed"), name="refund_owed"),
    "return_requested": _staff_event(_("Return to answer"), name="return_requested"),
    "payment_to_check": _staff_event(_("Payment to check"), name="payment_to_check"),
    "webhook_switched_off": _staff_event(
        _("Webhook endpoint switched off"), name="webhook_switched_off"
    ),
    "daily_report": _staff_event(_("Daily report"), name="daily_report"),
    "order_link": _account_event(_("Link to an order"), name="order_link"),
}
