"""The attempts of a demo message and their end, as the workers log them."""

from datetime import datetime, timedelta
from random import Random

from orders.demo.orders.json_text import encode
from orders.demo.orders.rows.jobs import LEASE, Ended
from project.jobs.queryset import MAX_ATTEMPTS, MAX_LOST, PARKED

FORGOTTEN_AFTER = timedelta(days=60)
"""Older failed messages were cancelled by an operator."""


class Attempts:
    """Those of one message, with the columns that are particular to it."""

    def __init__(self, gateway: str, started_at: datetime, random: Random) -> None:
        self.gateway = gateway
        self.provider_id = ""
        self.maybe_duplicate = False
        self._entries: list[str] = []
        self.delivery = self.delivery_reason = ""
        self.delivery_at: datetime | None = None
        self.failure = ""
        self._random = random
        self._started_at = started_at
        self._due: datetime | None = None
        self._attempts = 1
        self.ended: Ended

    @property
    def log(self) -> str:
        """The entries as JSON."""
        return f"[{', '.join(self._entries)}]"

    def done(self, provider_id: str, answer: str, reported: tuple[str, str]) -> "Attempts":
        self.provider_id = provider_id
        result = f'{{"provider_id": {encode(provider_id)}, "answer": {encode(answer)}}}'
        self._finish("done", answer, result=result)
        self.delivery, self.delivery_reason = reported
        if self.delivery:
            assert self.ended.finished_at is not None
            self.delivery_at = self.ended.finished_at + timedelta(
                seconds=self._random.uniform(1, 900)
            )
        return self

    def refused(self, words: str, until: datetime) -> "Attempts":
        self.failure = "PermanentError"
        return self._fail(words, until)

    def tried_in_vain(self, words: str, until: datetime) -> "Attempts":
        """All attempts were refused for the time being."""
        self.failure = "TransientError"
        for _attempt in range(MAX_ATTEMPTS - 1):
            self.again(words)
        return self._fail(words, until)

    def _fail(self, words: str, until: datetime) -> "Attempts":
        self._finish("failed", words, error=words)
        if self._started_at < until - FORGOTTEN_AFTER:
            self.ended.status = "cancelled"  # by an operator: the reason stays
        return self

    def buried(self) -> "Attempts":
        words = f"worker died {MAX_LOST} times"
        self._attempts = MAX_LOST
        self._started_at += LEASE * (MAX_LOST - 1)
        self.maybe_duplicate = True
        for number in range(1, MAX_LOST):
            self._entries.append(f'{{"ended": "lost", "number": {number}, "words": ""}}')
        self._finish("unknown", words, error=words, lost=MAX_LOST)
        return self

    def unknown(self, words: str) -> "Attempts":
        self.failure = "UnknownOutcomeError"
        self.maybe_duplicate = True
        self._finish("unknown", words, error=words)
        return self

    def park(self, words: str) -> "Attempts":
        self.failure = "NotNowError"
        self._log("parked", words, seconds=0.012)
        self.ended = Ended(
            "queued",
            0,
            self._started_at,
            None,
            words,
            ring_after=PARKED,
            run_after=self._started_at,
        )
        return self

    def again(self, words: str) -> None:
        """Log a failed attempt; the next one comes after a pause, as `backoff` has it."""
        self._log("again", words, seconds=0.2)
        pause = min(5 * 3 ** (self._attempts - 1), 3600)
        self._due = self._started_at + timedelta(seconds=pause * self._random.uniform(0.75, 1.25))
        self._started_at = self._due + timedelta(seconds=0.3)
        self._attempts += 1

    def _finish(
        self, status: str, words: str, *, error: str = "", lost: int = 0, result: str | None = None
    ) -> None:
        seconds = round(self._random.uniform(0.03, 0.6), 3)
        self._log(status, words, seconds=None if lost else seconds, lost=lost)
        self.ended = Ended(
            status=status,
            attempts=self._attempts,
            started_at=self._started_at,
            finished_at=self._started_at + timedelta(seconds=seconds),
            error=error,
            lost=lost,
            result=result,
            run_after=self._due,
        )

    def _log(self, ended: str, words: str, *, seconds: float | None, lost: int = 0) -> None:
        self._entries.append(
            f'{{"ended": "{ended}", "number": {self._attempts},'
            f' "at": "{self._started_at.isoformat()}",'
            f' "seconds": {"null" if seconds is None else seconds}, "words": {encode(words)},'
            f' "lost": {lost}, "gateway": {encode(self.gateway.partition(":")[2])}}}'
        )
