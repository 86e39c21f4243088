"""`/orders/<id>/returns/`: a shopper asks for a return, or withdraws it. The id is the right."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from orders.lifecycle.errors import TransitionError
from orders.lifecycle.return_units import MAY_HAVE_RETURNS
from orders.lifecycle.returns import request_return, withdraw
from orders.models import Order, Return, User
from orders.shop.returns import ReturnForm, sent_form
from orders.shop.views.order import order_page


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def ask(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """Ask for the return, and show the order's page; a refused form is shown as it was typed."""
    order = get_object_or_404(Order, pk=order_id)
    if request.method != "POST":  # a reload of the answer, or a switch of the language
        return redirect(f"{reverse('order', args=[order_id])}#returns")
    form = sent_form(order, request.POST, today=timezone.localdate())
    if form.is_valid() and _is_taken(request, order, form):
        messages.success(request, _("We have your wish to return. We answer by e-mail."))
        return redirect(f"{reverse('order', args=[order_id])}#returns")
    if order.status not in MAY_HAVE_RETURNS:  # its page has no place for the form
        for refusal in form.non_field_errors():
            messages.warning(request, str(refusal))
        return redirect("order", order_id=order_id)
    return order_page(request, order_id, return_form=form, status=422)


@never_cache
@require_POST
def withdraw_return(request: HttpRequest, order_id: UUID, return_id: UUID) -> HttpResponse:
    """Withdraw the return of this order."""
    if not Return.objects.filter(pk=return_id, order=order_id).exists():
        raise Http404
    try:
        withdraw(return_id=return_id, user=_user(request))
    except TransitionError as refusal:
        messages.warning(request, str(refusal))
    else:
        messages.success(request, _("Your return is withdrawn."))
    return redirect(f"{reverse('order', args=[order_id])}#returns")


def _is_taken(request: HttpRequest, order: Order, form: ReturnForm) -> bool:
    """Ask for what the form holds; False if it is refused, with the reason as the form's error."""
    try:
        request_return(
            order_id=order.pk,
            return_id=form.cleaned_data["return_id"],
            lines=form.wanted,
            reason=form.cleaned_data["reason"],
            today=timezone.localdate(),
            user=_user(request),
        )
    except TransitionError as refusal:
        form.add_error(None, str(refusal))
        return False
    return True


def _user(request: HttpRequest) -> User | None:
    return request.user if isinstance(request.user, User) else None
