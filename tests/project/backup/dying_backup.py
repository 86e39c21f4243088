"""`manage.py backup PLACE` in a process that kills itself before it sends one of its objects.

python -m tests.project.backup.dying_backup NUMBER PLACE MEDIA_ROOT [manifest-first]

`manifest-first` is the control: the manifest is sent before the other files.
"""

import os
import signal
import sys
from pathlib import Path
from typing import Any
from unittest.mock import patch

import django


def main(number: str, place: str, media_root: str, order: str = "") -> None:
    django.setup()
    from django.conf import settings
    from django.core.management import call_command

    from project.backup import manifest
    from project.backup.bucket import BackupBucket
    from project.buckets import Prefix

    settings.MEDIA_ROOT = media_root
    sent, send = 0, Prefix.send

    def dying_send(prefix: Prefix, path: Path, name: str) -> None:
        nonlocal sent
        sent += 1
        if sent == int(number):
            os.kill(os.getpid(), signal.SIGKILL)
        send(prefix, path, name)

    def finish_with_the_manifest_first(bucket: Any, draft: Path) -> str:
        for path in sorted(draft.iterdir(), key=lambda path: path.name != manifest.NAME):
            bucket._objects.send(path, f"{draft.name}/{path.name}")
        return draft.name

    finish = finish_with_the_manifest_first if order == "manifest-first" else BackupBucket.finish
    with patch.object(Prefix, "send", dying_send), patch.object(BackupBucket, "finish", finish):
        call_command("backup", place)


if __name__ == "__main__":
    main(*sys.argv[1:])
