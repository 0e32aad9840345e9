import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('members', '0006_ways_in'),
    ]

    operations = [
        migrations.CreateModel(
            name='DutyShift',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('since', models.DateTimeField()),
                ('until', models.DateTimeField()),
            ],
            options={
                'ordering': ['since'],
            },
        ),
        migrations.AddField(
            model_name='dutyshift',
            name='person',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='duty_shifts', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='dutyshift',
            name='team',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='duty_shifts', to='members.team'),
        ),
        migrations.AddConstraint(
            model_name='dutyshift',
            constraint=models.CheckConstraint(condition=models.Q(('since__lt', models.F('until'))), name='duty_shift_in_order'),
        ),
    ]
