import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('members', '0008_profiles'),
    ]

    operations = [
        migrations.CreateModel(
            name='ClaimEvidence',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('text', models.TextField(blank=True)),
                ('url', models.CharField(blank=True, max_length=500)),
                ('proposed_by', models.CharField(max_length=64)),
                ('judged_by', models.CharField(blank=True, max_length=64)),
                ('judged_at', models.DateTimeField(null=True)),
                ('outcome', models.CharField(blank=True, max_length=16)),
                ('note', models.TextField(blank=True)),
            ],
        ),
        migrations.AddField(
            model_name='claimevidence',
            name='claim',
            field=models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='evidence', to='members.claim'),
        ),
        migrations.AddConstraint(
            model_name='claimevidence',
            constraint=models.CheckConstraint(condition=models.Q(('outcome__in', ('', 'verified', 'refused'))), name='claim_outcome_known'),
        ),
        migrations.AddConstraint(
            model_name='claimevidence',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('judged_at', None), ('judged_by', ''), ('outcome', '')), models.Q(('judged_at__isnull', False), models.Q(('outcome', ''), _negated=True), models.Q(('judged_by', ''), _negated=True)), _connector='OR'), name='claim_judged_wholly'),
        ),
    ]
