"""System checks of settings that only show later that they are wrong.

`manage.py check --deploy` lists what they find, and each process logs its part of it when it
starts (`report_findings`).
"""

import logging
import os
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Warning, run_checks

from project.conf.misspelt import misspelt
from project.local.env import SETTING_NAMES

logger = logging.getLogger(__name__)

SETTINGS, MEDIA, SCHEDULE = "settings", "media_folder", "schedule"
"""Tags: what the web process, what every process that stores media, and what beat looks at."""


def check_names(**_options: Any) -> list[CheckMessage]:
    """Find variables of the environment that are probably ours, misspelt."""
    return [
        Warning(
            f"{name} isn't a variable of Tandem and is ignored: is {meant} meant?",
            hint="Rename it, or set the other one as well if this one is another program's.",
            id="project.W001",
        )
        for name, meant in misspelt(os.environ, SETTING_NAMES).items()
    ]


def check_hosts(**_options: Any) -> list[CheckMessage]:
    """Find a production shop that answers to any host."""
    if settings.TANDEM_LOCAL or settings.DEBUG or "*" not in settings.ALLOWED_HOSTS:
        return []
    return [
        Warning(
            "ALLOWED_HOSTS has *: the shop answers to names that others choose.",
            hint="List the shop's own host names.",
            id="project.W002",
        )
    ]


def check_media_folder(**_options: Any) -> list[CheckMessage]:
    """Find a media folder in which this process can't write."""
    folder = settings.MEDIA_ROOT
    if not folder or can_write_to(Path(folder)):
        return []
    return [
        Warning(
            f"MEDIA_STORAGE is {folder}, where this process can't write: no picture can be stored.",
            hint="Make the folder and give it to the user of web and workers, or name another.",
            id="project.W003",
        )
    ]


def can_write_to(folder: Path) -> bool:
    """Tell whether files can be written to the folder, or it can be made."""
    place = folder.absolute()
    while not place.exists() and not place.is_symlink() and place != place.parent:
        place = place.parent
    # Also false on a file system that is read-only, whoever asks.
    return place.is_dir() and os.access(place, os.W_OK | os.X_OK)


def report_findings(*tags: str) -> None:
    """Log what the checks with these tags find, a line each. Call it once, when a process starts.

    It never stops the process: a shop that can't store pictures still takes orders.
    """
    for found in run_checks(tags=tags, databases=["default"]):
        logger.warning("%s: %s %s", found.id, found.msg, found.hint or "")
