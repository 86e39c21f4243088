"""`manage.py ucp_platform URL FILE`: let the shop know a platform, whose profile isn't fetched."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from orders.agents.errors import ProtocolError
from orders.agents.platforms import know
from orders.models import AgentPlatform
from orders.placing.errors import InvalidOrder
from orders.placing.request import clean_email


class Command(BaseCommand):
    help = (
        "Let the shop know the platform with this profile: FILE is the profile's JSON, which is"
        " then used instead of being fetched. --forget lets it be fetched again."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("url")
        parser.add_argument("file", type=Path, nargs="?")
        parser.add_argument(
            "--contact-email",
            default="",
            help="where confirmations go of orders whose buyer gives no address",
        )
        parser.add_argument("--forget", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        url = options["url"]
        if options["forget"]:
            changes = {"is_known": False, "document": {}, "contact_email": "", "fetched_at": None}
            AgentPlatform.objects.filter(profile_url=url).update(**changes)
            return
        if options["file"] is None:
            raise CommandError("Give the file with the platform's profile.")
        try:
            document = json.loads(options["file"].read_text())
            contact = options["contact_email"]
            know(url, document, contact_email=clean_email(contact) if contact else "")
        except (OSError, ValueError, ProtocolError) as error:
            raise CommandError(str(error)) from error
        except InvalidOrder as invalid:
            raise CommandError(invalid.errors[0].message) from invalid
        self.stdout.write(f"The shop knows {url}.")
