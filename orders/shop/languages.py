"""The language of a page, and its address in each language for search engines (docs/seo.md).

A page has one address, in the language that its reader chose or that their browser asks for. A
search engine has neither cookie nor `Accept-Language`, so it would see one language only. So
`?lang=zh-hans` names one, and it wins. The shop's first language needs no parameter.
"""

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.locale import LocaleMiddleware
from django.utils import translation
from django.utils.http import urlencode

PARAMETER = "lang"


class LanguageMiddleware(LocaleMiddleware):
    """Django's, but a known `?lang=` wins; it is kept for a reader who has made no choice."""

    def process_request(self, request: HttpRequest) -> None:
        super().process_request(request)
        if language := _named(request):
            translation.activate(language)
            request.LANGUAGE_CODE = language

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        response = super().process_response(request, response)
        language = _named(request)
        if language and settings.LANGUAGE_COOKIE_NAME not in request.COOKIES:
            response.set_cookie(
                settings.LANGUAGE_COOKIE_NAME,
                language,
                max_age=settings.LANGUAGE_COOKIE_AGE,
                secure=settings.LANGUAGE_COOKIE_SECURE,
                samesite=settings.LANGUAGE_COOKIE_SAMESITE,
            )
        return response


def _named(request: HttpRequest) -> str:
    """Return the language that the address names, if the shop speaks it."""
    if request.method not in ("GET", "HEAD"):
        return ""
    language = request.GET.get(PARAMETER, "")
    return language if language in dict(settings.LANGUAGES) else ""


def address_in(language: str, path: str, **query: str) -> str:
    """Return the one absolute address of a page in a language. Empty values are left out."""
    kept = {name: value for name, value in query.items() if value}
    if language != settings.LANGUAGE_CODE:
        kept[PARAMETER] = language
    return settings.SITE_URL + path + (f"?{urlencode(kept)}" if kept else "")
