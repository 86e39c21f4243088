"""`manage.py person export EMAIL` and `erase EMAIL`: all that the shop has of a person.

The work is a desk job, which this command begins to do itself. If the command dies, the relay has a
worker go on with it as soon as its lease is over.
"""

import shutil
import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from orders.models import DeskJob
from orders.personal_data.jobs import NotNowRefusal, queue_erasure, queue_export
from orders.personal_data.person import Person, find_person
from project.database.timeouts import WORKER, bound_session
from project.email_addresses import InvalidAddressError
from project.jobs.errors import JobError, LostClaimError, NotClaimedError
from project.jobs.handler import handler_of
from project.jobs.queryset import OPEN, Status
from project.jobs.run import run_job

POLL_SECONDS = 0.5


class Command(BaseCommand):
    help = "Export or erase all that the shop has of a person."

    def add_arguments(self, parser: CommandParser) -> None:
        wanted = parser.add_subparsers(dest="what", required=True)
        export = wanted.add_parser("export", help="write a zip with all of the person's data")
        export.add_argument("email", help="an address of the person, in any spelling")
        export.add_argument("--to", type=Path, metavar="FILE", help="where the zip is written")
        erase = wanted.add_parser(
            "erase", help="anonymise the person's orders and delete the rest; it can't be undone"
        )
        erase.add_argument("email", help="an address of the person, in any spelling")

    def handle(self, *args: Any, what: str, email: str, **options: Any) -> None:
        try:
            person = find_person(email)
        except InvalidAddressError:
            raise CommandError(f"{email!r} isn't an e-mail address.") from None
        if what == "export":
            self._export(person, options["to"])
        else:
            self._erase(person)

    def _export(self, person: Person, to: Path | None) -> None:
        job = _done(queue_export(person, user_id=None))
        counts = job.result or {}
        self._list(counts)
        if to is None:
            self.stdout.write(
                f"The zip is at the desk, under Desk jobs: /admin/orders/deskjob/{job.pk}/change/"
            )
            return
        to.touch(mode=0o600)
        to.chmod(0o600)
        with job.report.open("rb") as source, to.open("wb") as target:
            shutil.copyfileobj(source, target)
        self.stdout.write(f"Written to {to}.")

    def _erase(self, person: Person) -> None:
        try:
            job = queue_erasure(person, user_id=None)
        except NotNowRefusal as refusal:
            raise CommandError("Not erased:\n  " + "\n  ".join(refusal.reasons)) from None
        counts = _done(job).result or {}
        if not counts:
            self.stdout.write("The shop has nothing more of this person: nothing to erase.")
            return
        self._list(counts)
        self.stdout.write("Erased. Backups from before hold it until they are deleted.")

    def _list(self, counts: dict[str, int]) -> None:
        for kind, count in counts.items():
            self.stdout.write(f"  {count:>6} {kind.replace('_', ' ')}")


def _done(job: DeskJob) -> DeskJob:
    """Do the job here, or wait for the worker that has it; raise CommandError if it fails."""
    bound_session(WORKER)
    while job.status in OPEN:
        try:
            run_job(DeskJob, job.pk)
        except (NotClaimedError, LostClaimError):
            time.sleep(POLL_SECONDS)  # a worker has it, or it is tried again later
        except JobError:
            pass  # its row says why
        finally:
            handler_of(DeskJob).after_attempt(job.pk)
        job.refresh_from_db()
    if job.status != Status.DONE:
        raise CommandError(job.error or f"The job was {job.status}: {job.pk}")
    return job
