"""How often group commit had to wait for locked rows."""

from django.db import connections, models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class DeferralCountQuerySet(models.QuerySet["DeferralCount"]):
    def add(self, writer: str, items: int) -> None:
        """Add to the writer's count: all processes share it."""
        table = self.model._meta.db_table
        with connections[self.db].cursor() as cursor:
            cursor.execute(
                f'INSERT INTO "{table}" AS count (writer, items, changed_at)'
                " VALUES (%s, %s, now()) ON CONFLICT (writer) DO UPDATE"
                " SET items = count.items + EXCLUDED.items, changed_at = EXCLUDED.changed_at",
                [writer, items],
            )


class DeferralCount(models.Model):
    """How many items of all processes' group-commit writers waited for what others had locked.

    Web processes come and go, and each knows of itself only: `/metrics` shows this.
    """

    writer = models.CharField(_("writer"), max_length=60, primary_key=True)
    items = models.BigIntegerField(_("deferrals"), default=0, db_default=0)
    changed_at = models.DateTimeField(_("changed"), db_default=Now())

    objects = DeferralCountQuerySet.as_manager()

    class Meta:
        verbose_name = _("count of deferrals")
        verbose_name_plural = _("counts of deferrals")
        ordering = ["writer"]

    def __str__(self) -> str:
        return f"{self.writer}: {self.items}"
