"""`manage.py ucp_client`: the programs that may ask people to link their accounts."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from orders.agents.errors import ProtocolError
from orders.agents.linking.clients import BadClientError, register_client
from orders.models import AgentClient


class Command(BaseCommand):
    help = "Let a program of a shopping agent's platform ask people to link their accounts."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        create = actions.add_parser("create", help="make a client; its secret is shown once")
        create.add_argument("name", help="what people read where they are asked")
        create.add_argument("--platform", required=True, metavar="URL", help="its profile")
        create.add_argument("--return", dest="uris", required=True, nargs="+", metavar="URL")
        create.add_argument(
            "--public", action="store_true", help="without a secret: a program on people's machines"
        )
        actions.add_parser("list", help="list the clients and how many people linked theirs")
        remove = actions.add_parser("remove", help="remove a client and end all of its links")
        remove.add_argument("client_id")

    def handle(self, *args: Any, **options: Any) -> None:
        {"create": self._create, "list": self._list, "remove": self._remove}[options["action"]](
            options
        )

    def _create(self, options: dict[str, Any]) -> None:
        try:
            made = register_client(
                name=options["name"],
                profile_url=options["platform"],
                redirect_uris=options["uris"],
                is_public=options["public"],
            )
        except (BadClientError, ProtocolError) as error:
            raise CommandError(str(error)) from None
        self.stderr.write(f"A client of {made.client.platform.profile_url}.")
        self.stdout.write(f"client_id={made.client.client_id}")
        if made.secret:
            self.stderr.write("The secret isn't shown again:")
            self.stdout.write(f"client_secret={made.secret}")

    def _list(self, options: dict[str, Any]) -> None:
        for client in AgentClient.objects.select_related("platform").order_by("name", "pk"):
            links = client.links.filter(ended_at=None).exclude(access_until=None).count()
            cells = (client.client_id, client.name, client.platform.profile_url, f"{links} links")
            self.stdout.write("\t".join(cells))

    def _remove(self, options: dict[str, Any]) -> None:
        found = AgentClient.objects.filter(client_id=options["client_id"])
        if not found:
            raise CommandError("There is no such client: `ucp_client list` shows those there are.")
        found.delete()
        self.stdout.write("Removed; its links have ended.")
