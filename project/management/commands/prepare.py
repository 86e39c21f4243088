"""`manage.py prepare`: `bin/up` prepares the database with it before the web process starts."""

from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Migrate, fill an empty shop with the demo, and give the admin the password on file."

    def handle(self, *args: Any, **options: Any) -> None:
        # One process for all steps: on a small machine each start of Django takes a second.
        call_command("migrate", interactive=False, verbosity=0)
        call_command("demo")
        refresh_admin(password=(settings.DATA_DIR / "admin-password").read_text().strip())


def refresh_admin(*, password: str) -> None:
    """Make the user `admin` (or make it a superuser again), with this password."""
    users = get_user_model()
    admin, _ = users.objects.get_or_create(
        username="admin", defaults={"email": "admin@shop.example"}
    )
    admin.is_active = admin.is_staff = admin.is_superuser = True
    if not admin.check_password(password):
        admin.set_password(password)
    admin.save()
