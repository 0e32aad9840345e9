import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('members', '0004_country_statements'),
    ]

    operations = [
        migrations.CreateModel(
            name='ContactReminder',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('reminded_at', models.DateTimeField()),
                ('number', models.PositiveIntegerField(default=1)),
            ],
        ),
        migrations.AddField(
            model_name='contact',
            name='confirmed_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='contact',
            name='confirmed_by',
            field=models.CharField(blank=True, max_length=64),
        ),
        migrations.AddField(
            model_name='contact',
            name='person',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='contacts', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='contact',
            name='post',
            field=models.CharField(blank=True, max_length=8),
        ),
        migrations.AddField(
            model_name='contact',
            name='public',
            field=models.BooleanField(default=False),
        ),
        migrations.AddConstraint(
            model_name='contact',
            constraint=models.CheckConstraint(condition=models.Q(('post__in', ('', 'primary', 'backup', 'duty', 'general'))), name='contact_post_known'),
        ),
        migrations.AddField(
            model_name='contactreminder',
            name='team',
            field=models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='contact_reminder', to='members.team'),
        ),
    ]
