"""A product's pictures and videos at the desk: upload, order, replacement."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.decorators import display
from unfold.widgets import UnfoldAdminFileFieldWidget

from media_jobs.assets import store_asset
from media_jobs.desk import thumbnail
from media_jobs.filetypes import HEAD_BYTES, TYPES, UnusableFileError, check_size, sniff
from media_jobs.outbox import queue_renditions
from media_jobs.publishing import product_recipe
from orders.catalogue.products import replace_media
from orders.desk.translations import (
    TranslatedAdmin,
    TranslatedForm,
    field_names,
    translation_fields,
)
from orders.models import ProductMedia
from project.desk.editing import EditForm
from project.jobs.queryset import OPEN, Status

ACCEPTED = ",".join(file_type.content_type for file_type in TYPES)


class MediaForm(TranslatedForm, EditForm, forms.ModelForm):
    """One picture or video of a product: it stores the upload as an asset and queues renditions.

    Pages show a replacement once its renditions exist.
    """

    upload = forms.FileField(
        label=_("picture or video"),
        required=False,
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": ACCEPTED}),
    )
    newest = forms.CharField(widget=forms.HiddenInput, required=False)
    """The key of the asset that the page shows as the newest. A replacement replaces that one."""

    translated = ("alt",)
    vars().update(translation_fields(ProductMedia, translated))

    class Meta:
        model = ProductMedia
        fields = ("upload", "newest", "alt", "position")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        newest = str(self.instance.newest.pk) if self.instance.pk else ""
        self.initial["newest"] = newest
        self.is_replaced = self.is_bound and self["newest"].data != newest
        if self.is_bound:
            self.data = self.data.copy()
            self.data[self.add_prefix("newest")] = newest  # the next upload is a decision

    def logged_as(self) -> tuple[Model, str]:
        return self.instance.product, str(self.instance)

    def clean(self) -> dict[str, Any]:
        """Refuse to replace a file that the page didn't show."""
        values = super().clean()
        if self.is_replaced and self.instance.pk and values.get("upload"):
            self.add_error("upload", self._replaced_message())
        return values

    def _replaced_message(self) -> str:
        facts = {"file": self.instance.newest, "user": self.changed_by("upload")}
        if facts["user"] is None:
            says = _("“%(file)s” came here meanwhile. Look at it, then choose your file again.")
        else:
            says = _(
                "“%(file)s” was uploaded here by %(user)s meanwhile. Look at it, then choose your"
                " file again."
            )
        return says % facts

    def clean_upload(self) -> UploadedFile | None:
        upload: UploadedFile | None = self.cleaned_data["upload"]
        if upload is None and self.instance.pk is None:
            raise ValidationError(_("Choose a picture or a video."))
        if upload is not None:
            try:
                check_size(upload.size or 0, sniff(upload.read(HEAD_BYTES)))
            except UnusableFileError as error:
                raise ValidationError(str(error)) from error
        return upload

    def changed_columns(self) -> list[str]:
        replaced = ["asset", "replacement"] if "upload" in self.changed_data else []
        return [*super().changed_columns(), *replaced]

    def save(self, commit: bool = True) -> ProductMedia:
        if upload := self.cleaned_data["upload"]:
            asset = store_asset(upload, name=upload.name or "")
            if self.instance.pk is None:
                self.instance.asset = asset
                queue_renditions(asset)
            else:
                replace_media(self.instance, asset)
        return super().save(commit)


ALTS = ("alt", *(name for names in field_names("alt") for name in names))


class MediaInline(TranslatedAdmin, TabularInline):
    model = ProductMedia
    form = MediaForm
    fields = ("preview", "upload", "newest", *ALTS, "position")
    readonly_fields = ("preview",)
    ordering_field = "position"
    hide_ordering_field = True
    extra = 0

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return the columns; who may only look has nothing to upload."""
        to_look_at = ("preview", *ALTS)
        return self.fields if self.has_change_permission(request, obj) else to_look_at

    @display(description=_("now"))
    def preview(self, medium: ProductMedia) -> str | SafeString:
        """Return the medium that pages show, and the state of the last upload."""
        if not medium.asset_id:
            return "–"
        return format_html("{} {}", thumbnail(medium.shown), _state(medium))

    def get_queryset(self, request: HttpRequest) -> QuerySet[ProductMedia]:
        media = super().get_queryset(request)
        return media.select_related("asset", "replacement").prefetch_related(
            "asset__jobs", "replacement__jobs"
        )


def _state(medium: ProductMedia) -> str | SafeString:
    """Return the state of the newest file's job, with a link to it; empty if it is done."""
    asset = medium.newest
    name = product_recipe(asset).name
    job: Any = next((job for job in asset.jobs.all() if job.recipe == name), None)
    if job is None or job.status == Status.DONE:
        return ""
    if job.status in OPEN:
        says = _("“%(name)s” is in the making.") % {"name": asset}
    elif job.status == Status.CANCELLED:
        says = _("“%(name)s” was cancelled.") % {"name": asset}
    else:
        says = _("“%(name)s” couldn't be used. %(reason)s") % {"name": asset, "reason": job.error}
    url = reverse("admin:media_jobs_mediajob_change", args=[job.pk])
    return format_html('<a class="desk-media-{}" href="{}">{}</a>', job.status, url, says)
