"""`manage.py up`: see project.local.shop. (manage.py runs it before it loads the settings.)"""

from typing import Any

from django.core.management.base import BaseCommand

from project.local.shop import up


class Command(BaseCommand):
    help = "Run the whole shop on this machine: servers, web, relay, workers, beat, mailbox."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        raise SystemExit(up())
