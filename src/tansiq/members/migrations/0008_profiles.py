import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('members', '0007_duty_shifts'),
    ]

    operations = [
        migrations.CreateModel(
            name='ProfileSection',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.CharField(max_length=8)),
                ('ar', models.TextField(blank=True)),
                ('en', models.TextField(blank=True)),
                ('fr', models.TextField(blank=True)),
                ('changed_at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='PublishedProfile',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField()),
                ('published_at', models.DateTimeField()),
                ('published_by', models.CharField(max_length=64)),
                ('content', models.JSONField()),
            ],
            options={
                'ordering': ['team', '-number'],
            },
        ),
        migrations.AddField(
            model_name='profilesection',
            name='team',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='profile_sections', to='members.team'),
        ),
        migrations.AddField(
            model_name='publishedprofile',
            name='team',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='published_profiles', to='members.team'),
        ),
        migrations.AddConstraint(
            model_name='profilesection',
            constraint=models.UniqueConstraint(fields=('team', 'number'), name='profile_section_once'),
        ),
        migrations.AddConstraint(
            model_name='publishedprofile',
            constraint=models.UniqueConstraint(fields=('team', 'number'), name='published_profile_once'),
        ),
    ]
