"""The soak's own record: every answer that the shop gave, every message that arrived.

The books are compared with this afterwards, so nothing here is read from the shop's database.
"""

import json
import re
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID


@dataclass
class Purchase:
    """One shopper's order under one key, however often it had to be sent."""

    key: str
    body: dict[str, Any]
    begun: float
    """Seconds since the epoch, as all times here."""
    sent: int = 0
    answered: float | None = None
    """When the shop gave its answer: placed, or refused. None: it never did."""
    refusal: str = ""
    order_ids: set[UUID] = field(default_factory=set)
    """Every order that an answer named: must be one."""


@dataclass(frozen=True)
class Disturbance:
    """A fault as it happened."""

    name: str
    began: float
    ended: float


@dataclass
class Record:
    """Written by many threads, read when they have ended."""

    purchases: list[Purchase] = field(default_factory=list)
    disturbances: list[Disturbance] = field(default_factory=list)
    answers: list[tuple[float, int]] = field(default_factory=list)
    """(when, HTTP status; 0: no answer) of every POST."""
    backlog: list[tuple[float, int]] = field(default_factory=list)
    """(when, open jobs), sampled."""
    steps: Counter[str] = field(default_factory=Counter)
    """What the desk did, by step."""
    pages: Counter[int] = field(default_factory=Counter)
    """Answers to page views, by status; 0: none."""


class MailboxWatch:
    """Counts the copies of every message in the local mailbox, which itself keeps only so many."""

    def __init__(self, folder: Path) -> None:
        self.copies: Counter[str] = Counter()
        """By the id of the job that sent the message (e-mail), or of the message (SMS)."""
        self._folder = folder
        self._seen: set[str] = set()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="mailbox-watch")

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._ending.set()
        self._thread.join()
        self._look()

    def _run(self) -> None:
        while not self._ending.wait(1):
            self._look()

    def _look(self) -> None:
        if not self._folder.exists():
            return
        for path in self._folder.glob("*.json"):
            if path.name not in self._seen:
                self._seen.add(path.name)
                message = json.loads(path.read_text())
                self.copies[_identity(message)] += 1


def _identity(message: dict[str, Any]) -> str:
    if message["channel"] != "email":
        return message["id"]
    found = re.search(r"^Message-ID:\s*<([^@>]+)@", message["content"], re.MULTILINE | re.I)
    assert found, "an e-mail without a Message-ID"
    return found[1]


def now() -> float:
    return time.time()
