"""Choosing the language in the header: Django's view, and the account remembers it."""

from django.http import HttpRequest, HttpResponseBase
from django.views import i18n
from django.views.decorators.http import require_POST

from orders.accounts.language import keep_language
from orders.models import User


@require_POST
def set_language(request: HttpRequest) -> HttpResponseBase:
    """Set the cookie and lead back to where the shopper was."""
    if isinstance(request.user, User):
        keep_language(request.user, request.POST.get("language", ""))
    return i18n.set_language(request)
