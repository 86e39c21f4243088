"""The forms by which people sign up and in, where our rules differ from allauth's."""

from typing import Any

from allauth.account.forms import LoginForm, RequestLoginCodeForm, ResetPasswordForm, SignupForm
from allauth.account.internal.flows.email_verification_by_code import EmailVerificationProcess
from django import forms
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import pgettext

from orders.models import User


def _label(field: forms.Field) -> None:
    """Call the address what the shop's other forms call it."""
    field.label = pgettext("address", "E-mail")


class SignUpForm(SignupForm):
    """E-mail only. A password comes later, from somebody who has proved the address is theirs:
    else whoever signs up with a stranger's address would know the password of the account that
    the stranger later confirms.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _label(self.fields["email"])

    def try_save(self, request: HttpRequest) -> tuple[AbstractBaseUser | None, HttpResponse | None]:
        """Create the user, or act the same for an address that has one already."""
        if self._is_pending(request):
            return None, redirect("account_email_verification_sent")
        try:
            with transaction.atomic():
                user, response = super().try_save(request)
        except IntegrityError:  # somebody signed up with the address at this moment
            self.account_already_exists = True
            user, response = super().try_save(request)
        return user, response

    def _is_pending(self, request: HttpRequest) -> bool:
        """A double click must not replace the code that is on its way."""
        process = EmailVerificationProcess.resume(request)
        return process is not None and process.email == self.cleaned_data["email"]


class SignInForm(LoginForm):
    """Asks for a password although signing up doesn't."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _label(self.fields["login"])

    def _setup_password_field(self) -> None:
        pass


class SignInCodeForm(RequestLoginCodeForm):
    """Staff sign in with their password: a mailbox alone must not open the admin."""

    _user: AbstractBaseUser | None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _label(self.fields["email"])

    def clean_email(self) -> str:
        email = super().clean_email()
        if isinstance(self._user, User) and self._user.is_staff:
            self._user = None
        return str(email)


class PasswordResetForm(ResetPasswordForm):
    """Nor does a mailbox give staff a new password; another operator does."""

    users: list[User]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _label(self.fields["email"])

    def clean_email(self) -> str:
        email = super().clean_email()
        self.users = [user for user in self.users if not user.is_staff]
        return str(email)
