"""The app's configuration: its name in the admin, and its system checks."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ProjectConfig(AppConfig):
    name = "project"
    verbose_name = _("Health")

    def ready(self) -> None:
        from django.core.checks import register

        from project.checks import SETTINGS, check_media_folder, check_names

        register(check_names, SETTINGS)
        register(check_media_folder, SETTINGS)
