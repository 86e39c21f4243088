"""What channels take, what they give, and how a send can end in doubt."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from project.jobs.errors import PermanentError, TransientError


@dataclass(frozen=True)
class Attachment:
    """A file that goes with an e-mail."""

    name: str
    content: bytes
    kind: str
    """Its media type, such as text/csv."""
    cid: str = ""
    """A picture with one is shown where the HTML says `cid:…`."""


@dataclass(frozen=True)
class Message:
    """One rendered message. Its id is the job's: the same at every attempt."""

    id: UUID
    recipient: str
    text: str
    subject: str = ""
    html: str = ""
    attachments: tuple[Attachment, ...] = ()
    """For e-mail; an SMS has none."""
    unsubscribe_url: str = ""
    """Where mail programs switch such messages off by themselves (RFC 8058); for e-mail."""
    event: str = ""
    language: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    """What the text says that differs from one message of its event to the next, for gateways
    that have the words themselves: see `channels.templated`."""


@dataclass(frozen=True)
class Receipt:
    """The other side accepted the message."""

    provider_id: str
    """What the other side calls the message; empty if it didn't say."""
    answer: str
    """Its words."""


class ProviderDownError(TransientError):
    """Whoever would have sent it can't be reached, or takes nothing: not this message's fault."""


class NoAnswerError(TransientError):
    """The message was handed over, and the connection or the time ended before the answer."""


class NotAskedError(PermanentError):
    """Our settings are wrong, so the message never left: nothing is known of the provider."""
