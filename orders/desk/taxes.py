"""Tax classes and rates at the desk. They count for new orders; placed ones keep theirs."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget

from orders.accounts.fields import countries_by_name
from orders.models import TaxClass, TaxRate
from project.countries import COUNTRIES
from project.desk.editing import EditAdmin


@admin.register(TaxRate)
class TaxRateAdmin(EditAdmin):
    list_display = ("country_name", "class_name", "percent")
    list_select_related = ("tax_class",)
    list_filter = ("tax_class",)
    ordering = ("country", "tax_class")
    search_fields = ("country", "tax_class__name")
    fields = ("country", "tax_class", "rate")

    def formfield_for_dbfield(self, db_field: Any, request: Any, **options: Any) -> Any:
        if db_field.name == "country":
            return forms.ChoiceField(
                label=_("Country"),
                choices=countries_by_name,
                initial=settings.SHOP_COUNTRY,
                help_text=_("Where the goods go. The shop's own counts for a pickup too."),
                widget=UnfoldAdminSelectWidget,
            )
        return super().formfield_for_dbfield(db_field, request, **options)

    @display(description=_("country"), ordering="country")
    def country_name(self, rate: TaxRate) -> str:
        return str(COUNTRIES.get(rate.country, rate.country))

    @display(description=_("tax class"), ordering="tax_class__name")
    def class_name(self, rate: TaxRate) -> str:
        return str(rate.tax_class) if rate.tax_class else str(_("All other products"))

    @display(description=_("tax rate (%)"), ordering="rate")
    def percent(self, rate: TaxRate) -> str:
        return f"{rate.rate.normalize():f} %"


@admin.register(TaxClass)
class TaxClassAdmin(EditAdmin):
    list_display = ("name", "product_count")
    search_fields = ("name",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[TaxClass]:
        return super().get_queryset(request).annotate(count=Count("products"))

    @display(description=_("products"), ordering="count")
    def product_count(self, tax_class: Any) -> SafeString:
        url = reverse("admin:orders_product_changelist")
        return format_html(
            '<a class="text-link" href="{}?tax_class__id__exact={}">{}</a>',
            url,
            tax_class.pk,
            tax_class.count,
        )
