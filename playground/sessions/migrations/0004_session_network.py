from django.db import migrations, models
from django.db.models import OuterRef, Subquery


def as_their_profiles(apps, schema_editor):
    """Until now every session had the network of its profile."""
    Session = apps.get_model("playground_sessions", "Session")
    profile = apps.get_model("playground_sessions", "Profile").objects.filter(pk=OuterRef("profile_id"))
    Session.objects.update(egress=Subquery(profile.values("egress")), allowed=Subquery(profile.values("allowed")))


class Migration(migrations.Migration):

    dependencies = [
        ('playground_sessions', '0003_stopped_recordings'),
    ]

    operations = [
        migrations.AddField(
            model_name='session',
            name='allowed',
            field=models.TextField(blank=True),
        ),
        migrations.AddField(
            model_name='session',
            name='egress',
            field=models.CharField(choices=[('none', 'none'), ('internet', 'internet'), ('allowlist', 'allowlist')], default='none', max_length=16),
        ),
        migrations.RunPython(as_their_profiles, migrations.RunPython.noop, elidable=True),
    ]
