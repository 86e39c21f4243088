"""The app's configuration: its name in the admin, its system checks and health checks."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class NotificationsConfig(AppConfig):
    name = "notifications"
    verbose_name = _("Notifications")

    def ready(self) -> None:
        # Late imports: the models that these modules need are loaded only now.
        from django.core.checks import register

        from notifications.checks import check_sms
        from notifications.delivery.breaker_figures import report_breakers
        from notifications.delivery.parked import report_channels
        from notifications.webhooks.figures import report_endpoints
        from project.checks import SETTINGS
        from project.monitoring.health import report_health

        register(check_sms, SETTINGS)
        report_health(report_channels)
        report_breakers()
        report_endpoints()
