"""The form of a webhook endpoint."""

from django import forms
from django.contrib.postgres.forms import SimpleArrayField
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminTextInputWidget

from notifications.desk.country_codes import CountryCodesField
from notifications.desk.webhook_addresses import usable_address
from notifications.models import WebhookEndpoint
from notifications.webhooks.events import choices, chosen_events
from project.desk.editing import EditForm


class EndpointForm(EditForm, forms.ModelForm):
    events = forms.MultipleChoiceField(
        label=_("Events"),
        choices=choices,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=_("All events are those of today: choose what a later version adds then."),
        error_messages={"required": _("Choose at least one event, or all.")},
    )
    url = forms.CharField(
        label=_("Web address"),
        max_length=500,
        widget=UnfoldAdminTextInputWidget,
        help_text=_("With https; it must be public. Redirects aren't followed."),
    )
    countries = CountryCodesField(
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

    def clean_events(self) -> list[str]:
        return chosen_events(self.cleaned_data["events"])

    def clean_url(self) -> str:
        return usable_address(self.cleaned_data["url"])
