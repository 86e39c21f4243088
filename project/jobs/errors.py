"""How an attempt at a job ends other than with its result."""

from datetime import datetime


class JobError(Exception):
    """What `JobHandler.perform` raises to say how its attempt ended; the message is for the
    operator.
    """


class TransientError(JobError):
    """It may work later: the job is tried again with backoff, eight times in all."""


class PermanentError(JobError):
    """It will never work as it is: the job fails at once."""


class UnknownOutcomeError(JobError):
    """It may have happened, and asking again could double it: a person decides."""


class NotNowError(JobError):
    """What it needs is away, which isn't its fault: it is parked, and the attempt not counted.

    The code that raises it wakes the parked jobs (`unpark`) when it is time, unless it says until
    when they wait.
    """

    def __init__(self, reason: str, *, until: datetime | None = None) -> None:
        super().__init__(reason)
        self.until = until


class NotClaimedError(Exception):
    """Another worker owns the job, or it is finished: there is nothing to do."""


class LostClaimError(Exception):
    """The lease ran out while the work went on: its result is refused."""
