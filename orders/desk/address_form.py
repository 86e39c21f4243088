"""An address as its country writes it, in the desk's look (`desk/address.html`)."""

from django import forms
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from orders.accounts.address_form import AddressFieldsForm
from orders.accounts.fields import ADDRESS_FIELDS


class DeskAddressForm(AddressFieldsForm):
    """Without hints for the browser, which would fill in the operator's own address."""

    def fit_country(self) -> None:
        super().fit_country()
        for name in ADDRESS_FIELDS:
            field = self.fields[name]
            if isinstance(field, forms.ChoiceField):
                choices = field.choices
                field.widget = UnfoldAdminSelectWidget()
                field.choices = choices
            else:
                field.widget = UnfoldAdminTextInputWidget()
