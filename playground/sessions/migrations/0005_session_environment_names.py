from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('playground_sessions', '0004_session_network'),
    ]

    operations = [
        migrations.AddField(
            model_name='session',
            name='environment_names',
            field=models.JSONField(default=list),
        ),
    ]
