"""Users, groups and e-mail addresses at the desk.

Nobody raises anybody above themselves: an operator changes only accounts that can do nothing which
the operator can't, and gives only roles and permissions of their own (`orders.accounts.roles`).
"""

from typing import Any

from allauth.account.admin import EmailAddressAdmin as AllauthEmailAddressAdmin
from allauth.account.models import EmailAddress
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext, pgettext_lazy
from unfold.decorators import display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from notifications.events import EVENTS
from orders.accounts.email_change import change_email, is_confirmed, is_taken
from orders.accounts.roles import (
    may_manage,
)
from orders.desk.groups import OfferedPermissions
from orders.desk.people import UserPersonActions
from orders.desk.sign_in import SignInActions
from orders.models import User
from project.address_input import sent_as_typed
from project.database.words import has_words
from project.desk.address_search import searched_address
from project.desk.editing import EditAdmin
from project.desk.export_list import ExportList
from project.desk.jobs import isolated
from project.desk.long_lists import LongList
from project.desk.search_terms import has_address, has_phone
from project.desk.sheets import Column, Sheet, column
from project.email_addresses import InvalidAddressError, deliverable_address, readable_address
from project.text import isolate

admin.site.unregister(EmailAddress)
# What the desk's titles, breadcrumbs and questions call an address; allauth's own is as DNS has it.
EmailAddress.add_to_class("__str__", lambda address: isolate(readable_address(address.email)))


class UserForm(UserChangeForm):
    """A user's fields; the address in the form of `project.email_addresses`."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if "email" in self.fields:  # not for an operator who may only look
            sent_as_typed(self.fields["email"].widget)

    def clean_email(self) -> str:
        typed: str = self.cleaned_data["email"]
        if "email" not in self.changed_data:
            return typed  # one that was stored before the rule doesn't stop another change
        if not typed:
            return ""
        try:
            email = deliverable_address(typed)
        except InvalidAddressError:
            raise ValidationError(_("This e-mail address can't be used.")) from None
        if is_taken(email, by_other_than=self.instance):
            raise ValidationError(_("Another account has confirmed this e-mail address."))
        return email


class PasswordForm(AdminPasswordChangeForm):
    """A new password. It writes nothing else of the user, who may be changing settings."""

    def save(self, commit: bool = True) -> User:
        user: User = super().save(commit=False)
        if commit:
            user.save(update_fields=["password"])
        return user


class NewUserForm(UserCreationForm):
    """A person with roles works at the desk: the form makes them staff."""

    def save(self, commit: bool = True) -> User:
        user: User = super().save(commit=False)
        user.is_staff = bool(self.cleaned_data.get("groups"))
        if commit:
            user.save()
            self.save_m2m()
        return user


CUSTOMERS = Sheet(
    name="users",
    label=_("Users"),
    columns=(
        column(_("username"), "username"),
        column(pgettext_lazy("person", "name"), "name"),
        Column(_("e-mail address"), lambda user: readable_address(user.email)),
        column(_("phone"), "phone"),
        Column(_("language"), lambda user: user.get_language_display()),
        column(_("announcements"), "wants_announcements"),
        column(_("staff"), "is_staff"),
        column(_("active"), "is_active"),
        column(_("joined"), "date_joined"),
        column(_("last login"), "last_login"),
    ),
)


@admin.register(User)
class UserAdmin(  # type: ignore[misc]
    UserPersonActions,
    SignInActions,
    OfferedPermissions,
    ExportList,
    LongList,
    DjangoUserAdmin,
    EditAdmin,
):
    form = UserForm
    add_form = NewUserForm
    add_fieldsets = (
        (None, {"fields": ("username", "email", "usable_password", "password1", "password2")}),
        (
            _("Work at the desk"),
            {
                "fields": ("groups",),
                "description": _("A person without a role is a customer."),
            },
        ),
    )
    asks_reason = True
    actions_detail = (*SignInActions.actions_detail, "export_person", "erase_person")
    change_password_form = PasswordForm
    list_display = ("username", "email_shown", "name", "is_staff")
    ordering = ("username",)  # type: ignore[misc]
    sortable = {"username": ("username",)}
    sheets = (CUSTOMERS,)
    search_fields = ("username", "email", "name", "phone")
    search_help_text = _("User name, e-mail address, phone number, or words of the name.")
    fieldsets = (
        *(DjangoUserAdmin.fieldsets or ()),
        (
            _("Account in the shop"),
            {
                "fields": (
                    "confirmation",
                    "name",
                    "phone",
                    "language",
                    "muted_words",
                    "wants_announcements",
                )
            },
        ),
    )
    readonly_fields = ("confirmation", "phone", "muted_words")  # only the user may change them
    filter_horizontal = ()  # two lists side by side don't fit a phone

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = super().get_readonly_fields(request, obj)
        return fields if request.user.is_superuser else (*fields, "is_superuser")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        may = super().has_change_permission(request, obj)
        return may and (obj is None or may_manage(request.user, obj))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        may = super().has_delete_permission(request, obj)
        return may and (obj is None or may_manage(request.user, obj))

    def matches(self, text: str) -> Q:
        if phone := has_phone("phone", text):
            return phone | Q(username=text)
        found = has_address("email", text) & ~Q(email="") | Q(username__startswith=text)
        return found if "@" in text else found | Q(has_words("name", text))

    @display(description=_("e-mail address"), ordering="email")
    def email_shown(self, user: User) -> SafeString:
        return isolated(readable_address(user.email))

    @display(description=_("e-mail address"))
    def confirmation(self, user: User) -> str:
        if not user.email:
            return "—"
        return str(_("Confirmed") if is_confirmed(user) else _("Not confirmed yet"))

    @display(description=_("muted messages"))
    def muted_words(self, user: User) -> str:
        known = (EVENTS[name].label if name in EVENTS else name for name in user.muted_events)
        return pgettext("between parts", ", ").join(str(label) for label in known) or "–"

    def save_model(self, request: HttpRequest, user: User, form: Any, change: bool) -> None:
        """Save the user; a new address replaces the old one in allauth's table, too."""
        super().save_model(request, user, form, change)
        if not change or "email" not in form.changed_data:
            return
        change_email(user, email=user.email)
        if user.email:
            says = _(
                "%(email)s is not confirmed yet: the next sign-in code sent there confirms it."
                " The old address no longer signs in."
            )
            messages.warning(request, says % {"email": isolate(readable_address(user.email))})


