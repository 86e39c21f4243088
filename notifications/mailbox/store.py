"""The local mailbox's store: one file per message, newest first.

`manage.py mailbox` writes it, the /mailbox/ pages read it. A message is a JSON file that is
written under a temporary name and renamed, so readers see only complete files.
"""

import hashlib
import json
import os
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import uuid4

from django.conf import settings

from notifications.models import Notification

KEEP = 2000
SLACK = 100
"""The excess over `keep` that is allowed: so the oldest are deleted a hundred at a time."""


@dataclass(frozen=True)
class MailboxMessage:
    id: str
    channel: str
    sender: str
    recipients: list[str]
    content: str
    """An SMS's text, or an e-mail's received bytes (see `raw`)."""
    received_ns: int

    @property
    def name(self) -> str:
        """Its file's name; names sort by time."""
        return f"{self.received_ns:020}-{self.id}.json"

    @property
    def received_at(self) -> datetime:
        return datetime.fromtimestamp(self.received_ns / 1e9, tz=UTC)

    @property
    def is_email(self) -> bool:
        return self.channel == Notification.Channel.EMAIL

    @property
    def channel_label(self) -> str:
        return str(Notification.Channel(self.channel).label)

    @property
    def raw(self) -> bytes:
        return self.content.encode("utf-8", "surrogateescape")

    @property
    def source(self) -> str:
        """The e-mail's source, for people to read."""
        return self.raw.decode("utf-8", "replace")

    @property
    def subject(self) -> str:
        """The e-mail's subject; an SMS has none, so its text."""
        return str(self._email.get("Subject", "")) if self.is_email else self.content

    @property
    def text(self) -> str:
        return self._body("plain") if self.is_email else self.content

    @property
    def html(self) -> str:
        """Its HTML with its attached pictures embedded."""
        html = self._body("html") if self.is_email else ""
        for cid, picture in self._pictures() if "cid:" in html else ():
            html = html.replace(f"cid:{cid}", picture)
        return html

    def _pictures(self) -> Iterator[tuple[str, str]]:
        for part in self._email.walk():
            if part.get_content_maintype() == "image" and part["Content-ID"]:
                data = b64encode(part.get_content()).decode()
                yield (
                    part["Content-ID"].strip("<>"),
                    f"data:{part.get_content_type()};base64,{data}",
                )

    @property
    def message_id(self) -> str:
        """The e-mail's Message-ID."""
        return str(self._email.get("Message-ID", ""))

    @property
    def attachments(self) -> list[str]:
        """The names of its files."""
        files = self._email.iter_attachments() if self.is_email else ()
        return [part.get_filename() or "" for part in files]

    @cached_property
    def _email(self) -> EmailMessage:
        return message_from_bytes(self.raw, policy=policy.default)

    def _body(self, kind: str) -> str:
        part = self._email.get_body(preferencelist=(kind,))
        return str(part.get_content()) if part else ""


class Mailbox:
    """A folder of messages that one process writes and any process reads."""

    def __init__(
        self,
        folder: Path | None = None,
        *,
        keep: int = KEEP,
        tell: Callable[[MailboxMessage], None] | None = None,
    ) -> None:
        """`tell` is called with each new message; it must not wait."""
        self.folder = folder or settings.DATA_DIR / "mailbox"
        self._keep = keep
        self._tell = tell
        self._lock = threading.Lock()

    def add_email(self, *, sender: str, recipients: list[str], raw: bytes) -> str:
        """Store an e-mail; return its id. The same e-mail twice is two messages."""
        return self._add(
            uuid4().hex,
            channel=Notification.Channel.EMAIL.value,
            sender=sender,
            recipients=recipients,
            content=raw.decode("utf-8", "surrogateescape"),
        )

    def add_sms(self, *, recipient: str, text: str, key: str = "") -> str:
        """Store an SMS; return its id. A repeated key gets its first message's id."""
        return self._add(
            hashlib.sha256(key.encode()).hexdigest()[:32] if key else uuid4().hex,
            channel=Notification.Channel.SMS.value,
            sender="",
            recipients=[recipient],
            content=text,
        )

    def names(self) -> list[str]:
        """The messages' file names, newest first."""
        try:
            names = os.listdir(self.folder)
        except FileNotFoundError:
            return []
        return sorted((name for name in names if name.endswith(".json")), reverse=True)

    def messages(self, names: Sequence[str] | None = None) -> Iterator[MailboxMessage]:
        """Read the messages of these files (default: all), newest first."""
        for name in self.names() if names is None else names:
            try:
                yield MailboxMessage(**json.loads((self.folder / name).read_bytes()))
            except FileNotFoundError:
                continue  # deleted since it was listed

    def get(self, message_id: str) -> MailboxMessage | None:
        """Return the message with this id, or None."""
        return next(self.messages(self._names_of(message_id)), None)

    def _names_of(self, message_id: str) -> list[str]:
        return [name for name in self.names() if name.endswith(f"-{message_id}.json")]

    def _add(self, message_id: str, **values: Any) -> str:
        with self._lock:
            if self._names_of(message_id):
                return message_id
            message = MailboxMessage(id=message_id, received_ns=time.time_ns(), **values)
            self._write(message)
            self._prune()
        if self._tell is not None:
            self._tell(message)
        return message_id

    def _write(self, message: MailboxMessage) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        partial = self.folder / f"{message.name}.partial"
        try:
            with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                json.dump(asdict(message), file)
            partial.rename(self.folder / message.name)
        except OSError:
            partial.unlink(missing_ok=True)
            raise

    def _prune(self) -> None:
        names = self.names()
        if len(names) > self._keep + SLACK:
            for name in names[self._keep :]:
                (self.folder / name).unlink(missing_ok=True)
