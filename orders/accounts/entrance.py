"""The forms for signing up and signing in, where the shop's rules differ from allauth's."""

from typing import Any

from allauth.account.forms import (
    AddEmailForm,
    LoginForm,
    RequestLoginCodeForm,
    ResetPasswordForm,
    SignupForm,
)
from allauth.account.internal.flows.email_verification_by_code import EmailVerificationProcess
from django import forms
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
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
    """Sign-up by e-mail only, without a password.

    A user sets a password after the address is confirmed. Otherwise an attacker could sign up
    with another person's address and would know the password after that person's confirmation.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"] = _email_field(self.fields["email"])

    def try_save(self, request: HttpRequest) -> tuple[AbstractBaseUser | None, HttpResponse | None]:
        """Create the user. The answer is the same if the address has an account already."""
        if self._is_pending(request):
            return None, redirect("account_email_verification_sent")
        try:
            with transaction.atomic():
                user, response = super().try_save(request)
        except IntegrityError:  # a parallel request signed up with the same address
            self.account_already_exists = True
            user, response = super().try_save(request)
        return user, response

    def _is_pending(self, request: HttpRequest) -> bool:
        """Return True if a code was just sent: a double click must not replace it."""
        process = EmailVerificationProcess.resume(request)
        return process is not None and process.email == self.cleaned_data["email"]


class SignInForm(LoginForm):
    """Sign-in with a password, although sign-up has none."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"] = _email_field(self.fields["login"])

    def _setup_password_field(self) -> None:
        pass


class SignInCodeForm(RequestLoginCodeForm):
    """Staff sign in with their password: a mailbox alone must not open the admin."""

    _user: AbstractBaseUser | None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"] = _email_field(self.fields["email"])

    def clean_email(self) -> str:
        email = super().clean_email()
        if isinstance(self._user, User) and self._user.is_staff:
            self._user = None
        return str(email)


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
