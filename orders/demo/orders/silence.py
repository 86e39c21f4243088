"""Demo products are nobody's business: webhooks aren't told of them.

Products are made and put on sale by the ways of real ones, which tell. What they have told is taken
back in the same transaction, so no endpoint ever sees it.
"""

from collections.abc import Sequence

from django.contrib.postgres.functions import TransactionNow

from notifications.models import WebhookDelivery


def take_back(*, skus: Sequence[str]) -> None:
    """Delete what this transaction told webhooks about these products."""
    WebhookDelivery.objects.filter(
        kind="product.changed",
        context__data__sku__in=skus,
        created_at__gte=TransactionNow(),
    ).delete()
