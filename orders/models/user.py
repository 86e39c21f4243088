"""Users and their addresses. The user model is the shop's own since the first migration."""

from typing import ClassVar

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.contrib.auth.models import UserManager as DjangoUserManager
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower, Reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from project.address_rules import printed_address
from project.database.words import NameWords
from project.email_addresses import STORED, InvalidAddressError, canonical_address
from project.text import isolate

MAX_ADDRESSES = 20
"""The number of addresses that a user may save."""


class UserManager(DjangoUserManager["User"]):
    """Users by the rules of Django, with addresses by the shop's."""

    @classmethod
    def normalize_email(cls, email: str | None) -> str:
        """Return the address in the form of `project.email_addresses`; nonsense stays.

        Django calls it for `createsuperuser`, `create_user` and each form that validates a user.
        """
        try:
            return canonical_address(email) if email else ""
        except InvalidAddressError:
            return email or ""


class User(AbstractUser):
    """A shopper with an account, or an operator (`is_staff`)."""

    objects: ClassVar[UserManager] = UserManager()

    name = models.CharField(pgettext_lazy("person", "name"), max_length=200, blank=True)
    """The full name on orders, in one field: names have different parts in different countries."""
    phone = models.CharField(_("phone"), max_length=20, blank=True)
    """E.164, or empty. Only a number that was confirmed by a code is stored."""
    language = models.CharField(_("language"), max_length=7, choices=settings.LANGUAGES, blank=True)
    """The language of pages and messages; empty: the browser's language."""
    muted_events = models.JSONField(_("muted messages"), default=list, blank=True)
    """The optional events of `notifications.events` that the user switched off."""
    wants_announcements = models.BooleanField(_("wants announcements"), default=False)

    def __str__(self) -> str:
        return isolate(self.get_username())

    class Meta(AbstractUser.Meta):
        permissions = [
            ("export_person", _("Can export a person's data")),
            ("erase_person", _("Can erase a person")),
        ]
        constraints = [
            # Staff may have no e-mail. Sign-in is by e-mail, so two users must never share one.
            models.UniqueConstraint(
                Lower("email"), condition=~Q(email=""), name="user_email_is_unique_in_any_case"
            ),
            models.CheckConstraint(
                condition=Q(email="") | Q(email__regex=STORED), name="user_email_has_the_one_form"
            ),
        ]
        # The desk's list: its filters by the rare values, and its search.
        indexes = [
            models.Index(fields=["username"], name="user_staff", condition=Q(is_staff=True)),
            models.Index(
                fields=["username"], name="user_superuser", condition=Q(is_superuser=True)
            ),
            models.Index(fields=["username"], name="user_inactive", condition=Q(is_active=False)),
            models.Index(
                OpClass(Lower("email"), name="text_pattern_ops"),
                name="user_email",
                condition=~Q(email=""),
            ),
            models.Index(
                OpClass(Reverse("phone"), name="text_pattern_ops"),
                name="user_phone",
                condition=~Q(phone=""),
            ),
            GinIndex(NameWords("name"), name="user_name_words"),
        ]


class Address(models.Model):
    """A user's delivery address. The default address fills the checkout form."""

    user = models.ForeignKey(User, models.CASCADE, related_name="addresses", verbose_name=_("user"))
    line1 = models.CharField(_("street and number"), max_length=200)
    line2 = models.CharField(_("apartment, floor, company"), max_length=200, blank=True)
    postcode = models.CharField(_("postcode"), max_length=20, blank=True)
    city = models.CharField(_("city"), max_length=100, blank=True)
    region = models.CharField(
        _("state or province"), max_length=100, blank=True, default="", db_default=""
    )
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
        return ", ".join(filter(None, (self.line1, self.city)))

    @property
    def printed(self) -> list[str]:
        """The address as its country prints it."""
        parts = ("line1", "line2", "city", "region", "postcode", "country")
        return printed_address({part: getattr(self, part) for part in parts})
