"""The form by which a shopper asks to be told when a product is back."""

from allauth.account.models import EmailAddress
from django import forms
from django.http import HttpRequest
from django.utils.translation import pgettext_lazy

from orders.accounts.fields import FocusedIfWrong, TextField
from orders.placing.request import clean_email
from project.address_input import sent_as_typed


class WaitingForm(forms.Form):
    bound_field_class = FocusedIfWrong
    email = TextField(
        rule=clean_email,
        label=pgettext_lazy("address", "E-mail"),
        max_length=254,
        widget=sent_as_typed(
            forms.TextInput({"autocomplete": "email", "aria-describedby": "waiting-help"})
        ),
    )


def own_address(request: HttpRequest) -> str:
    """Return the signed-in shopper's confirmed address; empty without one."""
    if not request.user.is_authenticated:
        return ""
    confirmed = EmailAddress.objects.filter(user=request.user, verified=True)
    addresses = confirmed.order_by("-primary", "pk").values_list("email", flat=True)
    return addresses.first() or ""
