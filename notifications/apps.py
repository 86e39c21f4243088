"""What the app is called at the desk, and what it says to the health pages."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class NotificationsConfig(AppConfig):
    name = "notifications"
    verbose_name = _("Notifications")

    def ready(self) -> None:
        from notifications.breaker import read_checks
        from project.health import report_health

        report_health(read_checks)
