"""allauth's adapter: it queues allauth's messages as notifications and checks phones and e-mails.

Every view that sends a message runs in one transaction (`urls`). So a new user or a change is
committed together with its message, or not at all.
"""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django import forms
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from notifications.delivery.known_numbers import know
from notifications.outbox import account_message
from orders.accounts.carts import tell_merged
from orders.accounts.fields import TextField
from orders.accounts.language import set_language_cookie
from orders.carts.cart import cart_of
from orders.models import User
from orders.placing.request import clean_email, clean_phone
from project.limits.client_address import client_address

MESSAGES: dict[str, tuple[str, dict[str, str]]] = {
    "email_confirmation": ("email_confirmation", {}),
    "login_code": ("sign_in_code", {}),
    "password_reset_code": ("password_reset", {}),
    "unknown_account": ("unknown_account", {"page": "account_login"}),
    "password_changed": ("account_changed", {"change": "password", "page": "account"}),
    "password_reset": ("account_changed", {"change": "password", "page": "account"}),
    "password_set": ("account_changed", {"change": "password_set", "page": "account"}),
    "email_deleted": ("account_changed", {"change": "email_removed", "page": "account"}),
    "email_changed": ("account_changed", {"change": "email", "page": "account"}),
    **{
        f"mfa/email/{change}": ("account_changed", {"change": change, "page": "mfa_index"})
        for change in ("totp_activated", "totp_deactivated", "recovery_codes_generated")
    },
}
"""allauth's name of a message → the event, and the further keys of its templates' context."""


class AccountAdapter(DefaultAccountAdapter):
    """allauth's views and flows call it; `self.request` is the current request."""

    # ── Messages ────────────────────────────────────────────────────────────────────────────

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Queue the message. Raises KeyError for a message that isn't in the table."""
        event, details = MESSAGES[template_prefix.removeprefix("account/email/")]
        values: dict[str, Any] = {"change": details.get("change", "")}
        if page := details.get("page"):
            values["url"] = settings.SITE_URL + reverse(page)
        if "code" in context:
            values["code"] = context["code"]
        if event == "account_changed":
            values["client_address"] = client_address(self.request)
            values["new_email"] = context.get("to_email", "")
        self._queue(event, email, values)

    def send_verification_code_sms(
        self, user: AbstractBaseUser, phone: str, code: str, **kwargs: Any
    ) -> None:
        self._queue("phone_confirmation", phone, {"code": code})

    def _queue(self, event: str, recipient: str, context: dict[str, Any]) -> None:
        """Write the notification, in the language of the current page."""
        account_message(
            event=event, recipient=recipient, language=get_language() or "en", context=context
        ).save(force_insert=True)

    # ── E-mail addresses ────────────────────────────────────────────────────────────────────

    def clean_email(self, email: str) -> str:
        """Return the address, checked by the rule of orders. Raises ValidationError."""
        field = TextField(rule=clean_email, max_length=254, required=False)
        return str(field.clean(email))

    # ── Phones ──────────────────────────────────────────────────────────────────────────────
    # A phone is for messages, not for signing in. So several accounts may have the same number.
    # It is stored when its code was confirmed, never before.

    def get_login_stages(self) -> list[str]:
        return [stage for stage in super().get_login_stages() if "Phone" not in stage]

    def phone_form_field(self, **kwargs: Any) -> forms.Field:
        return TextField(
            rule=clean_phone,
            label=_("Phone"),
            max_length=40,
            widget=forms.TextInput({"type": "tel", "autocomplete": "tel"}),
            required=kwargs.get("required", True),
        )

    def get_phone(self, user: AbstractBaseUser) -> tuple[str, bool] | None:
        phone = User.objects.values_list("phone", flat=True).get(pk=user.pk)
        return (phone, True) if phone else None

    def set_phone(self, user: AbstractBaseUser, phone: str, verified: bool) -> None:
        if verified:
            self.set_phone_verified(user, phone)

    def set_phone_verified(self, user: AbstractBaseUser, phone: str) -> None:
        User.objects.filter(pk=user.pk).update(phone=phone)
        know(phone)

    def get_user_by_phone(self, phone: str) -> AbstractBaseUser | None:
        return None

    def set_password(self, user: AbstractBaseUser, password: str) -> None:
        user.set_password(password)
        # allauth writes the whole user, and undoes what was changed since this request read it.
        user.save(update_fields=None if user._state.adding else ["password"])

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("account-settings")  # allauth's own asks to change it once more

    # ── Signing in ──────────────────────────────────────────────────────────────────────────

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        return reverse("account")

    def get_client_ip(self, request: HttpRequest) -> str:
        return client_address(request)

    def post_login(
        self, request: HttpRequest, user: AbstractBaseUser, **kwargs: Any
    ) -> HttpResponse:
        """Set the language cookie to the user's language; a new user gets the page's language.

        The cart of before is merged into the account's.
        """
        response = super().post_login(request, user, **kwargs)
        assert isinstance(user, User)
        set_language_cookie(response, user)
        tell_merged(request, cart_of(request).take_over_guest_cart())
        return response
