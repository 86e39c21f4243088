"""System checks of the SMS settings: without them, wrong settings fail message by message."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning
from django.core.exceptions import ImproperlyConfigured

from notifications.channels.apprise_sms import is_understood
from notifications.channels.templated import read_templates
from notifications.delivery.gateways import SMS, gateways, read_order
from notifications.events import EVENTS


def check_sms(**_options: Any) -> list[CheckMessage]:
    """Check SMS_URL, SMS_ORDER, SMS_SUCCESS and SMS_TEMPLATES."""
    return [*_urls(), *_order(), *_success()] or _templates()


def _urls() -> list[CheckMessage]:
    found: list[CheckMessage] = [
        Error(gateway.problem, id="notifications.E001")
        for gateway in gateways(SMS)
        if gateway.problem
    ]
    found += [
        Error(
            f"SMS_URL: apprise doesn't understand the URL of {gateway.name}.",
            id="notifications.E001",
        )
        for gateway in gateways(SMS)
        if gateway.module == "apprise_sms"
        and not gateway.problem
        and not is_understood(gateway.url)
    ]
    return found


def _order() -> list[CheckMessage]:
    try:
        order = read_order(settings.SMS_ORDER)
    except ImproperlyConfigured as error:
        return [Error(str(error), id="notifications.E002")]
    known = {gateway.name.removeprefix(f"{SMS}:") for gateway in gateways(SMS)}
    found: list[CheckMessage] = []
    for event, names in order.items():
        if event not in EVENTS or SMS not in EVENTS[event].channels:
            found.append(Error(f"SMS_ORDER: {event} has no SMS.", id="notifications.E002"))
        found += [
            Error(
                f"SMS_ORDER: {event} names {name}, which isn't in SMS_URL"
                f" ({', '.join(sorted(known)) or 'empty'}).",
                id="notifications.E002",
            )
            for name in set(names) - known
        ]
    return found


def _success() -> list[CheckMessage]:
    """Which of SMS_SUCCESS's hosts aren't asked; how it is written is checked at the start."""
    hosts = {
        urlsplit(gateway.url).hostname
        for gateway in gateways(SMS)
        if gateway.module == "http_sms" and not gateway.problem
    }
    return [
        Error(
            f"SMS_SUCCESS: there is no http gateway {host} in SMS_URL"
            f" ({', '.join(sorted(filter(None, hosts))) or 'none'}).",
            id="notifications.E004",
        )
        for host in settings.SMS_SUCCESS
        if host and host not in hosts
    ]


def _templates() -> list[CheckMessage]:
    try:
        templates = read_templates(settings.SMS_TEMPLATES)
    except ImproperlyConfigured as error:
        return [Error(str(error), id="notifications.E003")]
    missing = [
        f"{name} ({language})"
        for name, event in EVENTS.items()
        if SMS in event.channels
        and any(gateway.needs_templates for gateway in gateways(SMS, event=name))
        for language, _label in settings.LANGUAGES
        if language not in templates.get(name, {})
    ]
    if not missing:
        return []
    return [
        Warning(
            f"SMS_TEMPLATES lacks {', '.join(missing)}: messages of these will wait.",
            id="notifications.W001",
        )
    ]
