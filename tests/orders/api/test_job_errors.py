"""A job's error as a code: complete, and never the words that the row keeps."""

import pytest

from orders.api.job_errors import JobErrorCode, error_code
from project.jobs.queryset import MAX_LOST, Status

RAW = "550 5.1.1 <ada@example.org>: no such mailbox at mx7.internal"


@pytest.mark.parametrize(
    ("status", "lost", "error", "code"),
    [
        (Status.QUEUED, 0, "", ""),
        (Status.QUEUED, 0, RAW, "retried"),
        (Status.RUNNING, 1, "", ""),
        (Status.RUNNING, 1, RAW, "retried"),
        (Status.DONE, 0, "", ""),
        (Status.DONE, 0, RAW, ""),
        (Status.FAILED, 0, RAW, "failed"),
        (Status.FAILED, MAX_LOST - 1, RAW, "failed"),
        (Status.FAILED, MAX_LOST, "worker died 3 times", "worker_died"),
        (Status.FAILED, 0, "", "failed"),
        (Status.UNKNOWN, 0, RAW, "maybe_done"),
        (Status.UNKNOWN, MAX_LOST, "worker died 3 times", "maybe_done"),
        (Status.CANCELLED, 0, "", ""),
        (Status.CANCELLED, 0, RAW, "not_wanted"),
    ],
)
def test_an_error_has_a_code(status: Status, lost: int, error: str, code: str) -> None:
    assert error_code(status=status, lost=lost, error=error) == code


@pytest.mark.parametrize("status", Status)
def test_no_code_repeats_what_the_row_keeps(status: Status) -> None:
    codes = {error_code(status=status, lost=lost, error=RAW) for lost in range(MAX_LOST + 1)}

    assert codes <= set(JobErrorCode)
    assert RAW not in codes
