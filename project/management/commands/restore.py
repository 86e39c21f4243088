"""`manage.py restore PLACE`: a shop from a backup, in an empty database."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from project.backup.errors import BackupError
from project.backup.restore import restore_backup


class Command(BaseCommand):
    help = "Restore a backup into an empty database and audit it; drift exits 1."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "folder",
            help="the folder or the s3://BUCKET/PREFIX of a backup, or of all: then the newest",
        )
        parser.add_argument(
            "--replace", action="store_true", help="drop what the database has, and all its rows"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            audit = restore_backup(
                options["folder"], replace=options["replace"], say=self.stderr.write
            )
        except BackupError as error:
            raise CommandError(str(error)) from error
        if not audit.is_clean:
            self.stderr.write(self.style.ERROR("drift: see `manage.py audit`"))
            sys.exit(1)
        self.stdout.write("Restored, and clean. Start the shop, and look at docs/backup.md.")
