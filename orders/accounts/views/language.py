"""The header's language choice: Django's view, which also stores the language in the account."""

from django.http import HttpRequest, HttpResponseBase
from django.views import i18n
from django.views.decorators.http import require_POST

from orders.accounts.language import store_language
from orders.models import User


@require_POST
def set_language(request: HttpRequest) -> HttpResponseBase:
    """Set the language cookie and redirect back to the shopper's page."""
    if isinstance(request.user, User):
        store_language(request.user, request.POST.get("language", ""))
    return i18n.set_language(request)
