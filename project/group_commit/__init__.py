"""Group commit: one long-lived thread that commits what many callers ask for together.

`committer` is the mechanism, `submission` what a caller waits for, `patient_lane` where items
wait for what others have locked, `draining` how a process ends.
"""

from project.group_commit.committer import GroupCommitter, waiting_items
from project.group_commit.draining import drain_all, drain_on_exit
from project.group_commit.patient_lane import Patience
from project.group_commit.submission import (
    DEFER,
    GroupCommitError,
    NotCommittedError,
    NotTakenError,
    RepeatBatch,
    Submission,
    UnknownCommitError,
)

__all__ = [
    "DEFER",
    "GroupCommitError",
    "GroupCommitter",
    "NotCommittedError",
    "NotTakenError",
    "Patience",
    "RepeatBatch",
    "Submission",
    "UnknownCommitError",
    "drain_all",
    "drain_on_exit",
    "waiting_items",
]
