"""The gateways of each channel: the mail server, and those of SMS_URL in their order.

Each gateway has its own breaker, pause and limit under its name, and a message stores the name of
its gateway. A name is the host, or apprise's service: it never contains a secret.
"""

import json
import logging
import re
import traceback
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from types import ModuleType
from urllib.parse import parse_qs

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from notifications.channels.answer import kept_id, kept_words
from notifications.channels.deadline import Deadline
from notifications.channels.message import Message, NoAnswerError, NotAskedError, Receipt
from notifications.models import SYNTHETIC, Notification
from project.conf.urls import PERCENT, UnreadableUrlError, split_url, without_secrets
from project.jobs.errors import JobError

logger = logging.getLogger(__name__)

EMAIL, SMS = Notification.Channel.EMAIL.value, Notification.Channel.SMS.value
NOWHERE = "nowhere"
"""The gateway of synthetic messages: it sends nothing, and has no limit, breaker or pause."""
APPRISE = "apprise+"
MODULES = {
    "http": "http_sms",
    "https": "http_sms",
    "aliyun": "aliyun_sms",
    "aliyun+http": "aliyun_sms",
}
"""The module of `notifications.channels` by the URL's scheme; apprise's schemes share one."""


@dataclass(frozen=True)
class Gateway:
    name: str
    """`email`, `nowhere`, or `sms:` with the gateway's host or service."""
    module: str
    url: str = ""
    problem: str = ""
    """The error in its URL; empty if there is none."""

    @property
    def host(self) -> str:
        """The part of the name that tells it from others of its channel."""
        return self.name.partition(":")[2]

    @property
    def needs_templates(self) -> bool:
        return self.module == "aliyun_sms"

    def send(self, message: Message, *, deadline: Deadline) -> Receipt:
        """Hand the message over; raises what `notifications.channels` says, and nothing else.

        Answers are cleaned and cut here, before any other code sees them, and the URL's secrets are
        hidden: an answer may quote the request. An unforeseen exception doesn't tell how far the
        message came: it may have arrived.
        """
        if self.problem:
            raise NotAskedError(self.problem)
        try:
            receipt: Receipt = self.channel_module().send(message, url=self.url, deadline=deadline)
        except JobError as error:
            error.args = (self._kept(str(error)),)
            raise
        except Exception as error:
            words = self._kept(f"broke off: {type(error).__name__}: {error}")
            # Its frames, not itself: its text may have a part of the URL.
            frames = "".join(traceback.format_tb(error.__traceback__))
            logger.error("%s: %s %s\n%s", message.id, self.name, words, frames)
            raise NoAnswerError(words) from None
        return Receipt(provider_id=kept_id(receipt.provider_id), answer=self._kept(receipt.answer))

    def _kept(self, words: str) -> str:
        return kept_words(without_secrets(words, self.url))

    def repeats_are_safe(self) -> bool:
        """Tell whether it recognises a second copy."""
        return not self.problem and bool(self.channel_module().repeats_are_safe(self.url))

    def channel_module(self) -> ModuleType:
        # Imported at first use: a process loads only the kinds of gateways that it uses.
        return import_module(f"notifications.channels.{self.module}")


def gateways(channel: str, *, event: str = "") -> tuple[Gateway, ...]:
    """Return the gateways for such a message: each is tried after the one before it refused.

    The order is that of SMS_URL, unless SMS_ORDER has one for the event. Empty for SMS if
    SMS_URL isn't set. A synthetic message goes nowhere, by whatever channel.
    """
    if event == SYNTHETIC:
        return (Gateway(name=NOWHERE, module="nowhere"),)
    if channel == EMAIL:
        return (Gateway(name=EMAIL, module="email"),)
    known = _sms_gateways(settings.SMS_URL)
    order = read_order(settings.SMS_ORDER).get(event) if event else None
    if order is None:
        return known
    return tuple(gateway for name in order for gateway in known if gateway.name == f"{SMS}:{name}")


def all_gateways() -> tuple[Gateway, ...]:
    """Return every gateway that is configured."""
    return gateways(EMAIL) + gateways(SMS)


@lru_cache(maxsize=8)
def _sms_gateways(value: str) -> tuple[Gateway, ...]:
    found: list[Gateway] = []
    for url in value.split():
        scheme, _colon, _rest = url.partition("://")
        problem = _problem(url, scheme)
        name = wanted = f"{SMS}:{'unreadable' if problem else _host(url, scheme)}"
        while any(gateway.name == name for gateway in found):
            name = f"{wanted}-{len(found) + 1}"
        module = "apprise_sms" if scheme.startswith(APPRISE) else MODULES.get(scheme, "")
        found.append(Gateway(name=name, module=module, url=url, problem=problem))
    return tuple(found)


@lru_cache(maxsize=4)
def read_order(value: str) -> dict[str, list[str]]:
    """Return SMS_ORDER: the names of an event's gateways. Raises ImproperlyConfigured."""
    try:
        order = json.loads(value or "{}")
    except (ValueError, RecursionError) as error:
        raise ImproperlyConfigured(f"SMS_ORDER isn't JSON: {error}") from error
    if not (
        isinstance(order, dict)
        and all(isinstance(names, list) and names for names in order.values())
    ):
        raise ImproperlyConfigured('SMS_ORDER must be like {"order_placed": ["gateway.example"]}.')
    return order


def _host(url: str, scheme: str) -> str:
    """Return what a URL without a problem is named by."""
    if scheme.startswith(APPRISE):
        return scheme.removeprefix(APPRISE)  # some of its URLs have a key in the place of the host
    return split_url(url).hostname or ""


def _problem(url: str, scheme: str) -> str:
    """Return the error in the URL, without any part of it; empty if there is none."""
    if re.fullmatch(r"apprise\+[a-z0-9]{1,20}", scheme) and "://" in url:
        return "" if "{to}" in url else "SMS_URL: apprise+…:// needs {to} where the number goes."
    if scheme not in MODULES:
        known = ", ".join(f"{name}://" for name in (*MODULES, f"{APPRISE}…"))
        return f"SMS_URL: begin each gateway's URL with one of {known}. {PERCENT}."
    try:
        parts = split_url(url)
    except UnreadableUrlError:
        return f"SMS_URL: {scheme}:// has no readable host and port. {PERCENT}."
    if not parts.hostname:
        return f"SMS_URL: {scheme}:// names no host."
    if re.search(r"[,;]\S*://", url):
        return "SMS_URL: write spaces between the URLs of several gateways."
    if not url.isascii():
        return f"SMS_URL: {scheme}:// has letters beyond ASCII: write them as %XX."
    if MODULES[scheme] == "aliyun_sms":
        if not (parts.username and parts.password):
            return "SMS_URL: aliyun:// needs KEYID:SECRET@ before the host."
        if not parse_qs(parts.query).get("sign"):
            return "SMS_URL: aliyun:// needs ?sign=… with the approved signature (percent-encoded)."
    return ""
