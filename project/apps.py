"""The app's configuration: its name in the admin, and its system checks."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ProjectConfig(AppConfig):
    name = "project"
    verbose_name = _("Health")

    def ready(self) -> None:
        from django.contrib.postgres.indexes import OpClass
        from django.core.checks import register
        from django.db.models import OrderBy
        from django.db.models.functions import Collate
        from django.db.models.indexes import IndexExpression

        import project.celery  # noqa: F401 (the application of `shared_task`, in every process)
        from project.checks import (
            SESSIONS,
            SETTINGS,
            check_media_folder,
            check_names,
            check_proxies,
        )
        from project.database.poolers import check_poolers

        # As `django.contrib.postgres` does: that app also asks each new connection for types that
        # nothing here uses.
        IndexExpression.register_wrappers(OrderBy, OpClass, Collate)
        register(check_names, SETTINGS)
        register(check_media_folder, SETTINGS)
        register(check_proxies, SETTINGS)
        register(check_poolers, SESSIONS)
