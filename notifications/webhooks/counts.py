"""How many deliveries an endpoint has in some statuses, read from the partial indexes of those."""

from collections.abc import Sequence

from django.db.models import Count, IntegerField, OuterRef, Subquery
from django.db.models.functions import Coalesce

from notifications.models import WebhookDelivery


def deliveries_in(statuses: Sequence[str]) -> Coalesce:
    """Return the expression of the number of an endpoint's deliveries in these statuses."""
    found = WebhookDelivery.objects.filter(endpoint=OuterRef("pk"), status__in=statuses)
    counts = found.order_by().values("endpoint").annotate(count=Count("*")).values("count")
    return Coalesce(Subquery(counts, output_field=IntegerField()), 0)
