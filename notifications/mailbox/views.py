"""/mailbox/: the pages with the messages of a local run. Local mode only."""

from collections.abc import Callable
from functools import wraps

from csp.constants import NONE, SELF, UNSAFE_INLINE
from csp.decorators import csp
from django.conf import settings
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from notifications.mailbox.store import Mailbox, MailboxMessage

PER_PAGE = 50
LINKS_IN_NEW_TABS = ["allow-popups", "allow-popups-to-escape-sandbox"]


def local_only(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Raise 404 outside local mode: the mailbox shows all messages to every visitor."""

    @wraps(view)
    def guarded(request: HttpRequest, **kwargs: str) -> HttpResponseBase:
        if not settings.TANDEM_LOCAL:
            raise Http404
        return view(request, **kwargs)

    return never_cache(require_safe(guarded))


@local_only
def message_list(request: HttpRequest) -> HttpResponse:
    """The messages, newest first; `?q=` keeps those to a recipient that contains it."""
    mailbox, wanted = Mailbox(), request.GET.get("q", "").strip()
    names = mailbox.names()
    if wanted:
        # Only a search reads every file; a page reads only its messages.
        names = [
            message.name
            for message in mailbox.messages(names)
            if any(wanted.lower() in recipient.lower() for recipient in message.recipients)
        ]
    page = Paginator(names, PER_PAGE).get_page(request.GET.get("page"))
    kept = list(mailbox.messages(list(page)))
    return render(
        request, "notifications/mailbox.html", {"page": page, "kept": kept, "wanted": wanted}
    )


@local_only
def message_detail(request: HttpRequest, *, message_id: str) -> HttpResponse:
    message = _message(message_id)
    return render(request, "notifications/mailbox_message.html", {"message": message})


@local_only
@xframe_options_sameorigin
@csp(  # type: ignore[arg-type]  # its types know no views with URL arguments
    {
        # As a mail program does: show the HTML, load nothing, run nothing.
        "default-src": [NONE],
        "style-src": [UNSAFE_INLINE],
        "img-src": ["data:"],
        "base-uri": [NONE],
        "form-action": [NONE],
        "frame-ancestors": [SELF],
        "sandbox": LINKS_IN_NEW_TABS,
    }
)
def message_html(request: HttpRequest, *, message_id: str) -> HttpResponse:
    """The e-mail's HTML as it was sent, for the frame on its page."""
    html = _message(message_id).html
    if not html:
        raise Http404
    return HttpResponse(html)


def _message(message_id: str) -> MailboxMessage:
    message = Mailbox().get(message_id)
    if message is None:
        raise Http404
    return message
