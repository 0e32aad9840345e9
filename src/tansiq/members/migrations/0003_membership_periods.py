import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('members', '0002_people'),
    ]

    operations = [
        migrations.CreateModel(
            name='MembershipPeriod',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('category', models.CharField(max_length=16)),
                ('since', models.DateField(null=True)),
                ('since_precision', models.CharField(default='day', max_length=8)),
                ('until', models.DateField(null=True)),
                ('decision', models.CharField(blank=True, max_length=300)),
                ('source', models.CharField(blank=True, max_length=300)),
                ('community_agreement', models.CharField(blank=True, max_length=300)),
                ('shipped', models.BooleanField(default=False)),
                ('recorded_by', models.CharField(max_length=64)),
                ('recorded_at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='Standing',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(max_length=16)),
                ('since', models.DateField()),
                ('decision', models.CharField(blank=True, max_length=300)),
                ('recorded_by', models.CharField(max_length=64)),
                ('recorded_at', models.DateTimeField()),
            ],
            options={
                'ordering': ['period', 'since', 'pk'],
            },
        ),
        migrations.AddField(
            model_name='membershipperiod',
            name='rests_on',
            field=models.ManyToManyField(related_name='periods', to='members.membership'),
        ),
        migrations.AddField(
            model_name='membershipperiod',
            name='team',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='periods', to='members.team'),
        ),
        migrations.AddField(
            model_name='standing',
            name='period',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='standings', to='members.membershipperiod'),
        ),
        migrations.AddConstraint(
            model_name='membershipperiod',
            constraint=models.CheckConstraint(condition=models.Q(('category__in', ('full', 'general', 'affiliate', 'commercial', 'professional', 'fellow', 'honorary', 'partner'))), name='period_category_known'),
        ),
        migrations.AddConstraint(
            model_name='membershipperiod',
            constraint=models.CheckConstraint(condition=models.Q(('since_precision__in', ('day', 'month', 'year'))), name='period_precision_known'),
        ),
        migrations.AddConstraint(
            model_name='membershipperiod',
            constraint=models.CheckConstraint(condition=models.Q(('since', None), ('until', None), ('since__lt', models.F('until')), _connector='OR'), name='period_in_order'),
        ),
        migrations.AddConstraint(
            model_name='membershipperiod',
            constraint=models.UniqueConstraint(condition=models.Q(('until', None)), fields=('team', 'category'), name='period_open_once'),
        ),
        migrations.AddConstraint(
            model_name='standing',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ('active', 'suspended', 'revoked', 'withdrawn', 'expired'))), name='standing_known'),
        ),
    ]
