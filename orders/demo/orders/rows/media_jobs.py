"""Media jobs: the pickup passes, with their renditions.

All passes of a language share one picture, which is drawn once: a million files would say nothing
more, and an order's page must find a picture.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Any

from django.db.backends.utils import CursorWrapper

from media_jobs.models import MediaJob, Rendition
from media_jobs.recipes import PICKUP_PASS
from orders.demo.orders.copying import NULL, Copied, ready, uuid7
from orders.demo.orders.json_text import encode
from orders.demo.orders.life import Life
from orders.demo.orders.rows.jobs import COLUMNS, LEASE, Ended, Finished
from project.jobs.queryset import MAX_ATTEMPTS, MAX_LOST

KIND = "pickup_pass"
_JOBS = Copied(MediaJob, (*COLUMNS, "source", "recipe", "recipe_hash"))
_RENDITIONS = Copied(
    Rendition, ("job_id", "name", "format", "width", "height", "size", "file", "seconds")
)
FAILURES = (
    ("The storage is full ([Errno 28] No space left on device). Make room, then retry the job.", 1),
    ("It needs more memory than a job may have. Make the original smaller.", 1),
    ("The storage doesn't answer: [Errno 5] Input/output error", MAX_ATTEMPTS),
)
"""Reasons of failed jobs, with their attempts."""
FAILED = 0.002


@dataclass
class Passes:
    """Writes the media jobs of lives. `pictures` are the renditions of each language's pass."""

    pictures: dict[str, list[dict[str, Any]]]

    def __post_init__(self) -> None:
        self._hash = PICKUP_PASS.hash
        self._results = {
            language: encode({"renditions": made, "placeholder": "", "recipe_hash": self._hash})
            for language, made in self.pictures.items()
        }
        names = _RENDITIONS.columns[1:]
        self._renditions = {
            language: [
                tuple(NULL if one[name] is None else ready(str(one[name])) for name in names)
                for one in made
            ]
            for language, made in self.pictures.items()
        }

    def write(self, cursor: CursorWrapper, lives: Sequence[Life], random: Random) -> list[Finished]:
        finished: list[Finished] = []
        jobs = (row for life in lives for row in self._of(life, random, finished))
        _JOBS.write_ready(cursor, jobs)
        languages = (life.order.language for life in lives if not life.order.address)
        _RENDITIONS.write_ready(
            cursor,
            (
                (job.id, *made)
                for job, language in zip(finished, languages, strict=True)
                if job.ended.status == "done"
                for made in self._renditions[language]
            ),
        )
        return finished

    def _of(
        self, life: Life, random: Random, finished: list[Finished]
    ) -> Iterator[tuple[Any, ...]]:
        order = life.order
        if order.address:  # an order that is delivered is not picked up
            return
        at = order.placed_at
        job = uuid7(int(at.timestamp() * 1000), random.getrandbits(74))
        ended, failure = self._end(life, random)
        finished.append(Finished(job, ended, failure))
        yield (
            *ended.values(job, order.pk, KIND, life.first_context, at),
            *(f"order:{order.pk}", PICKUP_PASS.name),
            self._hash if ended.status == "done" else "",
        )

    def _end(self, life: Life, random: Random) -> tuple[Ended, str]:
        at = life.order.placed_at
        if (step := life.cancellation) and random.random() < 0.2:  # its worker was away
            return Ended("cancelled", 0, None, step.at, ring_after=at), ""
        started = at + timedelta(seconds=random.uniform(0.2, 3))
        finished = started + timedelta(seconds=random.uniform(0.3, 1.5))
        fate = random.random()
        if fate < FAILED:
            reason, attempts = random.choice(FAILURES)
            started += timedelta(hours=1) if attempts > 1 else timedelta()
            end = Ended("failed", attempts, started, started + timedelta(seconds=1), reason)
            return end, "PermanentError" if attempts == 1 else "TransientError"
        if fate < FAILED * 1.2:
            started += LEASE * (MAX_LOST - 1)
            reason = f"worker died {MAX_LOST} times"
            return Ended("failed", MAX_LOST, started, started + LEASE, reason, MAX_LOST), ""
        return Ended("done", 1, started, finished, result=self._results[life.order.language]), ""
