"""The form of a webhook endpoint."""

from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.conf import settings
from django.contrib.postgres.forms import SimpleArrayField
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator, URLValidator
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminTextInputWidget

from notifications.models import WebhookEndpoint
from notifications.webhooks.events import choices
from project.desk.editing import EditForm


class EndpointForm(EditForm, forms.ModelForm):
    events = forms.MultipleChoiceField(
        label=_("Events"), choices=choices, widget=UnfoldAdminCheckboxSelectMultipleWidget
    )
    url = forms.CharField(
        label=_("Web address"),
        max_length=500,
        widget=UnfoldAdminTextInputWidget,
        help_text=_("With https; it must be public. Redirects aren't followed."),
    )
    countries = SimpleArrayField(
        forms.CharField(
            max_length=2, validators=[RegexValidator("^[A-Z]{2}$", _("Two capital letters."))]
        ),
        label=_("Countries"),
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text=_("Codes of the orders' countries, such as DE, AT. Empty: all."),
    )
    skus = SimpleArrayField(
        forms.CharField(max_length=40),
        label=_("SKUs"),
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text=_("Orders with one of these products, and these products. Empty: all."),
    )

    class Meta:
        model = WebhookEndpoint
        fields = (
            *("name", "url", "events", "is_thin", "signature"),
            *("minimum", "countries", "skus"),
        )

    def clean_url(self) -> str:
        """Refuse what no delivery could go to; where a name leads is checked at each connection."""
        url = self.cleaned_data["url"].strip()
        schemes = ["https", "http"] if settings.WEBHOOK_INSIDE else ["https"]
        try:
            URLValidator(schemes=schemes)(url)
            parts = urlsplit(url)
        except (ValidationError, ValueError):
            words = _("Enter an address like %(example)s.")
            example = "https://warehouse.example/hooks"
            raise ValidationError(words % {"example": example}) from None
        if parts.username or parts.password or parts.fragment:
            raise ValidationError(_("Leave out user, password and fragment: requests are signed."))
        if not url.isascii():
            raise ValidationError(_("Write the address in ASCII: xn--… for other letters."))
        return url

    def clean_countries(self) -> Any:
        return list(dict.fromkeys(self.cleaned_data["countries"]))
