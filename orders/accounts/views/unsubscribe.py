"""`/accounts/unsubscribe/<token>/`: the unsubscribe link, for readers and their mail programs."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from notifications.events import EVENTS
from orders.accounts.unsubscribe import read_token, unsubscribe


@csrf_exempt  # the link is the proof: a mail program has neither cookie nor form
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe_page(request: HttpRequest, token: str) -> HttpResponse:
    """Ask on GET, unsubscribe on POST. So a mail scanner that opens the link changes nothing."""
    meant = read_token(token)
    if meant is None:
        raise Http404
    user_id, event = meant
    is_done = request.method == "POST"
    if is_done:
        unsubscribe(user_id=user_id, event=event)
    context = {"event": EVENTS[event].label, "is_done": is_done, "token": token}
    return render(request, "accounts/unsubscribe.html", context)
