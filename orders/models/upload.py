"""What shoppers hand in for personalised products."""

from uuid import uuid4

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from orders.models.order import OrderLine

ROOT = "private/uploads"
"""Below it a folder a day: what nobody ordered is found by its age."""


def upload_path(upload: "Upload", name: str) -> str:
    """Return where the file goes: nothing of its address can be guessed or chosen."""
    extension = name.rpartition(".")[2]
    return f"{ROOT}/{timezone.now():%Y/%m/%d}/{upload.token}.{extension}"


class Upload(models.Model):
    """A shopper's picture or video: nobody's until an order takes it, then one line's for ever.

    A line of three mugs may have two uploads, one for two of them and one for the third: stock,
    sales and refunds count the line, printing counts its uploads.
    """

    token = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    """Can't be guessed: whoever holds it may order with the upload, once."""
    file = models.FileField(_("file"), upload_to=upload_path, max_length=200)
    name = models.CharField(_("name"), max_length=200)
    """As the shopper calls it; nothing is decided by it."""
    content_type = models.CharField(_("type"), max_length=40)
    size = models.PositiveBigIntegerField(_("bytes"))
    sha256 = models.CharField(_("SHA-256"), max_length=64)
    address = models.GenericIPAddressField(_("IP address"))
    created_at = models.DateTimeField(_("created"), db_default=Now())
    line = models.ForeignKey(
        OrderLine,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="uploads",
        verbose_name=_("order line"),
    )
    """The order line that took it."""
    quantity = models.IntegerField(_("quantity"), null=True, blank=True)
    """How many of the line's units it is for."""

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
            # What nobody ordered, by who and when: for the limit and for pruning.
            models.Index(
                F("address"), F("created_at"), condition=Q(line=None), name="upload_untaken"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_video(self) -> bool:
        return self.content_type.startswith("video/")
