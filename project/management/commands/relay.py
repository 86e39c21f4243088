"""`manage.py relay`: run a relay until SIGTERM or Ctrl-C."""

import signal
from typing import Any

from django.core.management.base import BaseCommand

from project.celery import app
from project.relay import Relay


class Command(BaseCommand):
    help = "Publish ready jobs to the broker, and call the sweeps that are due."

    def handle(self, *args: Any, **options: Any) -> None:
        relay = Relay(app)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: relay.stop())
        relay.run()
