"""The forms for signing up and signing in, where the shop's rules differ from allauth's."""

import unicodedata
from contextlib import suppress
from typing import Any

from allauth.account.forms import (
    AddEmailForm,
    BaseConfirmCodeForm,
    ConfirmEmailVerificationCodeForm,
    LoginForm,
    RequestLoginCodeForm,
    ResetPasswordForm,
    SignupForm,
    VerifyPhoneForm,
)
from allauth.account.utils import filter_users_by_email
from django import forms
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext

from orders.accounts.fields import EmailField
from orders.models import User
from project.address_input import sent_as_typed


def _email_field(replaced: forms.Field) -> EmailField:
    """Return the e-mail field with the shop's rule and the label of its other forms."""
    return EmailField(
        label=pgettext("address", "E-mail"),
        required=replaced.required,
        widget=sent_as_typed(replaced.widget),
    )


class SignUpForm(SignupForm):
    """A new account: by e-mail only, without a password. `views.entrance` sends it, not a page.

    A user sets a password after the address is confirmed. Otherwise an attacker could sign up
    with another person's address and would know the password after that person's confirmation.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"] = _email_field(self.fields["email"])


def account_for(request: HttpRequest, *, email: str) -> User | None:
    """Return the account that a code to this address signs in to; a new address gets one.

    None if a code must not open what the address has: staff, and accounts that were closed.
    """
    found = _active(email)
    if not found and not filter_users_by_email(email):
        form = SignUpForm({"email": email})
        if not form.is_valid():
            return None
        with suppress(IntegrityError), transaction.atomic():  # a parallel request was first
            form.save(request)
        found = _active(email)
    return found[0] if found and not found[0].is_staff else None


def _active(email: str) -> list[User]:
    return list(filter_users_by_email(email, is_active=True, prefer_verified=True))


class SignInForm(LoginForm):
    """Sign-in with a password, although sign-up has none."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"] = _email_field(self.fields["login"])

    def _setup_password_field(self) -> None:
        pass


class SignInCodeForm(RequestLoginCodeForm):
    """The one field of the door. `account_for` finds or makes the account that it leads to."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"] = _email_field(self.fields["email"])


class EmailChangeForm(AddEmailForm):
    """The user's new address, confirmed by a code before it counts."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"] = _email_field(self.fields["email"])


class PasswordResetForm(ResetPasswordForm):
    """Staff can't reset their password by e-mail, for the same reason; another operator sets it."""

    users: list[User]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"] = _email_field(self.fields["email"])

    def clean_email(self) -> str:
        email = super().clean_email()
        self.users = [user for user in self.users if not user.is_staff]
        return str(email)


class CodeField(forms.CharField):
    """A code as people type or paste it: with spaces or dashes, in the digits of any script."""

    def to_python(self, value: Any) -> str:
        text = super().to_python(value) or ""
        return "".join(str(unicodedata.decimal(one, one)) for one in text if one.isalnum())


class CodeForm(BaseConfirmCodeForm):
    """The code of a sign-in or of a forgotten password."""

    code = CodeField(
        label=_("Code"),
        max_length=40,
        widget=forms.TextInput(
            {
                "inputmode": "numeric",
                "autocomplete": "one-time-code",
                "autofocus": True,
                "spellcheck": "false",
            }
        ),
    )


class EmailCodeForm(CodeForm, ConfirmEmailVerificationCodeForm):
    """The code that confirms an e-mail address."""


class PhoneCodeForm(CodeForm, VerifyPhoneForm):
    """The code that confirms a phone number."""
