"""The filters of the orders' list by country and by carrier.

What an order pays: each time its row is written anew (placed, paid, packed …) an entry of about 0.1 kB
in `order_country`, beside the newest of the same country, as in `order_status_list`: few pages, which
are in memory. A parcel pays one entry in `event_carrier`, behind the last of its carrier. The filter by
product uses the lines' index of products, which is there already. Amounts have no index: it would be
written anywhere in it, with each change of an order; the orders of the dates are read instead.
"""

import django.db.models.fields.json
import django.db.models.functions.text
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # built beside a running shop, without locking its rows

    dependencies = [
        ("orders", "0044_covering_job_indexes"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='order',
            index=models.Index(django.db.models.fields.json.KeyTextTransform('country', 'address'), models.OrderBy(models.F('placed_at'), descending=True), models.OrderBy(models.F('number'), descending=True), name='order_country'),
        ),
        AddIndexConcurrently(
            model_name='orderevent',
            index=models.Index(django.db.models.functions.text.Lower(django.db.models.fields.json.KeyTextTransform('carrier', 'detail')), models.F('id'), condition=models.Q(('kind__in', ['shipped', 'parcel_corrected'])), name='event_carrier'),
        ),
    ]
