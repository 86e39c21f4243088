"""The language of a user: kept with the account, and in the cookie that pages read."""

from django.conf import settings
from django.http import HttpResponseBase
from django.utils.translation import get_language

from orders.models import User


def set_language_cookie(response: HttpResponseBase, user: User) -> None:
    """Set the cookie to the user's language; who has none yet keeps the page's.

    Pages follow the cookie, so that none of them has to ask for its reader.
    """
    if not user.language:
        keep_language(user, get_language() or settings.LANGUAGE_CODE)
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


def keep_language(user: User, language: str) -> None:
    """Store the language with the account, if it is one that we speak."""
    if language in dict(settings.LANGUAGES):
        user.language = language
        User.objects.filter(pk=user.pk).update(language=language)
