"""/test-bank/: the pages on which a customer of a local run pays. Local mode only."""

from collections.abc import Callable
from functools import wraps
from itertools import islice

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from orders.payments.test_bank.store import BankStore
from orders.payments.test_bank.webhook import send_later

LATE = 10.0
"""Seconds of "answer late"."""
SHOWN = 50
OUTCOMES = {"pay": "paid", "refuse": "failed", "cancel": "cancelled"}


def local_only(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Raise 404 outside local mode: nobody pays here."""

    @wraps(view)
    def guarded(request: HttpRequest, **kwargs: str) -> HttpResponseBase:
        if not settings.TANDEM_LOCAL:
            raise Http404
        return view(request, **kwargs)

    return never_cache(guarded)


@local_only
@require_safe
def payment_list(request: HttpRequest) -> HttpResponse:
    """The latest payments."""
    payments = list(islice(BankStore().payments(), SHOWN))
    return render(request, "test_bank/payments.html", {"payments": payments})


@local_only
@require_http_methods(["GET", "HEAD", "POST"])
def payment(request: HttpRequest, payment_id: str) -> HttpResponse:
    """Show one payment; a POST decides it and leads back to the shop."""
    store = BankStore()
    known = store.get(payment_id)
    if known is None:
        raise Http404
    outcome = OUTCOMES.get(request.POST.get("decision", ""))
    if request.method != "POST" or outcome is None:
        return render(request, "test_bank/payment.html", {"payment": known, "late": int(LATE)})
    answer = request.POST.get("answer", "")
    decided = store.decide(payment_id, outcome=outcome, delay=LATE if answer == "late" else 0)
    known = store.get(payment_id)
    assert known is not None
    if decided and answer != "return":
        send_later(known)
    if answer == "webhook":
        return redirect("test-bank-payment", payment_id=payment_id)
    return redirect(known.return_url)
