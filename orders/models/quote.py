"""Carriers' answers that are kept for a while, so that a basket isn't asked about on each view."""

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class KeptAnswer(models.Model):
    """One carrier's answer about one parcel; only `orders.quotes.keeping` reads and writes it."""

    key = models.UUIDField(primary_key=True, editable=False)
    """Of the carrier and the parcel by SHA-256: no row has an address."""
    answer = models.JSONField()
    asked_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("kept answer of a carrier")
        verbose_name_plural = _("kept answers of carriers")
        indexes = [models.Index(fields=["asked_at"], name="kept_answer_age")]

    def __str__(self) -> str:
        return str(self.key)
