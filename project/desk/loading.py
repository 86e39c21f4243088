"""Loads the desk: all admins of all apps."""

from django.contrib import admin

from project.desk.list_headers import keep_headers, label_first_cells


def load_desk() -> None:
    """Register all admins. Doing it again changes nothing.

    The URLs do it, and whoever asks the site what it has without them.
    """
    admin.autodiscover()
    keep_headers()
    label_first_cells()
