"""Renders a notification: its event's templates, in its language, from its frozen context."""

import unicodedata
from dataclasses import dataclass
from typing import Any

from django.template import Context, Engine
from django.utils import translation

from notifications.events import EVENTS
from notifications.models import Notification
from notifications.segments import count_segments, shorten
from project.templatetags.money import money
from project.text import DIRECTION_MARKS

MAX_SUBJECT = Notification._meta.get_field("subject").max_length


@dataclass(frozen=True)
class Wording:
    text: str
    subject: str = ""
    html: str = ""


MAX_SEGMENTS = 3
"""The maximum of an SMS: each segment is charged."""
NAME_LENGTHS = (60, 40, 24, 16)
"""The lengths to which names in a longer SMS are cut, until it fits."""
MASK = "••••••"
"""The replacement of a secret wherever a message is shown."""


def render(notification: Notification) -> Wording:
    """Return the notification's text with masked secrets. Touches neither database nor network.

    Raises KeyError if its event is no longer in the table.
    """
    return _render(notification, dict.fromkeys(EVENTS[notification.event].secrets, MASK))


def render_with_secrets(notification: Notification) -> Wording:
    """Return the notification's text with its secrets, for its recipient only. Never store it."""
    return _render(notification, notification.secrets or {})


def _render(notification: Notification, secrets: dict[str, str]) -> Wording:
    context = {**notification.context, **secrets}
    with translation.override(notification.language):
        if notification.channel == Notification.Channel.SMS:
            return Wording(text=_sms(notification, context))
        return Wording(
            subject=one_subject(_part(notification, "subject.txt", context)),
            text=_part(notification, "txt", context).strip() + "\n",
            html=_part(notification, "html", context),
        )


def _sms(notification: Notification, context: dict[str, Any]) -> str:
    """Return the text, with long names shortened until it has at most MAX_SEGMENTS."""
    for longest in (None, *NAME_LENGTHS):
        text = one_line(_part(notification, "txt", _shortened(context, longest)))
        if count_segments(text).segments <= MAX_SEGMENTS:
            break
    return text


def _shortened(context: dict[str, Any], longest: int | None) -> dict[str, Any]:
    """Return the context with its texts cut to so many characters; links are never cut."""
    return {
        name: shorten(value, longest)
        if longest and isinstance(value, str) and not name.endswith("_url")
        else value
        for name, value in context.items()
    }


def parameters(notification: Notification) -> dict[str, str]:
    """Return this message's parameters for a gateway's approved template: see `Event.parameters`.

    The secrets among them are for the gateway only. Never store them.
    """
    context = {**notification.context, **(notification.secrets or {})}
    with translation.override(notification.language):
        if "total" in context and "currency" in context:
            context["total"] = money(context["total"], context["currency"])
        names = EVENTS[notification.event].parameters
        return {name: one_line(str(context[name])) for name in names if name in context}


def one_subject(text: str) -> str:
    """Return the text on one line, as long as a subject may be.

    Mail programs decode text that looks like an encoded word (RFC 2047): a name of that form could
    contain the characters that `one_line` removes. So such text is broken up.
    """
    return one_line(text).replace("=?", "= ?")[:MAX_SUBJECT]


def one_line(text: str) -> str:
    """Return the text without line breaks and control characters, its spaces single.

    Otherwise a name with a line break in a subject could add headers; a direction override in it
    would reorder the rest of the line.
    """
    spaced = " ".join(text.split())
    return "".join(
        character
        for character in spaced
        if unicodedata.category(character) != "Cc" and character not in DIRECTION_MARKS
    )


def _part(notification: Notification, part: str, context: dict[str, Any]) -> str:
    prefix = EVENTS[notification.event].templates
    # The loader's shortcut would always escape for HTML, even in a text file.
    template = Engine.get_default().get_template(f"{prefix}.{notification.channel}.{part}")
    return template.render(Context(context, autoescape=part == "html"))
