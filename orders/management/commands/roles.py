"""`manage.py roles`: list the desk's roles with their permissions, as the database has them."""

import json
from typing import Any

from django.contrib.auth.models import Group, Permission
from django.core.management.base import BaseCommand, CommandParser

from orders.accounts.roles import ROLES
from project.names import permission_name


class Command(BaseCommand):
    help = "List the desk's roles with their permissions."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="for programs")

    def handle(self, *args: Any, **options: Any) -> None:
        listed = [
            {
                "name": role.name,
                "about": str(role.about),
                "permissions": {_codename(each): permission_name(each) for each in _given(role)},
            }
            for role in ROLES
        ]
        if options["json"]:
            self.stdout.write(json.dumps(listed, ensure_ascii=False, indent=2))
            return
        for role in listed:
            self.stdout.write(self.style.MIGRATE_HEADING(str(role["name"])))
            self.stdout.write(f"  {role['about']}")
            for codename, words in role["permissions"].items():  # type: ignore[attr-defined]
                self.stdout.write(f"  - {words} ({codename})")


def _given(role: Any) -> list[Permission]:
    group = Group.objects.filter(name=role.name).first()
    if group is None:
        return []
    given = group.permissions.select_related("content_type")
    return sorted(given, key=_codename)


def _codename(permission: Permission) -> str:
    return f"{permission.content_type.app_label}.{permission.codename}"
