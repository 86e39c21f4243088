"""What accounts say of messages that wait: whether they are still wanted, and who complained.

`OrdersConfig.ready` hands these functions to `notifications`, which knows no accounts.
"""

from allauth.account.models import EmailAddress

from notifications.events import EVENTS
from notifications.models import Notification
from orders.accounts.history import is_muted
from orders.accounts.unsubscribe import ANNOUNCEMENT, reader_of
from orders.models import Announcement, Order, User


def why_unwanted(message: Notification) -> str:
    """Return why the message, which may be switched off, is no longer wanted; empty if it is."""
    if message.event == ANNOUNCEMENT:
        return _why_announcement_unwanted(message)
    if message.order_id is None or not EVENTS[message.event].may_opt_out:
        return ""
    order = Order.objects.filter(pk=message.order_id).first()
    if order is not None and is_muted(message.event, order=order):
        return "the shopper has switched these messages off"
    return ""


def _why_announcement_unwanted(message: Notification) -> str:
    occasion = message.occasion
    if occasion.isdecimal() and _was_stopped(int(occasion)):
        return "the announcement was stopped"
    user_id = reader_of(message.context.get("unsubscribe_url", ""))
    if user_id is None:
        return ""
    reader = User.objects.filter(pk=user_id, is_active=True)
    if not reader.exists():
        return "the account is gone"
    if not reader.filter(wants_announcements=True).exists():
        return "the reader has switched announcements off"
    confirmed = EmailAddress.objects.filter(user_id=user_id, verified=True, primary=True)
    is_copy = message.resent_from is not None  # to whom, an operator has said
    if not is_copy and not confirmed.filter(email__iexact=message.recipient).exists():
        return "the account has another address by now"
    return ""


def _was_stopped(announcement_id: int) -> bool:
    stopped = Announcement.objects.filter(pk=announcement_id, status=Announcement.Status.STOPPED)
    return stopped.exists()


def note_complaint(message: Notification) -> None:
    """Switch announcements off for the account that the message went to, and for its address's."""
    readers = User.objects.filter(
        emailaddress__email=message.recipient.lower(), emailaddress__verified=True
    )
    keys = set(readers.values_list("pk", flat=True))
    keys.add(reader_of(message.context.get("unsubscribe_url", "")) or 0)
    User.objects.filter(pk__in=keys).update(wants_announcements=False)
