"""The sweeps' marks, and how their last runs ended."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.db import models
from django.db.models import F, Value
from django.db.models.functions import Cast, Extract, Greatest, Least, Now
from django.utils.translation import gettext_lazy as _

from project.names import sweep_name
from project.text import clean

OVERLAP = timedelta(seconds=60)
"""How far a sweep goes back behind its mark. A row's time is that of its statement, but others
see it only after its commit: one that is committed late must not be passed by."""
PASSING = timedelta(seconds=20)
"""So long an error counts for nothing: most are gone at the next run."""
_TIME = models.DateTimeField()


class SweepQuerySet(models.QuerySet["Sweep"]):
    # ── How far it is: `project.schedule.passes` ─────────────────────────────────────────────
    def begin_pass(self, name: str, *, until: datetime) -> None:
        """Note that a pass over all that changed up to `until` has begun."""
        self.filter(name=name).update(
            pass_until=until, page_at=None, page_key=None, left_since=None
        )

    def keep_position(
        self, name: str, *, until: datetime, at: datetime, key: UUID, left_since: datetime | None
    ) -> None:
        """Note behind which row that pass goes on, and the first row that it had to leave."""
        self.filter(name=name, pass_until=until).update(
            page_at=at, page_key=key, left_since=Least("left_since", Value(left_since, _TIME))
        )

    def end_pass(self, name: str, *, until: datetime, left_since: datetime | None) -> None:
        """Move the sweep's mark to the pass's end, or to the first row left. It never goes back."""
        reached = Least(Value(until, _TIME), F("left_since"), Value(left_since, _TIME))
        self.filter(name=name, pass_until=until).update(
            done_until=Greatest("done_until", reached),
            pass_until=None,
            page_at=None,
            page_key=None,
            left_since=None,
        )

    # ── How its runs end: `project.schedule.sweeps` ──────────────────────────────────────────
    def note_done(self, name: str, *, result: str | None, allow: timedelta) -> None:
        """Note that a run is done; without another within `allow` the sweep is late.

        `result` None: there was nothing to say, and the last result stays.
        """
        values = {"ran_at": Now(), "done_at": Now(), "late_after": Now() + allow, "error": ""}
        if result is not None:
            values["result"] = clean(result, longest=200)
        self.update_or_create(name=name, defaults=values)

    def note_error(self, name: str, error: str, *, allow: timedelta) -> None:
        """Note why a run failed. It is late `allow` after the last one that was done."""
        first = {"name": name, "late_after": Now() + allow}
        values = {"ran_at": Now(), "error": clean(error, longest=1000)}
        self.update_or_create(name=name, defaults=values, create_defaults=first | values)
        self.filter(name=name, late_after=None).update(late_after=Now() + allow)

    def expect_only(self, names: Iterable[str]) -> None:
        """Expect no run of other sweeps: this version has none of theirs."""
        self.exclude(name__in=list(names)).update(late_after=None)

    def troubles(self) -> list[tuple[str, float, str]]:
        """Return of each sweep that a relay of this version calls its name, since how many seconds
        it should have been done again (0: it is in time), and its last run's error.
        """
        late = Cast(Extract(Now() - F("late_after"), "epoch"), models.FloatField())
        expected = self.exclude(late_after=None).annotate(seconds=Greatest(late, Value(0.0)))
        return list(expected.values_list("name", "seconds", "error"))

    def late(self) -> models.QuerySet["Sweep"]:
        """Return the sweeps that should have been done by now, whatever keeps them."""
        return self.filter(late_after__lt=Now())

    def failing(self) -> models.QuerySet["Sweep"]:
        """Return the sweeps in time whose last run met an error that the next one didn't mend.

        One that is repeated after seconds has had its chance by PASSING; it may have met a lock.
        One that was never done is only late, in the end.
        """
        unmended = self.filter(done_at__lt=Now() - PASSING, late_after__gte=Now())
        return unmended.exclude(error="")


class Sweep(models.Model):
    """A sweep that the relay calls regularly: its mark, and the result of its last run."""

    name = models.CharField(_("name"), max_length=60, primary_key=True)
    done_until = models.DateTimeField(_("done until"), null=True, blank=True)
    """The mark: the sweep has seen all changes before it. Only for sweeps with a mark."""
    pass_until = models.DateTimeField(null=True, blank=True, editable=False)
    """The end of the pass in progress."""
    page_at = models.DateTimeField(null=True, blank=True, editable=False)
    page_key = models.UUIDField(null=True, blank=True, editable=False)
    """With `page_at` the last row that the pass has seen."""
    left_since = models.DateTimeField(null=True, blank=True, editable=False)
    """The time of the first row that the pass had to leave."""
    ran_at = models.DateTimeField(_("last run"), null=True, blank=True)
    done_at = models.DateTimeField(_("last done"), null=True, blank=True)
    late_after = models.DateTimeField(null=True, blank=True, editable=False)
    """When it must have been done again; None: nobody expects it."""
    result = models.CharField(
        _("last result"), max_length=200, blank=True, default="", db_default=""
    )
    error = models.TextField(_("error"), blank=True, default="", db_default="")

    objects = SweepQuerySet.as_manager()

    class Meta:
        verbose_name = _("sweep")
        verbose_name_plural = _("sweeps")
        ordering = ["name"]

    def __str__(self) -> str:
        return sweep_name(self.name)
