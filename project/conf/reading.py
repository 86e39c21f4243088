"""Reads all settings when a process starts, and ends it in one line if one of them is wrong.

manage.py, the web process and Celery's processes call it: all of them say the same.
"""

import sys

from django.core.exceptions import ImproperlyConfigured


def read_settings(*, exit_status: int = 1) -> None:
    """Read the settings; print what is wrong with a variable and end the process with the status.

    The environment must name the settings module.
    """
    from django.conf import settings

    try:
        settings.INSTALLED_APPS  # noqa: B018 (reads all of them)
    except ImproperlyConfigured as error:
        print(error, file=sys.stderr)
        sys.exit(exit_status)
