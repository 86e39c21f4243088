"""Users, groups and e-mail addresses at the desk."""

from typing import Any

from allauth.account.admin import EmailAddressAdmin as AllauthEmailAddressAdmin
from allauth.account.models import EmailAddress
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, Permission
from django.utils.translation import gettext_lazy as _
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from orders.models import User
from project.desk.editing import EditAdmin
from project.names import permission_name

admin.site.unregister(Group)
admin.site.unregister(EmailAddress)


class PasswordForm(AdminPasswordChangeForm):
    """A new password. It writes nothing else of the user, who may be changing settings."""

    def save(self, commit: bool = True) -> User:
        user: User = super().save(commit=False)
        if commit:
            user.save(update_fields=["password"])
        return user


class NamedPermissions:
    """A mixin of ModelAdmins that offer permissions: it names them in the reader's language."""

    def formfield_for_manytomany(self, db_field: Any, request: Any, **options: Any) -> Any:
        field = super().formfield_for_manytomany(  # type: ignore[misc]
            db_field, request, **options
        )
        if field is not None and db_field.remote_field.model is Permission:
            field.label_from_instance = _permission_label
        return field


def _permission_label(permission: Permission) -> str:
    app = permission.content_type.app_labeled_name.rpartition(" | ")[0]
    return f"{app} | {permission_name(permission)}"


@admin.register(User)
class UserAdmin(NamedPermissions, DjangoUserAdmin, EditAdmin):  # type: ignore[misc]
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = PasswordForm
    list_display = ("username", "email", "name", "is_staff")
    search_fields = ("username", "email", "name", "phone")
    fieldsets = (
        *(DjangoUserAdmin.fieldsets or ()),
        (
            _("Account in the shop"),
            {"fields": ("name", "phone", "language", "muted_events", "wants_announcements")},
        ),
    )
    readonly_fields = ("phone", "muted_events")  # only the user may change them
    filter_horizontal = ()  # two lists side by side don't fit a phone


@admin.register(Group)
class GroupAdmin(NamedPermissions, DjangoGroupAdmin, EditAdmin):  # type: ignore[misc]
    filter_horizontal = ()


@admin.register(EmailAddress)
class EmailAddressAdmin(AllauthEmailAddressAdmin, EditAdmin):
    """Users' e-mail addresses. A confirmed one gives its user the guest orders placed with it."""
