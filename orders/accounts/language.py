"""The language of a user: stored in the account, and in the cookie that pages read."""

from django.conf import settings
from django.http import HttpResponseBase
from django.utils.translation import get_language

from orders.models import User


def set_language_cookie(response: HttpResponseBase, user: User) -> None:
    """Set the cookie to the user's language. A user without one keeps the page's language.

    Pages read the cookie, so that they need no query for the user.
    """
    if not user.language:
        store_language(user, get_language() or settings.LANGUAGE_CODE)
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        user.language,
        max_age=settings.LANGUAGE_COOKIE_AGE,
        path=settings.LANGUAGE_COOKIE_PATH,
        domain=settings.LANGUAGE_COOKIE_DOMAIN,
        secure=settings.LANGUAGE_COOKIE_SECURE,
        httponly=settings.LANGUAGE_COOKIE_HTTPONLY,
        samesite=settings.LANGUAGE_COOKIE_SAMESITE,
    )


def store_language(user: User, language: str) -> None:
    """Store the language in the account, if the shop supports it."""
    if language in dict(settings.LANGUAGES):
        user.language = language
        User.objects.filter(pk=user.pk).update(language=language)
