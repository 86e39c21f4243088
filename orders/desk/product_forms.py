"""The forms of products and categories at the desk, with their texts in all languages."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminIntegerFieldWidget

from orders.catalogue.variants import VariantError, check_parent, check_variant
from orders.desk.translations import (
    TranslatedForm,
    field_names,
    options_field,
    translation_fields,
)
from orders.models import Category, Product
from project.desk.editing import EditForm

OPTIONS_HELP = _("What is chosen, with | between: Size | Colour. Empty: there are no variants.")


class ProductForm(TranslatedForm, EditForm, forms.ModelForm):
    """A product's texts in all languages, and what is chosen of its variants."""

    translated = ("name", "description", "options")
    vars().update(translation_fields(Product, translated))
    options = options_field(label=capfirst(_("options")), help_text=OPTIONS_HELP)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if self.instance.variant_of_id is not None:
            self.fields["options"].help_text = " | ".join(self.instance.variant_of.options)

    def carry_opened_values(self) -> None:
        """Leave out a variant's name, which is its parent's with its options: no page has it."""
        if self.instance.variant_of_id is not None:
            for names in field_names("name"):
                self.fields.pop(names[0], None)
        super().carry_opened_values()

    def clean_options(self) -> list[str]:
        options: list[str] = self.cleaned_data["options"]
        parent = self.instance.variant_of
        try:
            if parent is None:
                check_parent(self.instance, options)
            else:
                check_variant(parent, options, pk=self.instance.pk)
        except VariantError as error:
            raise ValidationError(str(error)) from error
        return options


class NewProductForm(ProductForm):
    """The form of a new product also asks for its units on hand."""

    stock = forms.IntegerField(
        label=_("Units on hand"),
        min_value=0,
        max_value=1_000_000,
        initial=0,
        widget=UnfoldAdminIntegerFieldWidget,
    )


class CategoryForm(TranslatedForm, EditForm, forms.ModelForm):
    translated = ("name",)
    vars().update(translation_fields(Category, translated))
