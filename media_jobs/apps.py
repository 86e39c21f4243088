"""The app's configuration: its name in the admin."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MediaJobsConfig(AppConfig):
    name = "media_jobs"
    verbose_name = _("Media jobs")
