"""The desk's lists of orders, stock movements, users and desk jobs, and their search.

What an order pays: each time its row is written anew (placed, paid, packed …) an entry at the end
of `newest` and of `status_list`, about 0.1 kB each; if it has a phone number, an entry on a page of
its own; a word of the name is an entry of some bytes among those of the same word. `order_email`
takes the place of `order_by_email` and costs the same. A movement is written once: an entry at the
end of `newest`, and one in `movement_of_product` instead of that in the foreign key's index.
"""

import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.functions.text
import project.database.words
from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # built beside a running shop, without locking its rows

    dependencies = [
        ('account', '0009_emailaddress_unique_primary_email'),
        ('auth', '0012_alter_user_first_name_max_length'),
        ("orders", "0030_prunable"),
        ('project', '0019_search_words'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='stockmovement',
            options={'ordering': ['-created_at', '-pk'], 'verbose_name': 'stock movement', 'verbose_name_plural': 'stock movements'},
        ),
        AddIndexConcurrently(
            model_name='deskjob',
            index=models.Index(fields=['-created_at', '-id'], name='deskjob_newest'),
        ),
        AddIndexConcurrently(
            model_name='deskjob',
            index=models.Index(condition=models.Q(('status', 'done'), _negated=True), fields=['status', '-created_at', '-id'], name='deskjob_not_done'),
        ),
        AddIndexConcurrently(
            model_name='order',
            index=models.Index(django.contrib.postgres.indexes.OpClass(django.db.models.functions.text.Lower('email'), name='text_pattern_ops'), models.OrderBy(models.F('number'), descending=True), name='order_email'),
        ),
        AddIndexConcurrently(
            model_name='order',
            index=models.Index(fields=['-placed_at', '-number'], name='order_newest'),
        ),
        AddIndexConcurrently(
            model_name='order',
            index=models.Index(fields=['status', '-placed_at', '-number'], name='order_status_list'),
        ),
        AddIndexConcurrently(
            model_name='order',
            index=models.Index(condition=models.Q(('door', 'api')), fields=['-placed_at', '-number'], name='order_by_api'),
        ),
        AddIndexConcurrently(
            model_name='order',
            index=models.Index(django.contrib.postgres.indexes.OpClass(django.db.models.functions.text.Reverse('phone'), name='text_pattern_ops'), condition=models.Q(('phone', ''), _negated=True), name='order_phone'),
        ),
        AddIndexConcurrently(
            model_name='order',
            index=django.contrib.postgres.indexes.GinIndex(project.database.words.NameWords('name'), fastupdate=False, name='order_name_words'),
        ),
        AddIndexConcurrently(
            model_name='orderevent',
            index=models.Index(condition=models.Q(('kind', 'part_paid')), fields=['order'], name='event_part_paid'),
        ),
        AddIndexConcurrently(
            model_name='stockmovement',
            index=models.Index(fields=['-created_at', '-id'], name='movement_newest'),
        ),
        AddIndexConcurrently(
            model_name='stockmovement',
            index=models.Index(fields=['product', '-created_at', '-id'], name='movement_of_product'),
        ),
        AddIndexConcurrently(
            model_name='stockmovement',
            index=models.Index(condition=models.Q(('kind', 'order'), _negated=True), fields=['kind', '-created_at', '-id'], name='movement_kind_list'),
        ),
        AddIndexConcurrently(
            model_name='user',
            index=models.Index(condition=models.Q(('is_staff', True)), fields=['username'], name='user_staff'),
        ),
        AddIndexConcurrently(
            model_name='user',
            index=models.Index(condition=models.Q(('is_superuser', True)), fields=['username'], name='user_superuser'),
        ),
        AddIndexConcurrently(
            model_name='user',
            index=models.Index(condition=models.Q(('is_active', False)), fields=['username'], name='user_inactive'),
        ),
        AddIndexConcurrently(
            model_name='user',
            index=models.Index(django.contrib.postgres.indexes.OpClass(django.db.models.functions.text.Lower('email'), name='text_pattern_ops'), condition=models.Q(('email', ''), _negated=True), name='user_email'),
        ),
        AddIndexConcurrently(
            model_name='user',
            index=models.Index(django.contrib.postgres.indexes.OpClass(django.db.models.functions.text.Reverse('phone'), name='text_pattern_ops'), condition=models.Q(('phone', ''), _negated=True), name='user_phone'),
        ),
        AddIndexConcurrently(
            model_name='user',
            index=django.contrib.postgres.indexes.GinIndex(project.database.words.NameWords('name'), name='user_name_words'),
        ),
        RemoveIndexConcurrently(
            model_name='order',
            name='order_by_email',
        ),
        # AlterField would drop the foreign key, too, and check all rows when it makes it again.
        migrations.SeparateDatabaseAndState(
            state_operations=[
            migrations.AlterField(
                    model_name='stockmovement',
                    name='product',
                    field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='movements', to='orders.product', verbose_name='product'),
                ),
            ],
            database_operations=[
                migrations.RunSQL(
                    'DROP INDEX CONCURRENTLY IF EXISTS orders_stockmovement_product_id_b6c96ab4',
                    'CREATE INDEX CONCURRENTLY IF NOT EXISTS orders_stockmovement_product_id_b6c96ab4'
                    ' ON orders_stockmovement (product_id)',
                ),
            ],
        ),
        # The list of e-mail addresses is allauth's. Most are confirmed, and their user's first.
        migrations.RunSQL(
            'CREATE INDEX CONCURRENTLY IF NOT EXISTS account_email_unverified'
            ' ON account_emailaddress (id) WHERE NOT verified',
            'DROP INDEX CONCURRENTLY IF EXISTS account_email_unverified',
        ),
        migrations.RunSQL(
            'CREATE INDEX CONCURRENTLY IF NOT EXISTS account_email_secondary'
            ' ON account_emailaddress (id) WHERE NOT "primary"',
            'DROP INDEX CONCURRENTLY IF EXISTS account_email_secondary',
        ),
    ]
