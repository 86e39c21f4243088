"""The desk's lists as operators saved them."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class SavedView(models.Model):
    """A list of the desk as an operator filtered it, under a name; a shared one is for all."""

    list = models.CharField(_("list"), max_length=100, editable=False)
    """Its model's label, such as `orders.order`."""
    name = models.CharField(pgettext_lazy("saved view", "name"), max_length=60)
    query = models.CharField(_("filters"), max_length=2000)
    """The list's parameters, sorted, without the page."""
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        related_name="+",
        verbose_name=_("saved by"),
        db_index=False,  # the unique constraint's index begins with it
    )
    is_shared = models.BooleanField(_("for everybody"), default=False)
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("saved view")
        verbose_name_plural = _("saved views")
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "list", "name"], name="saved_view_once_per_name"
            ),
        ]

    def __str__(self) -> str:
        return self.name
