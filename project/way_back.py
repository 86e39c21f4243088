"""Where a form that was opened from another page leads back to: its `next` parameter."""

from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme


def way_back(request: HttpRequest) -> str:
    """Return the request's `next` if it is a path of this site, else an empty text.

    Django calls any word an allowed URL, but its `redirect()` takes a word for a view's name.
    """
    url = request.POST.get("next") or request.GET.get("next", "")
    is_ours = url.startswith("/") and url_has_allowed_host_and_scheme(
        url, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return url if is_ours else ""
