"""The limits: as an operator set them, and what they counted and refused."""

from django.db import connections, models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from project.limits.known import key_in_words, label_of
from project.text import isolate


class Limit(models.Model):
    """A limit that an operator changed: it replaces the setting's. `project.limits` reads it."""

    class Period(models.IntegerChoices):
        MINUTE = 60, _("a minute")
        HOUR = 3600, _("an hour")
        DAY = 86_400, _("a day")

    name = models.CharField(_("limit"), max_length=40, primary_key=True, editable=False)
    """Its name in `project.limits.known`."""
    allowed = models.PositiveIntegerField(
        pgettext_lazy("limit", "number"),
        null=True,
        blank=True,
        help_text=_("Empty: as the setting says. 0: no limit."),
    )
    seconds = models.PositiveIntegerField(_("period"), choices=Period, null=True, blank=True)

    class Meta:
        verbose_name = _("limit")
        verbose_name_plural = _("limits")
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(allowed=None, seconds=None)
                | Q(allowed__isnull=False, seconds__isnull=False, seconds__gt=0),
                name="limit_is_a_rate",
            ),
        ]

    def __str__(self) -> str:
        return label_of(self.name)


class RefusalCountQuerySet(models.QuerySet["RefusalCount"]):
    def add(self, limit: str) -> None:
        """Count one refusal by this limit; all processes share the count.

        It doesn't wait for the disk, so the row is locked for microseconds.
        """
        table = self.model._meta.db_table
        with connections[self.db].cursor() as cursor:
            cursor.execute(
                "WITH quickly AS MATERIALIZED (SELECT"
                " set_config('synchronous_commit', 'off', true),"
                " set_config('lock_timeout', '500ms', true))"
                f' INSERT INTO "{table}" AS count (name, refusals, changed_at)'
                " SELECT %s, 1, now() FROM quickly ON CONFLICT (name) DO UPDATE"
                " SET refusals = count.refusals + 1, changed_at = EXCLUDED.changed_at",
                [limit],
            )


class RefusalCount(models.Model):
    """How often a limit refused something, in all processes: `/metrics` shows it."""

    name = models.CharField(_("limit"), max_length=40, primary_key=True)
    """Its name in `project.limits.known`."""
    refusals = models.BigIntegerField(_("refusals"), default=0, db_default=0)
    changed_at = models.DateTimeField(_("changed"), db_default=Now())

    objects = RefusalCountQuerySet.as_manager()

    class Meta:
        verbose_name = _("count of refusals")
        verbose_name_plural = _("counts of refusals")
        ordering = ["name"]

    def __str__(self) -> str:
        return f"{label_of(self.name)}: {self.refusals}"


class LimitCounterQuerySet(models.QuerySet["LimitCounter"]):
    def current(self) -> "LimitCounterQuerySet":
        """Counters whose window hasn't ended."""
        return self.filter(ends_at__gt=Now())

    def blocked(self) -> "LimitCounterQuerySet":
        """Counters that have reached their limit."""
        return self.current().filter(used__gte=F("allowed"))


class LimitCounter(models.Model):
    """The count of one key in its current window; only `project.limits.counters` writes it."""

    name = models.CharField(_("limit"), max_length=40)
    key = models.CharField(_("key"), max_length=254)
    """An address, an e-mail address, a phone number …; of a shared limit the number of its row."""
    used = models.PositiveIntegerField(_("counted"))
    allowed = models.PositiveIntegerField(_("allowed"))
    """The limit at the last count; of a shared limit this row's part of it."""
    ends_at = models.DateTimeField(_("counted until"))

    objects = LimitCounterQuerySet.as_manager()

    class Meta:
        verbose_name = _("counted key")
        verbose_name_plural = _("counted keys")
        ordering = ["-ends_at", "name", "key"]
        constraints = [
            models.UniqueConstraint(fields=["name", "key"], name="limit_counter_once"),
        ]
        # An increment changes no indexed column, so it needs no new index entries (HOT).
        indexes = [models.Index(fields=["ends_at"], name="limit_counter_ends")]

    def __str__(self) -> str:
        return f"{label_of(self.name)}: {isolate(key_in_words(self.name, self.key))}"
