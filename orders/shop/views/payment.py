"""`/orders/<id>/pay/`: to the payment provider and back. The order's page says how it went."""

import logging
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from orders.lifecycle.errors import OrderBusy, UnknownOrder
from orders.lifecycle.payouts import due_of
from orders.models import Order, PaymentAttempt
from orders.payments.attempts import BeingChecked, NothingDue, look, note_return, pay_online
from orders.payments.methods import UnknownMethod, choose_method
from orders.payments.provider import ProviderDown, ProviderError, ProviderRefused
from orders.payments.providers import UnknownProvider

logger = logging.getLogger(__name__)


def is_paid_online(order: Order) -> bool:
    """Tell whether the order's customer chose a provider, and something is due."""
    return order.payment_method in settings.PAYMENT_PROVIDERS and due_of(order) > 0


@never_cache
@require_POST
def pay(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """Redirect to the provider's page, or back to the order's page with the reason why not."""
    return lead_to_provider(request, order_id, request.POST.get("provider", ""))


@never_cache
@require_POST
def choose(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """Note another way to pay, and show how on the order's page."""
    _note(request, order_id, request.POST.get("method", ""))
    return redirect(reverse("order", args=[order_id]) + "#payment")


def _note(request: HttpRequest, order_id: UUID, method: str) -> bool:
    """Note the chosen way to pay; tell whether it is noted, or the shopper why not."""
    try:
        choose_method(order_id=order_id, method=method)
    except (UnknownOrder, UnknownMethod):
        raise Http404 from None
    except NothingDue:
        messages.info(request, _("Nothing is due any more."))
    except OrderBusy as busy:
        messages.warning(request, str(busy))
    else:
        return True
    return False


def lead_to_provider(request: HttpRequest, order_id: UUID, provider: str) -> HttpResponse:
    """Redirect to the provider's page, or to the order's page with the reason why not.

    The choice is kept with the order. Raises Http404.
    """
    if provider not in settings.PAYMENT_PROVIDERS:
        raise Http404
    if not _note(request, order_id, provider):
        return redirect("order", order_id=order_id)
    try:
        page = pay_online(order_id=order_id, provider=provider)
    except (UnknownOrder, UnknownProvider):
        raise Http404 from None
    except NothingDue:
        messages.info(request, _("Nothing is due any more."))
    except BeingChecked:
        pass  # the order's page says it
    except OrderBusy as busy:
        messages.warning(request, str(busy))
    except ProviderDown as error:
        logger.warning("no payment was started: %s", error)
        messages.warning(
            request, _("Paying online doesn't work right now. Nothing was paid. Please try again.")
        )
    except ProviderRefused as error:
        logger.error("no payment can be started: %s", error)
        messages.warning(
            request, _("Paying online doesn't work at the moment. Nothing was paid; we look at it.")
        )
    else:
        return HttpResponse(status=303, headers={"Location": page})
    return redirect("order", order_id=order_id)


@never_cache
@require_safe
def pay_return(request: HttpRequest, order_id: UUID, attempt_id: UUID) -> HttpResponse:
    """Take the customer back from the provider: ask it, enter its report, show the order's page.

    `?left=1`: the customer left the provider's page without a decision.
    """
    attempt = get_object_or_404(
        PaymentAttempt.objects.select_related("order"), pk=attempt_id, order_id=order_id
    )
    if request.GET.get("left") != "1":
        note_return(attempt)
    try:
        if attempt.reference:
            look(attempt)
    except (ProviderError, UnknownProvider, OrderBusy) as error:
        logger.warning("payment attempt %s: the provider is asked later: %s", attempt.pk, error)
    return redirect("order", order_id=order_id)
