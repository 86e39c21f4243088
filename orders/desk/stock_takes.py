"""The desk's stock-take page: it stores the counted list and queues its dry run."""

from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminTextInputWidget

from orders.desk.imports import upload_page
from orders.desk_jobs.kinds import TAKE_STOCK
from orders.desk_jobs.queue import digest_of, queue_once
from project.desk.page_keys import KeyField

MAX_BYTES = 20_000_000
SUFFIXES = (".csv", ".xlsx")
COLUMNS = (
    ("sku", _("Identifies the product.")),
    ("counted", _("Units that are there. Empty: not counted, and left as it is.")),
    ("on hand", _("As the count list has it: the units when the list was made. May be left out.")),
    ("last movement", _("As the count list has it. May be left out together with “on hand”.")),
    ("name", _("For the people who count; not read.")),
)


class StockTakeForm(forms.Form):
    file = forms.FileField(
        label=_("The counted list"),
        help_text=_("A .csv or .xlsx. A dry run shows the differences first."),
        widget=UnfoldAdminFileFieldWidget({"accept": ",".join(SUFFIXES)}),
    )
    reason = forms.CharField(
        label=_("Reason"),
        help_text=_("Stays in the ledger for good, with your name."),
        max_length=200,
        widget=UnfoldAdminTextInputWidget({"placeholder": _("Stock-take of the year")}),
    )

    key = KeyField()

    def clean_file(self) -> UploadedFile:
        upload: UploadedFile = self.cleaned_data["file"]
        if not (upload.name or "").lower().endswith(SUFFIXES):
            raise ValidationError(_("Choose a .csv or .xlsx."))
        if (upload.size or 0) > MAX_BYTES:
            text = _("The file is too large: at most %(limit)d MB. Split the list.")
            raise ValidationError(text % {"limit": MAX_BYTES // 1_000_000})
        return upload


def may_take_stock(request: HttpRequest) -> bool:
    return bool(request.user.has_perms(TAKE_STOCK.permissions))


def stock_take_view(request: HttpRequest, desk: Any) -> HttpResponseBase:
    """Store the list, queue its dry run, and redirect to that job's page."""
    if not (may_take_stock(request) and request.user.has_perm("orders.view_deskjob")):
        raise PermissionDenied
    form = StockTakeForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        upload: UploadedFile = form.cleaned_data["file"]
        reason = form.cleaned_data["reason"]
        job, is_new = queue_once(
            TAKE_STOCK,
            key=form.cleaned_data["key"],
            asked=f"{digest_of(upload)} {reason}",
            user_id=request.user.pk,
            file=upload,
            context={"name": (upload.name or "")[-80:], "reason": reason, "dry_run": True},
        )
        if is_new:
            desk.record_action(request, _("Dry run"), [job])
        return redirect("admin:orders_deskjob_change", job.pk)
    return upload_page(
        request,
        desk,
        form,
        title=_("Stock-take"),
        label=_("Show the differences"),
        columns=COLUMNS,
        says=_(
            "Download the count list, fill in what you count, and upload it. What is ordered"
            " meanwhile stays ordered; a product that somebody receives, corrects or counts"
            " meanwhile is refused by name."
        ),
        template=_("Count list (CSV)"),
        template_url=reverse("admin:orders_product_count_list"),
    )
