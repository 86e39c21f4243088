"""A product's variants on its page at the desk. Each has a page of its own, too."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.widgets import UnfoldAdminIntegerFieldWidget

from orders.catalogue.variants import VariantError, check_variant, create_variant
from orders.desk.translations import (
    TranslatedAdmin,
    TranslatedForm,
    field_names,
    options_field,
    translation_fields,
)
from orders.models import Product
from project.desk.editing import EditForm


class VariantForm(TranslatedForm, EditForm, forms.ModelForm):
    translated = ("options",)
    vars().update(translation_fields(Product, translated))
    options = options_field(label=_("options"))
    stock = forms.IntegerField(
        label=_("Units on hand"),
        min_value=0,
        max_value=1_000_000,
        initial=0,
        required=False,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text=_("Of a new one; later movements change it."),
    )

    class Meta:
        model = Product
        fields = ("options", "sku", "price", "is_active", "position")

    def carry_opened_values(self) -> None:
        """Show the stock of a variant that exists; only movements change it."""
        self.fields["stock"].disabled = True
        self.initial["stock"] = self.instance.stock.available
        super().carry_opened_values()

    def logged_as(self) -> tuple[Model, str]:
        parent = self.instance.variant_of
        return (parent or self.instance), str(self.instance)

    def clean_options(self) -> list[str]:
        options: list[str] = self.cleaned_data["options"]
        parent = self.instance.variant_of
        if parent is not None:
            try:
                check_variant(parent, options, pk=self.instance.pk)
            except VariantError as error:
                raise ValidationError(str(error)) from error
        return options

    def save(self, commit: bool = True) -> Product:
        if not self.instance._state.adding:
            return super().save(commit)
        values = self.cleaned_data
        self.instance = create_variant(
            parent_id=self.instance.variant_of_id,
            options=values["options"],
            sku=values["sku"],
            price=values["price"],
            stock=values["stock"] or 0,
            position=values["position"] or 0,
            is_active=values["is_active"],
            texts=self.instance.texts,
        )
        return self.instance


class VariantInline(TranslatedAdmin, TabularInline):
    """Variants aren't deleted here: one that was ordered can't be, and is taken off sale."""

    model = Product
    fk_name = "variant_of"
    form = VariantForm
    fields = (
        "options",
        *(name for names in field_names("options") for name in names),
        "sku",
        "price",
        "stock",
        "is_active",
        "position",
    )
    verbose_name = _("variant")
    verbose_name_plural = _("variants")
    ordering = ("position", "pk")
    show_change_link = True
    can_delete = False
    extra = 0

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("stock", "variant_of")
