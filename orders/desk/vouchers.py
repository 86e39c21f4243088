"""Vouchers at the desk: made and changed by managers, and what became of each.

A code that was used can't be deleted: it is switched off. A change counts for new orders.
"""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.db.models import Sum
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from orders.models import Voucher, VoucherUse
from orders.vouchers.discount import plain_code
from project.desk.editing import EditAdmin, EditForm
from project.desk.jobs import in_zone, moment
from project.templatetags.money import money


class VoucherForm(EditForm):
    def clean_limit(self) -> int | None:
        limit: int | None = self.cleaned_data["limit"]
        if limit is not None and limit < self.instance.used:
            used = self.instance.used
            raise forms.ValidationError(_("It was used %(used)d times already.") % {"used": used})
        return limit


@admin.register(Voucher)
class VoucherAdmin(EditAdmin):
    form = type("VoucherForm", (VoucherForm, forms.ModelForm), {})
    list_display = ("code", "takes_off", "category", "used_of", "begins", "ends", "is_active")
    list_select_related = ("category",)
    list_filter = ("is_active", "kind", "category")
    search_fields = ("code",)
    fields = (
        "code",
        ("kind", "value"),
        ("category", "minimum"),
        "starts_at",
        "ends_at",
        ("limit", "limit_per_person"),
        "is_active",
        "used_of",
        "given",
    )
    readonly_fields = ("used_of", "given")

    def formfield_for_dbfield(self, db_field: Any, request: Any, **options: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **options)
        if field is not None and db_field.name == "code":
            clean = field.to_python
            field.to_python = lambda value: plain_code(clean(value) or "")
        elif field is not None and db_field.name in ("starts_at", "ends_at"):
            field.label = in_zone(capfirst(db_field.verbose_name))
        return field

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        may = super().has_delete_permission(request, obj)
        return may and (obj is None or not VoucherUse.objects.filter(voucher=obj.pk).exists())

    @display(description=_("takes off"))
    def takes_off(self, voucher: Voucher) -> str:
        if voucher.kind == Voucher.Kind.PERCENT:
            return f"{voucher.value.normalize():f} %"
        return money(voucher.value, settings.SHOP_CURRENCY)

    @display(description=_("used"), ordering="used")
    def used_of(self, voucher: Voucher) -> str:
        return str(voucher.used) if voucher.limit is None else f"{voucher.used} / {voucher.limit}"

    @display(description=in_zone(_("from")), ordering="starts_at")
    def begins(self, voucher: Voucher) -> SafeString:
        return moment(voucher.starts_at)

    @display(description=in_zone(_("until")), ordering="ends_at")
    def ends(self, voucher: Voucher) -> SafeString:
        return moment(voucher.ends_at)

    @display(description=_("discount so far"))
    def given(self, voucher: Voucher) -> str:
        uses = VoucherUse.objects.filter(voucher=voucher.pk, given_back_at=None)
        total = uses.aggregate(sum=Sum("amount", default=0))["sum"]
        return money(total, settings.SHOP_CURRENCY)
