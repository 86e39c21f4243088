"""The time limit of a picture.

The task's own limits are those of the longest video, and a decoder that hangs in a picture must
not block a worker for that long.
"""

import faulthandler
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from celery.exceptions import SoftTimeLimitExceeded

PICTURE_SECONDS = 300
GRACE_SECONDS = 30


@contextmanager
def picture_time(
    seconds: float = PICTURE_SECONDS, *, grace: float = GRACE_SECONDS
) -> Iterator[None]:
    """Raise SoftTimeLimitExceeded after `seconds`, as Celery would.

    If the decoder still doesn't return, a C thread ends the process (even if the interpreter's lock
    is held), and the job's lease counts a lost worker.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # signals reach the main thread only, in which a prefork worker runs its jobs
        return

    def over(_number: int, _frame: FrameType | None) -> None:
        raise SoftTimeLimitExceeded

    before = signal.signal(signal.SIGALRM, over)
    timer = signal.setitimer(signal.ITIMER_REAL, seconds)
    faulthandler.dump_traceback_later(
        seconds + grace, exit=True, file=2
    )  # sys.stderr may have been replaced
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()
        signal.signal(signal.SIGALRM, before)
        signal.setitimer(signal.ITIMER_REAL, *timer)
