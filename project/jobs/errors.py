"""The errors that end an attempt at a job."""

from datetime import datetime

from project.text import clean


class JobError(Exception):
    """Raised by `JobHandler.perform`; its type says how the attempt ended, its message is for the
    operator.
    """


class TransientError(JobError):
    """A later attempt may succeed: the job is retried with backoff, eight attempts in all."""


class PermanentError(JobError):
    """No later attempt can succeed: the job fails at once."""


class UnknownOutcomeError(JobError):
    """The effect may have happened, and a retry could repeat it: an operator decides."""


class NotNowError(JobError):
    """A service that the job needs is unavailable: the job is parked, the attempt isn't counted.

    The code that raises it unparks the jobs later (`unpark`), unless `until` says how long they
    wait.
    """

    def __init__(self, reason: str, *, until: datetime | None = None) -> None:
        super().__init__(reason)
        self.until = until


class NotWantedError(JobError):
    """Nobody wants it any more: the job is cancelled with this reason, and nobody has to look."""


class NotClaimedError(Exception):
    """Another worker has claimed the job, or it is finished: there is nothing to do."""


class LostClaimError(Exception):
    """The lease expired during the work: its result is refused."""


def clean_texts(error: BaseException) -> None:
    """Remove from an error's texts, and from those of its causes, what no row can store.

    An error may quote what another system answered. Celery stores its traceback, which has the
    causes' texts, too.
    """
    seen: set[int] = set()
    each: BaseException | None = error
    while each is not None and id(each) not in seen:
        seen.add(id(each))
        if any(isinstance(part, str) for part in each.args):
            each.args = tuple(
                clean(part, longest=len(part)) if isinstance(part, str) else part
                for part in each.args
            )
        each = each.__cause__ or each.__context__
