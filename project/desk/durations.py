"""Durations as the desk's pages show them: short, in the largest unit."""

from django.utils.translation import gettext as _
from django.utils.translation import ngettext


def duration(seconds: float) -> str:
    """Return the time in its largest unit: “0.3 s”, “12 min”, “5 hours”."""
    if seconds < 10:
        return _("%(count)s s") % {"count": f"{seconds:.1f}"}
    if seconds < 120:
        return _("%(count)s s") % {"count": f"{seconds:.0f}"}
    if seconds < 7200:
        return _("%(count)s min") % {"count": f"{seconds / 60:.0f}"}
    hours = round(seconds / 3600)
    return ngettext("%(count)d hour", "%(count)d hours", hours) % {"count": hours}
