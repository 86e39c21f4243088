"""The URLs below `/accounts/`: the shop's pages and those of allauth.

Each of allauth's views runs in one transaction, so a change is committed together with its
message. Signing in is the exception: a password check takes half a second, which must not hold a
connection, and the view writes nothing except a message. Guesses of a code are counted before that
transaction: a count is none that can be rolled back.
"""

from collections.abc import Callable

from allauth.account import urls as allauth_urls
from allauth.account import views as allauth_views
from django.db import transaction
from django.http import HttpResponseBase
from django.urls import URLPattern, include, path
from django.views.generic import RedirectView

from orders.accounts.guards import needs_sms
from orders.accounts.guesses import limited_guesses
from orders.accounts.views import account, entrance
from orders.accounts.views.unsubscribe import unsubscribe_page

View = Callable[..., HttpResponseBase]
UNBOUND = ("account_login", "account_logout", "account_inactive")
GUESSED = (
    "account_confirm_login_code",
    "account_confirm_password_reset_code",
    "account_email_verification_sent",
)
"""The pages of allauth's list that ask for a code."""


def _in_one_transaction(pattern: URLPattern) -> URLPattern:
    if pattern.name not in UNBOUND:
        pattern.callback = transaction.atomic(pattern.callback)
    if pattern.name in GUESSED:
        pattern.callback = limited_guesses(pattern.callback)
    return pattern


urlpatterns = [
    path("", account.history, name="account"),
    path("addresses/", account.addresses, name="addresses"),
    path("addresses/new/", account.address, name="address-new"),
    path("addresses/<int:address_id>/", account.address, name="address"),
    path("addresses/new/fields/", account.address_fields, name="address-new-fields"),
    path("addresses/<int:address_id>/fields/", account.address_fields, name="address-fields"),
    path("addresses/<int:address_id>/delete/", account.address_delete, name="address-delete"),
    path("unsubscribe/<str:token>/", unsubscribe_page, name="unsubscribe"),
    path("settings/", account.account_settings, name="account-settings"),
    path("login/", entrance.sign_in, name="account_login"),
    path("login/code/", transaction.atomic(entrance.entrance), name="account_request_login_code"),
    # There is one door: the code of a new address makes its account.
    path(
        "signup/",
        RedirectView.as_view(pattern_name="account_login", query_string=True),
        name="account_signup",
    ),
    *map(_in_one_transaction, allauth_urls.urlpatterns),
    path("2fa/", include("allauth.mfa.urls")),
    path("sessions/", include("allauth.usersessions.urls")),
    # allauth adds these only if sign-up asks for a phone; here a user may add one later.
    path(
        "phone/verify/",
        limited_guesses(transaction.atomic(needs_sms(allauth_views.verify_phone))),
        name="account_verify_phone",
    ),
    path(
        "phone/change/",
        transaction.atomic(needs_sms(allauth_views.change_phone)),
        name="account_change_phone",
    ),
]
