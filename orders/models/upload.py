"""Shoppers' uploads for personalised products."""

from uuid import uuid4

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from orders.models.order import OrderLine
from project.text import isolate

ROOT = "private/uploads"
"""It has a folder per day, so that pruning finds old files by their folder."""


def upload_path(upload: "Upload", name: str) -> str:
    """Return the file's path. A shopper can neither guess nor choose it."""
    extension = name.rpartition(".")[2]
    return f"{ROOT}/{timezone.now():%Y/%m/%d}/{upload.token}.{extension}"


class Upload(models.Model):
    """A shopper's picture or video. One order line takes it, for ever; until then it has no line.

    A line of three mugs may have two uploads, one for two mugs and one for the third. Stock, sales
    and refunds count the line; printing counts the uploads.
    """

    token = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    """Random: a shopper with the token may use the upload in one order."""
    file = models.FileField(_("file"), upload_to=upload_path, max_length=200)
    name = models.CharField(_("name"), max_length=200)
    """The shopper's file name. It is shown and has no other effect."""
    content_type = models.CharField(_("type"), max_length=40)
    size = models.PositiveBigIntegerField(_("bytes"))
    sha256 = models.CharField(_("SHA-256"), max_length=64)
    address = models.GenericIPAddressField(_("IP address"))
    """The address that the upload counts for: of an IPv6 /64 its first one (`project.limits`)."""
    created_at = models.DateTimeField(_("created"), db_default=Now())
    line = models.ForeignKey(
        OrderLine,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="uploads",
        verbose_name=_("order line"),
    )
    """The order line that took the upload."""
    quantity = models.IntegerField(_("quantity"), null=True, blank=True)
    """The number of the line's units that are made with the upload."""

    class Meta:
        verbose_name = _("upload")
        verbose_name_plural = _("uploads")
        ordering = ["created_at", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(line=None, quantity=None)
                | Q(line__isnull=False, quantity__isnull=False, quantity__gte=1),
                name="upload_is_taken_for_some_units",
            ),
        ]
        indexes = [
            # Uploads without an order, by address and time: for the limit and for pruning.
            models.Index(
                F("address"), F("created_at"), condition=Q(line=None), name="upload_untaken"
            ),
        ]

    def __str__(self) -> str:
        return isolate(self.name)

    @property
    def is_video(self) -> bool:
        return self.content_type.startswith("video/")
