"""Messages for gateways with approved templates, which take a template's id and parameters only.

SMS_TEMPLATES has the gateway's template id for each event and language:
`{"order_placed": {"en": "SMS_1001", "zh-hans": "SMS_1002"}, …}`, as JSON or the path of a file
with it. The parameters of each event's template are in `notifications.events`: `parameters`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from notifications.channels.message import Message, NotAskedError

Templates = Mapping[str, Mapping[str, str]]
"""Template id by event and language."""


@dataclass(frozen=True)
class TemplatedMessage:
    template_id: str
    parameters: Mapping[str, str]
    text: str
    """The whole text for the recipient: for the log, and for gateways that check it."""


def templated(message: Message) -> TemplatedMessage:
    """Return the message as its template and parameters.

    Raises NotAskedError that names the event if it has no template in the message's language.
    """
    try:
        template_id = read_templates(settings.SMS_TEMPLATES)[message.event][message.language]
    except ImproperlyConfigured as error:
        raise NotAskedError(str(error)) from error
    except KeyError:
        raise NotAskedError(
            f"SMS_TEMPLATES has no template for {message.event} in {message.language}"
        ) from None
    return TemplatedMessage(template_id, message.parameters, message.text)


@lru_cache(maxsize=4)
def read_templates(value: str) -> Templates:
    """Return the templates of the setting. Raises ImproperlyConfigured."""
    text = value.strip()
    try:
        if text and not text.startswith("{"):
            text = Path(text).read_text()
        templates = json.loads(text or "{}")
    except (OSError, ValueError, RecursionError) as error:
        raise ImproperlyConfigured(f"SMS_TEMPLATES can't be read: {error}") from error
    if not (isinstance(templates, dict) and all(map(_is_by_language, templates.values()))):
        raise ImproperlyConfigured(
            'SMS_TEMPLATES must be like {"order_placed": {"en": "SMS_1", "zh-hans": "SMS_2"}}.'
        )
    return templates


def _is_by_language(ids: object) -> bool:
    return isinstance(ids, dict) and all(id_ and isinstance(id_, str) for id_ in ids.values())
