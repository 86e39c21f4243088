"""The test bank's store: one file for each payment, which any process of this machine reads.

A payment is decided once: the decision is a file of its own, which only one writer can create.
"""

import json
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings

KEEP = 500
"""Payments; the oldest others are deleted."""


@dataclass(frozen=True)
class Decision:
    """What the customer did on the bank's page."""

    outcome: str
    """paid, failed or cancelled."""
    known_at: float
    """From when on the bank tells it, in seconds since 1970."""


@dataclass(frozen=True)
class BankPayment:
    id: str
    """Derives from the attempt, so a repeated start makes one payment."""
    attempt_id: str
    shop: str
    order: str
    amount: str
    currency: str
    return_url: str
    leave_url: str
    created_at: float
    decision: Decision | None = None

    @property
    def when(self) -> datetime:
        return datetime.fromtimestamp(self.created_at, tz=UTC)

    @property
    def outcome(self) -> str:
        """What the bank tells now; open until the decision is known."""
        if self.decision is None or self.decision.known_at > time.time():
            return "open"
        return self.decision.outcome


class BankStore:
    """A folder of payments."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or settings.DATA_DIR / "test-bank"

    def add(self, *, attempt_id: UUID, **values: Any) -> BankPayment:
        """Store a payment; a repeat for the same attempt returns the first one."""
        payment_id = f"bank_{attempt_id.hex}"
        payment = BankPayment(
            id=payment_id, attempt_id=str(attempt_id), created_at=time.time(), **values
        )
        if _create(self._path(payment_id), asdict(payment)):
            self._prune()
        return self.get(payment_id) or payment

    def get(self, payment_id: str) -> BankPayment | None:
        """Return the payment, or None."""
        values = _read(self._path(payment_id))
        if values is None:
            return None
        decision = _read(self._decision_path(payment_id))
        return BankPayment(**{**values, "decision": Decision(**decision) if decision else None})

    def payments(self) -> Iterator[BankPayment]:
        """The payments, newest first."""
        for path in self._paths():
            if payment := self.get(path.stem):
                yield payment

    def decide(self, payment_id: str, *, outcome: str, delay: float = 0) -> bool:
        """Decide the payment; False if it was decided before."""
        decision = Decision(outcome=outcome, known_at=time.time() + delay)
        return _create(self._decision_path(payment_id), asdict(decision))

    def _path(self, payment_id: str) -> Path:
        return self.folder / f"{payment_id}.json"

    def _decision_path(self, payment_id: str) -> Path:
        return self.folder / f"{payment_id}.decision"

    def _paths(self) -> list[Path]:
        """Return the payments' files, newest first, without those that another process deletes."""
        found = []
        for path in self.folder.glob("bank_*.json"):
            with suppress(FileNotFoundError):
                found.append((path.stat().st_mtime, path))
        return [path for _time, path in sorted(found, reverse=True)]

    def _prune(self) -> None:
        for path in self._paths()[KEEP:]:
            path.unlink(missing_ok=True)
            self._decision_path(path.stem).unlink(missing_ok=True)


def _create(path: Path, values: dict[str, Any]) -> bool:
    """Create the file, complete from the first moment on; False if it is there already."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    partial = path.with_suffix(f".{os.getpid()}-{time.monotonic_ns()}.partial")
    try:
        with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(values, file)
        os.link(partial, path)
    except FileExistsError:
        return False
    finally:
        partial.unlink(missing_ok=True)
    return True


def _read(path: Path) -> dict[str, Any] | None:
    try:
        values: dict[str, Any] = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    return values
