"""The record of the demo's orders, by which `manage.py demo --remove` finds them again."""

from django.db import models
from django.db.models import F
from django.db.models.functions import Now
from django.db.models.lookups import IsNull


class DemoFill(models.Model):
    """One filling of the shop with demo orders: `orders.demo.orders`. There is one at a time.

    The keys, and with them the ids, of all its orders derive from `seed` and their positions, so
    a fill that was interrupted is found as well as a whole one.
    """

    seed = models.BigIntegerField()
    orders = models.PositiveIntegerField()
    """The number of orders that were wanted."""
    until = models.DateTimeField()
    """The end of the history: nothing in it is later."""
    begun_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()  # no page shows it
        constraints = [
            models.UniqueConstraint(IsNull(F("seed"), False), name="one_demo_fill_at_a_time"),
        ]

    def __str__(self) -> str:
        return f"{self.orders} orders of seed {self.seed}"
