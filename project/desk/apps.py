"""The configuration of django.contrib.admin: its site is the desk's."""

from typing import Any

from django.contrib.admin.apps import SimpleAdminConfig
from django.core.checks import CheckMessage, Tags, register


class DeskConfig(SimpleAdminConfig):
    """Loads no admin: relay, beat and workers need none, and each would hold some 10 MB of them."""

    default_site = "project.desk.site.DeskSite"

    def ready(self) -> None:
        register(_load, Tags.admin)  # before Django's own, which looks at what is registered
        super().ready()


def _load(**_options: Any) -> list[CheckMessage]:
    from project.desk.loading import load_desk

    load_desk()
    return []
