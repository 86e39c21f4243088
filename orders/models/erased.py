"""Keyed hashes of the addresses of erased persons: a restored backup erases them again."""

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class ErasedAddress(models.Model):
    """An e-mail address whose person was erased; only `orders.personal_data.erased` reads it."""

    digest = models.CharField(_("keyed hash"), max_length=64, primary_key=True, editable=False)
    """HMAC-SHA-256 by SECRET_KEY of the address: without the key it names nobody."""
    erased_at = models.DateTimeField(_("erased"), db_default=Now(), editable=False)

    class Meta:
        default_permissions = ()  # no page shows it
        verbose_name = _("erased address")
        verbose_name_plural = _("erased addresses")

    def __str__(self) -> str:
        return self.digest[:12]
