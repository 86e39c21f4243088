"""The trail: log lines by which one order is followed from its request to its delivered mail.

    web      request_id                     every line that a request causes
    writer   request_id and order_id        one line a batch, with its orders
    relay    order_id and job_id            one line for the jobs that it publishes
    worker   order_id and job_id            every line of a job, and one at its end

So the order's id is the one that goes through all processes: its jobs have it anyway. A column for
the request's would tell nothing more, and be written with each job. (Where traces are sent,
`project.tracing`, web and worker lines have the `trace_id` as well.)

A local run leaves the trail's own lines out (`project.monitoring.logging`).
"""

import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from structlog.contextvars import bound_contextvars, get_contextvars

TRAIL = "project.trail"
_logger = logging.getLogger(TRAIL)
_GIVEN = re.compile(r"[A-Za-z0-9._:-]{8,64}", re.ASCII)


def request_id_of(given: str) -> str:
    """Return the id that a request has brought (`X-Request-ID`), or a new one for it."""
    return given if _GIVEN.fullmatch(given) else uuid4().hex


def request_id() -> str:
    """Return the id of the request that this thread serves; empty if it serves none."""
    return str(get_contextvars().get("request_id", ""))


@contextmanager
def named(**ids: object) -> Iterator[None]:
    """Put these ids into every line that the block logs in this thread."""
    with bound_contextvars(**{name: str(value) for name, value in ids.items()}):
        yield


def tell(event: str, **fields: Any) -> None:
    """Write a line of the trail."""
    if is_told():
        _logger.info(event, extra=fields)


def is_told() -> bool:
    """Tell whether this process writes the trail: who only collects ids for it may ask before."""
    return _logger.isEnabledFor(logging.INFO)


def ids(**known: object) -> Mapping[str, str]:
    """Return the ids that are there, as a line shows them."""
    return {name: str(value) for name, value in known.items() if value}
