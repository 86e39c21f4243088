"""Roles and other groups at the desk, and which permissions are offered: those that one has."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.models import Group, Permission
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from orders.accounts.roles import (
    BY_NAME,
    given_by,
    permissions_of,
    role_label,
    role_name,
)
from project.desk.editing import EditAdmin
from project.names import permission_name

admin.site.unregister(Group)
# Titles, filters and questions name a role in the reader's language.
Group.add_to_class("__str__", lambda group: role_name(group.name))

UNUSED = ("mfa", "usersessions")
"""The apps whose models no page of the desk edits: their permissions would say nothing."""


class OfferedPermissions:
    """A mixin of ModelAdmins that offer permissions and roles: those that the operator has.

    They are named in the reader's language. A row that the form is for has no others
    (`may_manage`), so saving it takes none away.
    """

    def formfield_for_manytomany(self, db_field: Any, request: Any, **options: Any) -> Any:
        field = super().formfield_for_manytomany(  # type: ignore[misc]
            db_field, request, **options
        )
        if field is None:
            return field
        if db_field.remote_field.model is Permission:
            field.label_from_instance = _permission_label
            field.queryset = field.queryset.exclude(content_type__app_label__in=UNUSED)
            if not request.user.is_superuser:
                field.queryset = field.queryset.filter(pk__in=_held(request.user))
        elif db_field.remote_field.model is Group:
            field.label = _("Roles")
            field.help_text = ""
            field.widget = UnfoldAdminCheckboxSelectMultipleWidget()
            field.widget.choices = field.choices
            field.label_from_instance = lambda group: role_label(group.name)
            field.queryset = field.queryset.filter(pk__in=given_by(request.user))
        return field


def _held(operator: Any) -> list[int]:
    held = operator.get_all_permissions()
    every = Permission.objects.select_related("content_type")
    return [each.pk for each in every if f"{each.content_type.app_label}.{each.codename}" in held]


def _permission_label(permission: Permission) -> str:
    app = permission.content_type.app_labeled_name.rpartition(" | ")[0]
    return f"{app} | {permission_name(permission)}"


@admin.register(Group)
class GroupAdmin(OfferedPermissions, DjangoGroupAdmin, EditAdmin):  # type: ignore[misc]
    """The roles, and groups of the shop's own. A role's missing permissions come back."""

    filter_horizontal = ()
    list_display = ("label", "about")
    asks_reason = True

    @display(description=_("role or group"), ordering="name")
    def label(self, group: Group) -> str:
        return role_name(group.name)

    @display(description=_("what its people do"))
    def about(self, group: Group) -> str:
        role = BY_NAME.get(group.name)
        return str(role.about) if role else "–"

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("label",) if obj and obj.name in BY_NAME else ()

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        # A role's name stays: each migrate looks for it.
        return ("label" if obj and obj.name in BY_NAME else "name", "permissions")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        may = super().has_change_permission(request, obj)
        return may and (obj is None or _is_within(request.user, obj))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        may = super().has_delete_permission(request, obj)
        if obj is not None and obj.name in BY_NAME:
            return False
        return may and (obj is None or _is_within(request.user, obj))


def _is_within(operator: Any, group: Group) -> bool:
    if operator.is_superuser:
        return True
    return permissions_of(group_ids=[group.pk]) <= operator.get_all_permissions()
