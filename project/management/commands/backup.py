"""`manage.py backup PLACE`: database and media into a folder or bucket, while the shop goes on."""

import argparse
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from project.backup.errors import BackupError
from project.backup.run import make_backup


class Command(BaseCommand):
    help = (
        "Back up database and media into a folder or an S3 bucket. Secrets and the environment are"
        " left out."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "folder",
            nargs="?" if settings.BACKUP_FOLDER else None,
            default=settings.BACKUP_FOLDER,
            help="the folder of all backups, or s3://BUCKET/PREFIX; without it BACKUP_FOLDER",
        )
        parser.add_argument(
            "--keep",
            type=_count,
            metavar="N",
            help="remove all but the newest N backups there afterwards",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        folder = options["folder"].rstrip("/")
        try:
            made = make_backup(folder, keep=options["keep"], say=self.stderr.write)
        except BackupError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"{folder}/{made['file']}: {made['rows']} rows, {made['media files']} media files of"
            f" which {made['copied files']} were copied, {made['seconds']} s"
        )


def _count(text: str) -> int:
    count = int(text)
    if count < 1:
        raise argparse.ArgumentTypeError("keep one at least")
    return count
