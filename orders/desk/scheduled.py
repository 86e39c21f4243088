"""A product's scheduled changes at the desk. They are editable until they are applied."""

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.decorators import display

from orders.catalogue.scheduled_changes import overlap
from orders.desk.date_time_widget import DateTimeWidget
from orders.models import ScheduledChange
from project.desk.editing import EditForm
from project.desk.jobs import in_zone, moment
from project.templatetags.money import money

PLANNED = ("what", "price", "at", "back_at")


class ScheduledChangeForm(EditForm, forms.ModelForm):
    """One scheduled change. It is read-only once it is applied."""

    class Meta:
        model = ScheduledChange
        fields = PLANNED

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        is_applied = self.instance.applied_at is not None
        self.is_too_late = is_applied and self.is_bound and self._has_sent_changes()
        if is_applied:
            self.unknown.clear()  # the page that shows it so sends nothing of it
        for field in self.fields.values():
            field.disabled = is_applied

    def _has_sent_changes(self) -> bool:
        # A page that showed the change as applied sends none of its fields.
        return any(
            not self[name].field.widget.value_omitted_from_data(
                self.data, self.files, self[name].html_name
            )
            for name in self.changed_data
        )

    def logged_as(self) -> tuple[models.Model, str]:
        return self.instance.product, str(self.instance)

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if self.is_too_late:
            raise ValidationError(_("This change was applied meanwhile, so it stays as it is."))
        if self.instance.applied_at is not None or self.errors:
            return values
        if values["what"] != ScheduledChange.What.PRICE:
            values["price"] = None
        elif values.get("price") is None:
            self.add_error("price", _("Enter the new price."))
        if values["back_at"] and values["back_at"] <= values["at"]:
            self.add_error("back_at", _("The end must be after the beginning."))
        return values


class ScheduledChanges(forms.BaseInlineFormSet):
    """All scheduled changes of one product. The relay may apply one while the page is open."""

    def clean(self) -> None:
        """Refuse two changes that overlap in time."""
        super().clean()
        if any(self.errors):
            return
        kept = [
            form.instance
            for form in self.forms
            if form not in self.deleted_forms and (form.instance.pk or form.has_changed())
        ]
        going_on = [change for change in kept if change.reverted_at is None]
        for place, change in enumerate(going_on):
            if any(overlap(change, other) for other in going_on[place + 1 :]):
                raise ValidationError(_("Two changes overlap in time. Move one of them."))

    def save_existing(
        self, form: forms.ModelForm, obj: models.Model, commit: bool = True
    ) -> models.Model:
        still_open = ScheduledChange.objects.filter(pk=obj.pk, applied_at=None)
        changed = {*form.changed_data, "price"}  # `clean` empties a price that isn't planned
        still_open.update(**{name: form.cleaned_data[name] for name in PLANNED if name in changed})
        return obj

    def delete_existing(self, obj: models.Model, commit: bool = True) -> None:
        ScheduledChange.objects.filter(pk=obj.pk, applied_at=None).delete()


class ScheduledChangeInline(TabularInline):
    model = ScheduledChange
    form = ScheduledChangeForm
    formset = ScheduledChanges
    verbose_name_plural = in_zone(_("at a set time"))
    fields = (*PLANNED, "state")
    readonly_fields = ("state",)
    formfield_overrides = {
        models.DateTimeField: {"form_class": forms.DateTimeField, "widget": DateTimeWidget}
    }
    extra = 0

    @display(description=_("state"))
    def state(self, change: ScheduledChange) -> str | Promise:
        if change.applied_at is None:
            return _("planned") if change.pk else "–"
        if change.is_kept:
            return _("over; the product was changed meanwhile and is left as it is")
        if change.reverted_at:
            return _("taken back %(time)s") % {"time": moment(change.reverted_at)}
        if change.what == ScheduledChange.What.PRICE and change.previous_price is not None:
            return _("applied; the price was %(price)s") % {
                "price": money(change.previous_price, settings.SHOP_CURRENCY)
            }
        return _("applied")
