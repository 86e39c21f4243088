"""What Django leaves to the first request, done once before the web processes are forked.

Otherwise each process does it anew, and in a rush each of its threads, all at once: the first
orders after a release waited for a second of processor time that was spent many times over.
"""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psycopg_pool  # noqa: F401 (Django imports it for the first connection)
from django.conf import settings
from django.template.loader import get_template
from django.template.utils import get_app_template_dirs
from django.urls import NoReverseMatch, get_resolver, reverse
from django.utils import translation

from project.email_addresses import deliverable_address


def warm_up() -> None:
    """Load all views, and what the shop's own addresses, e-mail fields and pages need.

    It asks no database and no other server: a connection must not be made before the fork.
    """
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            for namespace in get_resolver().namespace_dict:
                with suppress(NoReverseMatch):  # no view has this name: the table of names counts
                    reverse(f"{namespace}:")
    deliverable_address("anna@example.com")  # compiles the expressions for one
    for name in _own_templates():
        get_template(name)


def _own_templates() -> Iterator[str]:
    """Yield the names of the templates that are no other package's."""
    folders = {settings.BASE_DIR / "project" / "templates", *get_app_template_dirs("templates")}
    for folder in map(Path, folders):
        if folder.is_relative_to(settings.BASE_DIR) and "site-packages" not in folder.parts:
            yield from (
                str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()
            )
