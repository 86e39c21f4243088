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

        from project.checks import SETTINGS, check_media_folder, check_names

        # As `django.contrib.postgres` does: that app also asks each new connection for types that
        # nothing here uses.
        IndexExpression.register_wrappers(OrderBy, OpClass, Collate)
        register(check_names, SETTINGS)
        register(check_media_folder, SETTINGS)
