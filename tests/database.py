"""The test database, for processes of their own."""

import os

from django.db import connection


def this_database() -> str:
    """The test database's URL, for a process of its own."""
    server, _, _name = os.environ["DATABASE_URL"].rpartition("/")
    return f"{server}/{connection.settings_dict['NAME']}"
