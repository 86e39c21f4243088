#!/bin/sh
# Celery's new `AsyncResult.exists()` says of a task that waits, or runs, that it does not exist.
#
# Expected: what 5.7 added it for, in the words of its documentation: to tell "a task that is
#   truly pending (waiting for execution)" from an id "that has never been submitted". The state is
#   PENDING for both.
# Seen (celery 5.7.0): nothing is written to the result backend when a task is sent, nor, by
#   default, when it begins, and `exists()` looks only there. It is False for a task that waits in
#   the queue and for one that a worker runs at this moment, as for an id out of thin air; True once
#   the task has ended, as its state says too; with `ignore_result` never. A page that sends an
#   order's e-mail again because its task "doesn't exist" sends it twice, most often when the queue
#   is long. With `task_track_started` it is True from the task's start on, still not in the queue.
#
# Runs without any other project or server. Exits 0 while Celery does this, 1 once it does not.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    "celery==5.7.0" "kombu==5.7.0" "sqlalchemy==2.1.9"
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import logging
import sys
import threading

import celery
from celery.contrib.testing.worker import start_worker

logging.disable(logging.CRITICAL)
print("celery", celery.__version__)


def watched(backend, **settings):
    """Return what `exists()` says of a task: while it waits, while it runs, once it has ended."""
    app = celery.Celery("shop", broker="memory://", backend=backend, set_as_current=False)
    app.conf.update(task_default_queue=f"{backend}{settings}", **settings)
    has_begun, may_end = threading.Event(), threading.Event()

    @app.task(name="send_mail")
    def send_mail():
        has_begun.set()
        may_end.wait(30)

    result = send_mail.delay()
    seen = [result.exists()]
    with start_worker(app, pool="solo", perform_ping_check=False):
        assert has_begun.wait(30)
        seen.append(result.exists())
        may_end.set()
        if not settings.get("task_ignore_result"):
            result.get(timeout=30)
    seen.append(result.exists())
    never_sent = app.AsyncResult("00000000-0000-0000-0000-000000000000")
    assert not never_sent.exists()
    return seen


MEMORY, SQLITE = "cache+memory://", "db+sqlite:///results.sqlite"
found = {
    "in memory": watched(MEMORY),
    "in SQLite": watched(SQLITE),
    "in memory, task_track_started": watched(MEMORY, task_track_started=True),
    "in memory, task_ignore_result": watched(MEMORY, task_ignore_result=True),
}
for name, seen in found.items():
    print(f"results {name}: exists() while waiting, running, ended:", *seen)
expected = [
    [False, False, True],
    [False, False, True],
    [False, True, True],
    [False, False, False],
]
sys.exit(0 if list(found.values()) == expected else 1)
PYTHON
