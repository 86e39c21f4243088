"""The words of the search get their rests with and without an ending: the relay counts them anew.

Until then, some seconds after its start, no typing mistake is corrected.
"""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("orders", "0063_events_not_all_paid")]

    operations = [
        migrations.RunSQL("DELETE FROM orders_searchword", "DELETE FROM orders_searchword"),
    ]
