"""`/accounts/`: the user's orders, addresses and settings."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db import transaction
from django.forms.utils import ErrorDict
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from orders.accounts.addresses import (
    TooManyAddressesError,
    delete_address,
    lock_addresses,
    save_address,
)
from orders.accounts.forms import AddressForm, SettingsForm
from orders.accounts.history import as_past, orders_of, past_orders
from orders.accounts.language import set_language_cookie
from orders.models import Address, User
from orders.models.user import MAX_ADDRESSES

ORDERS_PER_PAGE = 20


def _reader(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # by login_required
    return request.user


@never_cache
@login_required
@require_safe
def history(request: HttpRequest) -> HttpResponse:
    """Show the user's orders, newest first."""
    orders = past_orders(orders_of(_reader(request)))
    page = Paginator(orders, ORDERS_PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "accounts/history.html", {"page": page, "orders": as_past(page)})


@never_cache
@login_required
@require_safe
def addresses(request: HttpRequest) -> HttpResponse:
    """Show the user's addresses."""
    kept = list(_reader(request).addresses.all())
    context = {"addresses": kept, "is_full": len(kept) >= MAX_ADDRESSES}
    return render(request, "accounts/addresses.html", context)


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def address(request: HttpRequest, address_id: int | None = None) -> HttpResponse:
    """Show and save the form of a new address, or of one of the user's addresses."""
    user = _reader(request)
    initial = _initial_values(user, address_id)
    if request.method != "POST":
        return render(request, "accounts/address.html", {"form": AddressForm(initial=initial)})
    if "change" in request.POST:  # a browser without scripts wants the country's fields
        form = _unchecked(AddressForm(request.POST, initial=initial))
        return render(request, "accounts/address.html", {"form": form})
    with transaction.atomic():
        lock_addresses(user)  # what the page is compared with stays so until it is saved
        form = AddressForm(request.POST, initial=_initial_values(user, address_id))
        if not form.is_valid():
            return render(request, "accounts/address.html", {"form": form}, status=422)
        try:
            save_address(user, address_id=address_id, values=form.changes())
        except TooManyAddressesError:
            messages.warning(request, _("You can't save more addresses. Delete one first."))
        else:
            messages.success(request, _("The address is saved."))
    return redirect("addresses")


@never_cache
@login_required
@require_POST
def address_fields(request: HttpRequest, address_id: int | None = None) -> HttpResponse:
    """Answer a change of the country: the address's fields. Nothing is kept or checked."""
    form = AddressForm(request.POST, initial=_initial_values(_reader(request), address_id))
    return render(request, "shop/_address.html", {"form": _unchecked(form)})


def _unchecked(form: AddressForm) -> AddressForm:
    """Return the form as it was filled in, without errors: it isn't sent yet."""
    form._errors = ErrorDict()
    form.cleaned_data = {}
    return form


def _initial_values(user: User, address_id: int | None) -> dict[str, object]:
    if address_id is None:
        return {}
    return AddressForm.values_of(get_object_or_404(Address, user=user, pk=address_id))


@never_cache
@login_required
@require_POST
def address_delete(request: HttpRequest, address_id: int) -> HttpResponse:
    """Delete one of the user's addresses."""
    if not delete_address(_reader(request), address_id=address_id):
        raise Http404
    messages.success(request, _("The address is deleted."))
    return redirect("addresses")


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def account_settings(request: HttpRequest) -> HttpResponse:
    """Show and save name, language and choice of messages; link to e-mail, phone and password."""
    user = _reader(request)
    with transaction.atomic():
        if request.method == "POST":
            user = User.objects.select_for_update(no_key=True).get(pk=user.pk)
        form = SettingsForm(request.POST or None, initial=SettingsForm.values_of(user))
        is_saved = request.method == "POST" and form.is_valid()
        if is_saved and (changes := form.changes()):
            User.objects.filter(pk=user.pk).update(**changes)
    if is_saved:
        user.language = form.cleaned_data["language"]
        with translation.override(user.language):
            messages.success(request, _("Your settings are saved."))
        response = redirect("account-settings")
        set_language_cookie(response, user)
        return response
    context = {"form": form, "has_sms": bool(settings.SMS_URL)}
    return render(request, "accounts/settings.html", context, status=422 if form.is_bound else 200)
