"""`manage.py person erase EMAIL` in a process that kills itself within one of its steps.

python -m tests.orders.personal_data.dying_erasure POINT EMAIL MEDIA_ROOT
"""

import os
import pkgutil
import signal
import sys
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import django

POINTS = {
    # After one order is anonymised, before the next.
    "an order": ("orders.personal_data.erasure._anonymise", "after", 1),
    # Files are gone, and their rows are there.
    "files": ("orders.personal_data.erasure.erase_media_jobs", "after", 1),
    "messages": ("orders.personal_data.erasure.delete_with_files", "before", 2),
    "the account": ("orders.personal_data.erasure.Erasure._erase_accounts", "after", 1),
    "the texts": ("orders.personal_data.scrubbing._scrub", "after", 4),
    "its end": ("orders.personal_data.jobs.Erasure.run", "after", 1),
}


def dying(work: Callable[..., Any], *, when: str, at: int) -> Callable[..., Any]:
    """Return the function that kills the process before or after its call number `at`."""
    calls = 0

    def wrapped(*args: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        if when == "before" and calls == at:
            os.kill(os.getpid(), signal.SIGKILL)
        result = work(*args, **options)
        if when == "after" and calls == at:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    return wrapped


def main(point: str, email: str, media_root: str) -> None:
    django.setup()
    from django.conf import settings
    from django.core.management import call_command

    settings.MEDIA_ROOT = media_root
    settings.KEEP_INVOICES_YEARS = 0
    path, when, at = POINTS[point]
    original = pkgutil.resolve_name(path)
    with patch(path, dying(original, when=when, at=at)):
        call_command("person", "erase", email)


if __name__ == "__main__":
    main(*sys.argv[1:])
