"""`manage.py apikey create|list|revoke`: keys of API clients, without the desk."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from orders.clients.keys import create_client, make_key, revoke_key
from orders.clients.scopes import SCOPES, UnknownScopeError, checked_scopes
from orders.models import ApiClient, ApiKey


class Command(BaseCommand):
    help = "Make, list and revoke the keys of API clients. A key is printed once, by `create`."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        create = actions.add_parser(
            "create", help="make a key, and its client if it is new; print the key"
        )
        create.add_argument("name", help="the client's name")
        create.add_argument(
            "--scopes",
            nargs="+",
            required=True,
            metavar="SCOPE",
            help=f"what the key may do, of: {', '.join(SCOPES)}; or all",
        )
        create.add_argument("--days", type=int, help="the key expires after so many days")
        create.add_argument(
            "--limit", type=int, metavar="N", help="requests a minute of a new client"
        )
        actions.add_parser("list", help="list the keys, without their secret parts")
        revoke = actions.add_parser("revoke", help="revoke a key for good")
        revoke.add_argument("prefix", help="how the key begins, as `list` prints it")

    def handle(self, *args: Any, **options: Any) -> None:
        {"create": self._create, "list": self._list, "revoke": self._revoke}[options["action"]](
            options
        )

    def _create(self, options: dict[str, Any]) -> None:
        days, limit = options["days"], options["limit"]
        if days is not None and not 1 <= days <= 36_500:
            raise CommandError("--days is a number from 1 to 36500.")
        if limit is not None and not 1 <= limit <= 1_000_000:
            raise CommandError("--limit is a number from 1 to 1000000.")
        name = " ".join(options["name"].split())
        if not 0 < len(name) <= 100:
            raise CommandError("The name has 1 to 100 characters.")
        given = [part for text in options["scopes"] for part in text.split(",") if part]
        try:
            scopes = checked_scopes(SCOPES if given == ["all"] else given)
        except UnknownScopeError as error:
            raise CommandError(str(error)) from None
        client = ApiClient.objects.filter(name=name).first()
        if client is None:
            client = create_client(name=name, requests_per_minute=limit)
        elif limit is not None:
            raise CommandError("--limit is for a new client. Change this one's on its page.")
        expires_at = timezone.now() + timedelta(days=days) if days else None
        made = make_key(client, scopes=scopes, expires_at=expires_at)
        # The key alone on stdout, so that a script can take it.
        self.stderr.write(f"A key of {client.name} for {', '.join(scopes)}. It isn't shown again:")
        self.stdout.write(made.secret.text)

    def _list(self, options: dict[str, Any]) -> None:
        now = timezone.now()
        for key in ApiKey.objects.select_related("client").order_by("client__name", "pk"):
            state = "usable" if key.is_usable(now=now) and key.client.is_active else "ended"
            until = f"until {key.expires_at:%Y-%m-%d}" if key.expires_at else "without end"
            used = f"{key.last_used_at:%Y-%m-%d %H:%M}" if key.last_used_at else "never"
            cells = (
                key.prefix,
                state,
                until,
                f"used {used}",
                key.client.name,
                ",".join(key.scopes),
            )
            self.stdout.write("\t".join(cells))

    def _revoke(self, options: dict[str, Any]) -> None:
        key = ApiKey.objects.filter(prefix=options["prefix"]).first()
        if key is None:
            raise CommandError("No key begins like this: `apikey list` shows those that there are.")
        done = revoke_key(key.pk)
        self.stdout.write("Revoked." if done else "It was revoked before.")
