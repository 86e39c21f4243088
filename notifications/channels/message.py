"""The types of channels: message, receipt, and the errors of a send."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from project.jobs.errors import JobError, TransientError


@dataclass(frozen=True)
class Attachment:
    """A file attached to an e-mail."""

    name: str
    content: bytes
    kind: str
    """Its media type, such as text/csv."""
    cid: str = ""
    """A picture's content id: it is shown where the HTML has `cid:…`."""


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
    """The URL for the unsubscribe function of mail programs (RFC 8058); for e-mail."""
    event: str = ""
    language: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    """The values in the text that differ between messages of one event, for gateways with
    approved templates: see `channels.templated`."""


@dataclass(frozen=True)
class Receipt:
    """The other side accepted the message."""

    provider_id: str
    """The other side's id of the message; empty if it returned none."""
    answer: str
    """Its reply."""


class ProviderDownError(TransientError):
    """The provider can't be reached or takes no messages; the message isn't the cause.

    `retry_after` is the time for which it wants no request, if it sent one.
    """

    def __init__(self, reason: str, *, retry_after: timedelta | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class RefusesUsError(ProviderDownError):
    """The provider refuses our key, our account or our address for it, so every message."""


class NoAnswerError(TransientError):
    """The message was sent, but the connection or the time ended before the answer: in doubt."""


class OurSettingsError(JobError):
    """Our settings are wrong for this message: it waits until they are right.

    It says nothing of messages of other events, which may have none of the error.
    """


class NotAskedError(OurSettingsError):
    """Nothing was sent, so the provider's state is unknown."""
