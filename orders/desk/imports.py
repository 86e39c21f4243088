"""The desk's import page: it stores the uploaded file and queues its dry run."""

from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.templatetags.static import static
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminFileFieldWidget

from orders.desk_jobs.kinds import IMPORT_PRODUCTS
from orders.desk_jobs.queue import digest_of, queue_once
from project.desk.page_keys import KeyField

MAX_BYTES = 2_000_000_000
SUFFIXES = (".zip", ".csv", ".xlsx")
COLUMNS = (
    ("sku", _("Identifies the product. A row with a known SKU changes that product.")),
    ("name", _("A new product needs one.")),
    ("category", _("A new product needs one. It is created if there is none of this name.")),
    ("description", ""),
    ("price", _("With a point: 12.30. A new product needs one.")),
    ("shelf", _("Where it lies in the store; pick lists are in this order.")),
    ("weight", _("Whole grams of one unit, as it is sent.")),
    ("tax class", _("A class of the shop, by its name. Empty: a new product has the usual rate.")),
    ("stock", _("The initial units of a new product. Never changes the stock of a known one.")),
    ("on sale", _("yes or no; a new product is on sale unless it says no.")),
    ("pictures", _("File names, with | between them. They are added; none is removed.")),
    ("alt", _("What the pictures show, in the same order, with | between the texts.")),
)


class ImportForm(forms.Form):
    file = forms.FileField(
        label=_("Zip with one table and its pictures, or the table alone"),
        help_text=_("The table is .csv or .xlsx. A dry run shows first what would be done."),
        widget=UnfoldAdminFileFieldWidget({"accept": ",".join(SUFFIXES)}),
    )

    key = KeyField()

    def clean_file(self) -> UploadedFile:
        upload: UploadedFile = self.cleaned_data["file"]
        if not (upload.name or "").lower().endswith(SUFFIXES):
            raise ValidationError(_("Choose a .zip, .csv or .xlsx."))
        if (upload.size or 0) > MAX_BYTES:
            text = _("The file is too large: at most %(limit)d MB. Split the import.")
            raise ValidationError(text % {"limit": MAX_BYTES // 1_000_000})
        return upload


def may_import(request: HttpRequest) -> bool:
    return bool(request.user.has_perms((*IMPORT_PRODUCTS.permissions, "orders.view_deskjob")))


def import_view(request: HttpRequest, desk: Any) -> HttpResponseBase:
    """Store the file, queue its dry run, and redirect to that job's page."""
    if not may_import(request):
        raise PermissionDenied
    form = ImportForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        upload: UploadedFile = form.cleaned_data["file"]
        job, is_new = queue_once(
            IMPORT_PRODUCTS,
            key=form.cleaned_data["key"],
            asked=digest_of(upload),
            user_id=request.user.pk,
            file=upload,
            context={"name": (upload.name or "")[-80:], "dry_run": True},
        )
        if is_new:
            desk.record_action(request, _("Dry run"), [job])
        return redirect("admin:orders_deskjob_change", job.pk)
    return upload_page(
        request,
        desk,
        form,
        title=_("Import products"),
        label=_("Show what would be done"),
        columns=COLUMNS,
        says=_("An empty cell or a missing column leaves a known product unchanged."),
        template=_("Template (CSV)"),
        template_url=static("desk/products.csv"),
    )


def upload_page(
    request: HttpRequest, desk: Any, form: forms.Form, *, title: str | Promise, **context: Any
) -> HttpResponseBase:
    """Return the page of an upload: its form, and the columns that the file may have."""
    known = {**desk.admin_site.each_context(request), "opts": desk.opts, "form": form}
    status = 422 if form.errors else 200
    return TemplateResponse(
        request, "desk/upload.html", {**known, "title": title, **context}, status=status
    )
