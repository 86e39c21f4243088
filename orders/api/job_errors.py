"""What an order's reader is told about a job's error: a code, never the words of a provider.

A client that knows an order's id may read the order. The answer of a mail server, a gateway or a
decoder may name hosts, accounts and files; the desk shows it to operators.
"""

from enum import StrEnum

from project.jobs.queryset import MAX_LOST, Status


class JobErrorCode(StrEnum):
    NONE = ""
    RETRIED = "retried"
    """The last attempt failed, or a service that it needs is away: another attempt follows."""
    FAILED = "failed"
    WORKER_DIED = "worker_died"
    """The job failed because its worker died with it several times."""
    MAYBE_DONE = "maybe_done"
    """It may have been done; nobody could make sure."""
    NOT_WANTED = "not_wanted"
    """It was cancelled because nobody wants it any more."""


def error_code(*, status: str, lost: int, error: str) -> JobErrorCode:
    """Return the code for a job's `error`, by its status and the number of workers that it lost."""
    if status == Status.FAILED:
        return JobErrorCode.WORKER_DIED if lost >= MAX_LOST else JobErrorCode.FAILED
    if status == Status.UNKNOWN:
        return JobErrorCode.MAYBE_DONE
    if not error or status == Status.DONE:
        return JobErrorCode.NONE
    return JobErrorCode.NOT_WANTED if status == Status.CANCELLED else JobErrorCode.RETRIED
