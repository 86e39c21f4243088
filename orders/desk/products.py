"""Products and categories at the desk.

A product's page shows its stock. Only a movement changes it (`stock_page`). Saving a product never
writes its stock.
"""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.decorators import action, display

from media_jobs.desk import thumbnail
from orders.catalogue.products import create_product
from orders.catalogue.stock import is_low, low_stock_at
from orders.catalogue.variants import keep_lowest_price, keep_variants
from orders.desk.imports import may_import
from orders.desk.media import MediaInline
from orders.desk.product_forms import CategoryForm, NewProductForm, ProductForm
from orders.desk.product_sheets import SHEETS
from orders.desk.scheduled import ScheduledChangeInline
from orders.desk.stock_page import StockPage
from orders.desk.translations import TranslatedAdmin, field_names
from orders.desk.variants import VariantInline
from orders.models import Category, Product, ScheduledChange
from orders.models.product import IS_PARENT, IS_SOLD, PREFETCH_MEDIA
from project.desk.editing import EditAdmin
from project.desk.export_list import ExportList
from project.desk.jobs import isolated
from project.templatetags.money import money


class StockLevelFilter(admin.SimpleListFilter):
    title = _("stock")
    parameter_name = "stock"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("none", _("Sold out")), ("few", _("Low"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Product]) -> QuerySet[Product]:
        if self.value() == "none":
            return queryset.filter(IS_SOLD, stock__available=0)
        if self.value() == "few":
            return queryset.filter(is_low(), stock__available__gt=0)
        return queryset


class VariantFilter(admin.SimpleListFilter):
    title = _("variants")
    parameter_name = "variants"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("no", _("Without variants")), ("parents", _("Products with variants"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Product]) -> QuerySet[Product]:
        if self.value() == "no":
            return queryset.filter(variant_of=None)
        return queryset.filter(IS_PARENT) if self.value() == "parents" else queryset


