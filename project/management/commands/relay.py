"""`manage.py relay`: run a relay until SIGTERM or Ctrl-C."""

import signal
from typing import Any

from django.core.management.base import BaseCommand

from project.celery import app
from project.checks import stop_at_errors
from project.relay import Relay
from project.tracing.sending import start_sending


class Command(BaseCommand):
    # All checks would load all pages; `stop_at_errors` makes those of the settings.
    requires_system_checks = ()
    help = "Publish ready jobs to the broker, and call the sweeps that are due."

    def handle(self, *args: Any, **options: Any) -> None:
        stop_at_errors()
        start_sending("relay")
        relay = Relay(app)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: relay.stop())
        relay.run()
