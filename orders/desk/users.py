"""Users, groups and e-mail addresses at the desk."""

from allauth.account.admin import EmailAddressAdmin as AllauthEmailAddressAdmin
from allauth.account.models import EmailAddress
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.utils.translation import gettext_lazy as _
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from orders.models import User
from project.desk.editing import EditAdmin

admin.site.unregister(Group)
admin.site.unregister(EmailAddress)


class PasswordForm(AdminPasswordChangeForm):
    """A new password. It writes nothing else of the user, who may be changing settings."""

    def save(self, commit: bool = True) -> User:
        user: User = super().save(commit=False)
        if commit:
            user.save(update_fields=["password"])
        return user


@admin.register(User)
class UserAdmin(DjangoUserAdmin, EditAdmin):  # type: ignore[misc]
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
class GroupAdmin(DjangoGroupAdmin, EditAdmin):
    filter_horizontal = ()


@admin.register(EmailAddress)
class EmailAddressAdmin(AllauthEmailAddressAdmin, EditAdmin):
    """Users' e-mail addresses. A confirmed one gives its user the guest orders placed with it."""