@admin.register(Product)
class ProductAdmin(TranslatedAdmin, StockPage, ExportList, EditAdmin):
    sheets = SHEETS
    form = ProductForm
    list_display = ("picture", "label", "category", "price_shown", "stock_level", "sold", "on_sale")
    list_display_links = ("picture", "label")
    list_select_related = ("category", "stock", "sales")
    list_filter = (StockLevelFilter, "is_active", "category", "tax_class", VariantFilter)
    list_per_page = 50
    search_fields = ("sku", "name", "description")
    ordering = ("name", "pk")
    prepopulated_fields = {"slug": ("name",)}
    autocomplete_fields = ("category",)
    inlines = (ScheduledChangeInline, MediaInline)
    actions = ("put_on_sale", "take_off_sale")
    asks_reason = True
    actions_list = ("import_products", "stock_take")
    actions_detail = ("stock",)
    readonly_fields = ("on_hand", "sold")

    # ── The list ────────────────────────────────────────────────────────────────────────────

    def get_queryset(self, request: HttpRequest) -> QuerySet[Product]:
        return (
            super()
            .get_queryset(request)
            .prefetch_related(*PREFETCH_MEDIA, "media__asset__jobs", "media__replacement__jobs")
        )

    @display(description="")
    def picture(self, product: Product) -> str | SafeString:
        medium = next(iter(product.media.all()), None)
        return thumbnail(medium.shown if medium else None)

    @display(description=_("product"), ordering="name", header=True)
    def label(self, product: Product) -> list[str]:
        return [isolated(product.name), product.sku]

    @display(description=_("price"), ordering="price")
    def price_shown(self, product: Product) -> str:
        return money(product.price, settings.SHOP_CURRENCY)

    @display(
        description=_("stock"),
        ordering="stock__available",
        label={"none": "danger", "few": "warning", "enough": "success"},
    )
    def stock_level(self, product: Product) -> tuple[str, str] | None:
        if product.is_parent:
            return None  # its variants have it
        available = product.stock.available
        level = "enough" if available > low_stock_at(product) else "few" if available else "none"
        return level, str(available)

    @display(description=_("units on hand"))
    def on_hand(self, product: Product) -> int:
        return product.stock.available

    @display(description=_("units sold"), ordering="sales__units")
    def sold(self, product: Product) -> int:
        return product.sales.units

    @display(description=_("on sale"), ordering="is_active", boolean=True)
    def on_sale(self, product: Product) -> bool:
        return product.is_active

    @admin.action(description=_("Put on sale"), permissions=["change"])
    def put_on_sale(self, request: HttpRequest, queryset: QuerySet[Product]) -> None:
        self._switch(request, queryset, is_active=True)

    @admin.action(description=_("Take off sale"), permissions=["change"])
    def take_off_sale(self, request: HttpRequest, queryset: QuerySet[Product]) -> None:
        self._switch(request, queryset, is_active=False)

    def _switch(
        self, request: HttpRequest, queryset: QuerySet[Product], *, is_active: bool
    ) -> None:
        parents = list(queryset.order_by().values_list("variant_of", flat=True).distinct())
        count = queryset.order_by().update(is_active=is_active)
        for parent_id in filter(None, parents):
            keep_lowest_price(parent_id)
        text = ngettext("%(count)d product changed.", "%(count)d products changed.", count)
        messages.success(request, text % {"count": count})

    def has_import_permission(self, request: HttpRequest) -> bool:
        return may_import(request)

    @action(description=_("Import"), url_path="import", icon="upload", permissions=["import"])
    def import_products(self, request: HttpRequest) -> HttpResponseBase:
        return redirect("admin:orders_deskjob_import")

    # ── One product ─────────────────────────────────────────────────────────────────────────

    def get_inlines(self, request: HttpRequest, obj: Product | None) -> Any:
        inlines = list(super().get_inlines(request, obj))
        return [VariantInline, *inlines] if obj and obj.is_parent else inlines

    def get_readonly_fields(self, request: HttpRequest, obj: Product | None = None) -> Any:
        fields = [*super().get_readonly_fields(request, obj)]
        if obj and obj.variant_of_id is not None:
            fields += ["name", "category", "variant_of"]
        if obj and obj.is_parent and obj.variants.exists():
            fields.append("price")  # the lowest of its variants
        return fields

    def get_prepopulated_fields(self, request: HttpRequest, obj: Product | None = None) -> Any:
        if obj and obj.variant_of_id is not None:
            return {}
        return super().get_prepopulated_fields(request, obj)

    def get_fieldsets(self, request: HttpRequest, obj: Product | None = None) -> Any:
        stock = ("on_hand", "sold") if obj else ("stock",)
        is_variant = obj is not None and obj.variant_of_id is not None
        variants = (("variant_of", "position"), "options") if is_variant else ("options",)
        texts = ("description", "options") if is_variant else ("name", "description", "options")
        return (
            (
                None,
                {
                    "fields": (
                        "name",
                        ("sku", "slug"),
                        "category",
                        ("price", "tax_class"),
                        ("shelf", "weight"),
                        "description",
                        "is_active",
                        ("personalisation", "requires_upload"),
                    )
                },
            ),
            (_("Variants"), {"fields": variants}),
            (_("Stock"), {"fields": (stock, "low_stock")}),
            (
                _("Translations"),
                {"fields": [name for names in field_names(*texts) for name in names]},
            ),
        )

    def get_form(
        self, request: HttpRequest, obj: Product | None = None, change: bool = False, **options: Any
    ) -> type[forms.ModelForm]:
        if not change:
            options["form"] = NewProductForm
        return super().get_form(request, obj, change, **options)

    def formfield_for_dbfield(self, db_field: Any, request: Any, **options: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **options)
        if field and db_field.name == "weight":
            field.help_text = _("As it is sent. Empty: carriers are told %(grams)d g.") % {
                "grams": settings.DELIVERY_UNKNOWN_WEIGHT
            }
        if field and db_field.name == "tax_class":
            field.help_text = _("Empty: its price includes the usual rate.")
        if field and db_field.name == "low_stock":
            default = settings.LOW_STOCK_UNITS
            field.help_text = _("Staff are told from here on down. Empty: %(units)d.") % {
                "units": default
            }
        return field

    def save_model(
        self, request: HttpRequest, obj: Product, form: forms.ModelForm, change: bool
    ) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        created = create_product(
            sku=obj.sku,
            name=obj.name,
            slug=obj.slug,
            category=obj.category,
            price=obj.price,
            description=obj.description,
            is_active=obj.is_active,
            personalisation=obj.personalisation,
            requires_upload=obj.requires_upload,
            stock=form.cleaned_data["stock"],
            low_stock=obj.low_stock,
            shelf=obj.shelf,
            weight=obj.weight,
            tax_class=obj.tax_class,
            options=obj.options,
            texts=obj.texts,
        )
        obj.pk, obj._state.adding = created.pk, False

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        keep_variants(form.instance.variant_of_id or form.instance.pk)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        if formset.model is ScheduledChange:
            for extra in formset.extra_forms:
                extra.instance.user = request.user
        super().save_formset(request, form, formset, change)


@admin.register(Category)
class CategoryAdmin(TranslatedAdmin, EditAdmin):
    form = CategoryForm
    fields = (
        "name",
        *(name for names in field_names("name") for name in names),
        "slug",
        "position",
    )
    list_display = ("name", "slug", "product_count", "position")
    list_editable = ("position",)
    search_fields = ("name",)
    prepopulated_fields = {"slug": ("name",)}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Category]:
        return super().get_queryset(request).annotate(count=Count("products"))

    @display(description=_("products"), ordering="count")
    def product_count(self, category: Any) -> SafeString:
        url = reverse("admin:orders_product_changelist")
        return format_html(
            '<a class="text-link" href="{}?category__id__exact={}">{}</a>',
            url,
            category.pk,
            category.count,
        )
