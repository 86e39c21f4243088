"""Why an operator paused a channel."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('notifications', '0024_covering_job_indexes'),
    ]

    operations = [
        migrations.AddField(
            model_name='channelstate',
            name='pause_reason',
            field=models.CharField(blank=True, db_default='', default='', max_length=200, verbose_name='reason of the pause'),
        ),
    ]
