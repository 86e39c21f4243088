"""A Celery application for worker faults (`-A` this module): some jobs do harm at their first try.

An e-mail says by its recipient what happens, a picture by `fault` in its context. Leases last
three seconds, so that a test doesn't wait for half a minute.
"""

import os
import signal
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from celery.signals import task_postrun, worker_init

from project.celery import app

__all__ = ["app"]

LEASE = timedelta(seconds=3)
FOREVER = 600  # seconds


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def eat_while_drawing() -> None:
    """Let the next picture of this process want a gigabyte and a half."""
    from media_jobs import pickup_pass  # not before the fork

    draw = pickup_pass.draw

    def hungry(context: Any) -> Any:
        pickup_pass.draw = draw
        bytearray(1_500_000_000)
        return draw(context)

    pickup_pass.draw = hungry


@worker_init.connect
def break_things(**kwargs: Any) -> None:
    from media_jobs.handler import MediaJobHandler
    from media_jobs.models import MediaJob
    from notifications.channels import email
    from notifications.handler import NotificationHandler
    from notifications.models import Notification

    Notification.lease = MediaJob.lease = LEASE
    MediaJob.heartbeat = timedelta(seconds=1)
    send, perform = email.send, MediaJobHandler.perform
    deliver = NotificationHandler.perform
    attempts: dict[Any, int] = {}
    over: list[Path] = []

    def note_attempt(handler: NotificationHandler, notification: Any) -> Any:
        attempts[notification.pk] = notification.attempts
        return deliver(handler, notification)

    def broken_send(message: Any, **options: Any) -> Any:
        name = message.recipient.partition("@")[0]
        if attempts[message.id] == 1 and name == "hangs":
            time.sleep(FOREVER)
        if name == "neighbour":
            time.sleep(1.5)
        if name == "poison":
            time.sleep(0.5)  # so that the jobs beside it are running, too
            die()
        receipt = send(message, **options)
        if attempts[message.id] == 1 and name == "dies":
            die()
        return receipt

    def broken_perform(handler: MediaJobHandler, job: Any) -> Any:
        fault = job.context.get("fault")
        if fault == "poison":
            die()
        if job.attempts == 1 and fault == "stuck":
            # As a decoder that never looks up: no soft limit reaches it.
            signal.pthread_sigmask(signal.SIG_BLOCK, set(signal.Signals) - {signal.SIGKILL})
            time.sleep(FOREVER)
        if fault == "eats":
            eat_while_drawing()
        result = perform(handler, job)
        if job.attempts == 1 and fault == "waits":
            folder = Path(job.context["folder"])
            (folder / "pid").write_text(str(os.getpid()))
            while not (folder / "released").exists():
                time.sleep(0.05)
            over.append(folder / "over")
        return result

    def note_end(**kwargs: Any) -> None:
        for path in over:
            path.touch()

    task_postrun.connect(note_end, weak=False)
    email.send = broken_send
    NotificationHandler.perform = note_attempt  # type: ignore[assignment]
    MediaJobHandler.perform = broken_perform  # type: ignore[assignment]