@admin.register(EmailAddress)
class EmailAddressAdmin(LongList, AllauthEmailAddressAdmin, EditAdmin):
    """Users' e-mail addresses. A confirmed one gives its user the guest orders placed with it.

    Only whether it is confirmed may be changed here, and only of a user's own address: an address
    that the user is changing to isn't theirs before they confirm it. The address itself is changed
    on the user's page, in both tables.
    """

    actions = ()
    list_display = ("email_shown", "user", "primary", "verified")
    search_fields = ("email",)
    search_help_text = _("An e-mail address or its beginning.")
    fields = ("user", "email_with_page", "primary", "verified")
    readonly_fields = ("user", "email_with_page", "primary")

    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        return self.search_fields

    def matches(self, text: str) -> Q:
        return Q(email__startswith=searched_address(text).lower())

    @display(description=_("e-mail address"), ordering="email")
    def email_shown(self, address: EmailAddress) -> SafeString:
        return isolated(readable_address(address.email))

    @display(description=_("e-mail address"))
    def email_with_page(self, address: EmailAddress) -> SafeString:
        return format_html(
            '<bdi>{}</bdi> <a class="text-link" href="{}">{}</a>',
            readable_address(address.email),
            reverse("admin:orders_user_change", args=[address.user_id]),
            _("Change it on the user's page"),
        )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        is_own = obj is None or (obj.primary and may_manage(request.user, obj.user))
        return is_own and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        may = super().has_delete_permission(request, obj)
        return may and (obj is None or may_manage(request.user, obj.user))
