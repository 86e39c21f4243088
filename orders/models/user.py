"""People with an account: the user model (our own from the first migration) and addresses."""

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

MAX_ADDRESSES = 20
"""How many addresses a user may keep."""


class User(AbstractUser):
    """A shopper with an account, or an operator (`is_staff`)."""

    name = models.CharField(pgettext_lazy("person", "name"), max_length=200, blank=True)
    """What orders are made out to; people write it as one, whatever its parts are called."""
    phone = models.CharField(_("phone"), max_length=20, blank=True)
    """E.164, or empty. Confirmed by a code: no other is ever stored."""
    language = models.CharField(_("language"), max_length=7, choices=settings.LANGUAGES, blank=True)
    """What pages and messages speak; empty: what the browser asks for."""
    muted_events = models.JSONField(_("muted messages"), default=list, blank=True)
    """Events of `notifications.events` that the user doesn't want, of those that may be."""
    wants_announcements = models.BooleanField(_("wants announcements"), default=False)

    class Meta(AbstractUser.Meta):
        constraints = [
            # Staff may have none. Sign-in is by e-mail, so two users must never share one.
            models.UniqueConstraint(
                Lower("email"), condition=~Q(email=""), name="user_email_is_unique_in_any_case"
            ),
        ]


class Address(models.Model):
    """Where a user has things sent. One of them, the default, fills the checkout."""

    user = models.ForeignKey(User, models.CASCADE, related_name="addresses", verbose_name=_("user"))
    line1 = models.CharField(_("street and number"), max_length=200)
    line2 = models.CharField(_("apartment, floor, company"), max_length=200, blank=True)
    postcode = models.CharField(_("postcode"), max_length=20)
    city = models.CharField(_("city"), max_length=100)
    country = models.CharField(_("country"), max_length=2)
    """ISO 3166-1 alpha-2."""
    is_default = models.BooleanField(_("default"), default=False)

    class Meta:
        verbose_name = _("address")
        verbose_name_plural = _("addresses")
        ordering = ["-is_default", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["user"], condition=Q(is_default=True), name="one_default_address"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.line1}, {self.city}"
