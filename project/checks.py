"""System checks of settings that only show later that they are wrong.

`manage.py check` lists what they find, and each process looks when it starts (`stop_at_errors`). A
variable whose value can't be used at all is refused before, by `project.settings`.
"""

import logging
import os
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, run_checks

from project.conf.misspelt import misspelt
from project.local.env import SETTING_NAMES

logger = logging.getLogger(__name__)

SETTINGS, SESSIONS, SCHEDULE = "settings", "sessions", "schedule"
"""Tags: the checks that every process runs when it starts, of its settings and its sessions with
the database; and those that beat adds."""


def check_names(**_options: Any) -> list[CheckMessage]:
    """Find variables of the environment that are probably ours, misspelt.

    Only a local run or DEBUG comes so far with one: in production the settings refuse it.
    """
    return [
        Warning(
            f"{name} isn't a variable of Tandem and is ignored: is {meant} meant?",
            hint="Rename it, or set the other one as well if this one is another program's.",
            id="project.W001",
        )
        for name, meant in misspelt(os.environ, SETTING_NAMES).items()
    ]


def check_media_folder(**_options: Any) -> list[CheckMessage]:
    """Find a media folder in which this process can't write."""
    folder = settings.MEDIA_ROOT
    if not folder or can_write_to(Path(folder)):
        return []
    return [
        (Error if settings.IS_PRODUCTION else Warning)(
            f"MEDIA_STORAGE is {folder}, where this process can't write: no picture can be stored.",
            hint="Make the folder and give it to the user of web and workers, or name another.",
            id="project.E003" if settings.IS_PRODUCTION else "project.W003",
        )
    ]


def check_proxies(**_options: Any) -> list[CheckMessage]:
    """Find a shop in production without a proxy: its pages are sent to https again and again."""
    if settings.TRUSTED_PROXY_COUNT or not settings.IS_PRODUCTION:
        return []
    return [
        Warning(
            "TRUSTED_PROXY_COUNT is 0, so no X-Forwarded-Proto and no X-Forwarded-For is believed:"
            " behind a proxy no page could be shown, and all shoppers would share one address.",
            hint="Set the number of your proxies, unless the web process itself ends TLS.",
            id="project.W004",
        )
    ]


def can_write_to(folder: Path) -> bool:
    """Tell whether files can be written to the folder, or it can be made."""
    place = folder.absolute()
    while not place.exists() and not place.is_symlink() and place != place.parent:
        place = place.parent
    # Also false on a file system that is read-only, whoever asks.
    return place.is_dir() and os.access(place, os.W_OK | os.X_OK)


def stop_at_errors(*more_tags: str, exit_status: int = 1) -> None:
    """Log what the checks find, a line each; call it once, when a process starts.

    In production an error ends the process: what would fail with each message or picture is told
    before the shop opens. A local run goes on.
    """
    databases = ["default", "writer"] if settings.IS_WEB_PROCESS else ["default"]
    found = run_checks(tags=[SETTINGS, SESSIONS, *more_tags], databases=databases)
    for each in found:
        level = logging.ERROR if each.is_serious() else logging.WARNING
        logger.log(level, "%s: %s %s", each.id, each.msg, each.hint or "")
    if settings.IS_PRODUCTION and any(each.is_serious() for each in found):
        sys.exit(exit_status)
