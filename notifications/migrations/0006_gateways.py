from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('notifications', '0005_message_log'),
    ]

    operations = [
        migrations.AddField(
            model_name='notification',
            name='gateway',
            field=models.CharField(blank=True, db_default='', default='', editable=False, max_length=100, verbose_name='gateway'),
        ),
        migrations.AlterModelOptions(
            name='channelstate',
            options={'ordering': ['gateway'], 'verbose_name': 'channel', 'verbose_name_plural': 'channels'},
        ),
        migrations.RenameField(
            model_name='channelstate',
            old_name='channel',
            new_name='gateway',
        ),
        migrations.AlterField(
            model_name='channelstate',
            name='gateway',
            field=models.CharField(max_length=100, primary_key=True, serialize=False, verbose_name='channel'),
        ),
    ]
