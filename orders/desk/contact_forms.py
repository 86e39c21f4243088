"""The forms of an order's contact: its correction, and its messages sent to the new address."""

from collections.abc import Iterable
from contextlib import suppress
from typing import Any
from uuid import UUID

from django import forms
from django.forms.boundfield import BoundField
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminTextInputWidget,
)

from notifications.desk.filters import event_label
from orders.accounts.fields import ADDRESS_FIELDS, TextField, address_fields
from orders.desk import effects
from orders.desk.address_form import DeskAddressForm
from orders.desk.step_forms import StepForm
from orders.lifecycle.corrections import address_of, correct_contact, send_again, sent_elsewhere
from orders.models import Order, OrderEvent, User
from orders.placing.request import MAX_NAME_LENGTH, clean_email, clean_phone
from project.address_input import sent_as_typed
from project.countries import country_name
from project.email_addresses import readable_address
from project.opened_values import OpenedForm
from project.text import isolate


class ContactForm(OpenedForm, DeskAddressForm, StepForm):
    """Corrects name, e-mail, phone and address.

    What was changed is checked as in a new order; what stays may be older than the rules. A country
    that changes has all of its address checked.

    A colleague's correction of another field is kept; one of the same field is told by name. The
    form compares with the order that it has read, and the step refuses if that has changed since.
    """

    name = TextField(
        label=pgettext_lazy("person", "Name"),
        max_length=MAX_NAME_LENGTH,
        widget=UnfoldAdminTextInputWidget,
    )
    email = TextField(
        rule=clean_email,
        label=pgettext_lazy("address", "E-mail"),
        max_length=254,
        widget=sent_as_typed(UnfoldAdminTextInputWidget()),
    )
    phone = TextField(
        rule=clean_phone,
        label=gettext_lazy("Phone"),
        max_length=40,
        required=False,
        widget=UnfoldAdminTextInputWidget({"type": "tel"}),
    )
    line1, line2, postcode, city, region, country = address_fields(required=True)

    def fill_in(self) -> None:
        order = self.order
        self.initial["name"] = order.name
        self.initial["email"] = readable_address(order.email)
        self.initial["phone"] = order.phone
        for name in ADDRESS_FIELDS:
            if order.address:
                self.initial[name] = order.address.get(name, "")
            else:  # a pickup
                del self.fields[name]

    def fit_country(self) -> None:
        if self.order.address:
            super().fit_country()
            self._offer_stored("country", country_name(self.initial["country"]))
            self._offer_stored("region", self.initial["region"])

    def _offer_stored(self, name: str, label: str) -> None:
        """Put a stored value into its list, or the browser would choose another one."""
        field, stored = self.fields[name], self.initial[name]
        if isinstance(field, forms.ChoiceField) and not self._has_other_country:
            choices: Any = list(field.choices)  # type: ignore[arg-type]
            if stored not in dict(choices):
                field.choices = [(stored, label), *choices]

    @property
    def _has_other_country(self) -> bool:
        return bool(self["country"].value() != self.initial["country"])

    @property
    def address_rows(self) -> list[list[BoundField]]:
        return super().address_rows if self.order.address else []

    @property
    def extra(self) -> list[str]:
        """What the stored address has although its country's addresses don't."""
        if self._has_other_country:
            return []
        return [
            name
            for name in ADDRESS_FIELDS
            if self.initial[name] and name not in self.rules.fields | {"country"}
        ]

    @property
    def person_fields(self) -> list[BoundField]:
        return [self[name] for name in ("name", "email", "phone")]

    def clean(self) -> dict[str, Any]:
        """Check only what was changed: an old value may be older than the rule."""
        for name in set(self.errors) - set(self.changed_data):
            del self.errors[name]
        values: dict[str, Any] = super().clean()
        stored = {
            "name": self.order.name,
            "email": self.order.email,
            "phone": self.order.phone,
            **{name: self.order.address.get(name, "") for name in ADDRESS_FIELDS},
        }
        for name in self.fields:
            if name not in self.changed_data:
                values[name] = stored[name]
        if self.order.address:
            has_moved = "country" in self.changed_data
            checked = [name for name in ADDRESS_FIELDS if has_moved or name in self.changed_data]
            self.check_address(values, names=checked)
        return values

    def conflict_message(self, name: str, stored: str) -> str:
        part = "address" if name in ADDRESS_FIELDS else name
        corrections = self.order.events.filter(kind=OrderEvent.Kind.CORRECTED)
        for event in corrections.select_related("user").order_by("-pk"):
            if part in event.detail["new"] and event.user:
                return _("“%(field)s” was changed to “%(value)s” by %(user)s meanwhile.") % {
                    "field": self[name].label,
                    "value": stored,
                    "user": event.user,
                }
        return super().conflict_message(name, stored)

    def effects(self) -> Iterable[str]:
        return effects.of_contact_correction()

    def take(self, order: Order, user: User) -> Order:
        values = self.cleaned_data
        return correct_contact(
            order_id=order.pk,
            name=values["name"],
            email=values["email"],
            phone=values["phone"],
            address={name: values[name] for name in ADDRESS_FIELDS if values.get(name)},
            user=user,
            seen=self.order.changed_at,
        )

    def next_page(self, order: Order) -> str:
        """After another address, the messages that it doesn't have yet."""
        has_other = {"email", "phone"} & set(self.changed_data)
        if not has_other or not sent_elsewhere(Order.objects.get(pk=order.pk)):
            return ""
        return reverse("admin:orders_order_step", args=[order.pk, "again"])


class MessagesField(forms.MultipleChoiceField):
    """Messages by their ids. One that went out meanwhile is no error: a double click sends once."""

    def valid_value(self, value: Any) -> bool:
        with suppress(ValueError):
            return bool(UUID(str(value)))
        return False


class SendAgainForm(StepForm):
    """Sends messages of the order to the address that it has now."""

    messages = MessagesField(
        label=gettext_lazy("Messages"),
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        error_messages={"required": gettext_lazy("Choose a message, or go back.")},
    )

    def fill_in(self) -> None:
        """Propose the last message of each channel: what the customer needs to know now."""
        field: Any = self.fields["messages"]
        self.found = {str(message.pk): message for message in sent_elsewhere(self.order)}
        field.choices = [
            (
                key,
                _("%(event)s · %(channel)s to %(recipient)s")
                % {
                    "event": event_label(message.event),
                    "channel": message.get_channel_display(),
                    "recipient": isolate(readable_address(message.recipient)),
                },
            )
            for key, message in self.found.items()
        ]
        field.initial = list({message.channel: key for key, message in self.found.items()}.values())

    def effects(self) -> Iterable[str]:
        """Say how many messages go to which address; nothing if nothing is chosen."""
        chosen = [
            self.found[key].channel for key in self.held("messages") or () if key in self.found
        ]
        for channel in dict.fromkeys(chosen):
            says = ngettext(
                "%(count)d message goes to %(address)s.",
                "%(count)d messages go to %(address)s.",
                chosen.count(channel),
            )
            address = isolate(readable_address(address_of(self.order, channel)))
            yield says % {"count": chosen.count(channel), "address": address}

    def take(self, order: Order, user: User) -> Order:
        chosen = [UUID(key) for key in self.cleaned_data["messages"]]
        send_again(order_id=order.pk, message_ids=chosen, user=user)
        return order
