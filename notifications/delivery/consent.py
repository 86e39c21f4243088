"""Whether a message that may be switched off is still wanted: asked when it leaves.

Hours can lie between its queueing and its turn: a pause, a limit, a provider that is down. Who
unsubscribed meanwhile, or whose mailbox sent it back or complained, gets no more of it. What
the shop's accounts say is asked by a function that `orders` registers: messages know no accounts.
"""

from collections.abc import Callable

from notifications.events import EVENTS
from notifications.models import Notification
from notifications.receipts.bounces import trouble_with
from project.jobs.errors import NotWantedError

Ask = Callable[[Notification], str]
"""Returns why the message is no longer wanted; empty if it is."""

_asked: list[Ask] = []


def ask_before_sending(why_unwanted: Ask) -> None:
    """Have this asked of each message that may be switched off; call it in the app's `ready`."""
    _asked.append(why_unwanted)


def keep(message: Notification) -> None:
    """Raise NotWantedError if the message may be switched off, and is no longer wanted."""
    if not EVENTS[message.event].may_opt_out:
        return
    for why_unwanted in (_came_back, *_asked):
        if reason := why_unwanted(message):
            raise NotWantedError(reason)


def _came_back(message: Notification) -> str:
    if message.channel != Notification.Channel.EMAIL:
        return ""
    trouble = trouble_with(message.recipient)
    if trouble is None:
        return ""
    if trouble.delivery == Notification.Delivery.COMPLAINED:
        return "the recipient has complained about a message"
    return f"an earlier message came back: {trouble.delivery_reason or 'bounced'}"
