from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('members', '0003_membership_periods'),
    ]

    operations = [
        migrations.CreateModel(
            name='CountryStatement',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('country', models.CharField(max_length=2)),
                ('category', models.CharField(blank=True, max_length=16)),
                ('source', models.CharField(max_length=300)),
                ('note', models.TextField(blank=True)),
            ],
            options={
                'ordering': ['country', 'source'],
            },
        ),
        migrations.AddConstraint(
            model_name='countrystatement',
            constraint=models.UniqueConstraint(fields=('country', 'category', 'source'), name='country_statement_once'),
        ),
        migrations.AddConstraint(
            model_name='countrystatement',
            constraint=models.CheckConstraint(condition=models.Q(('category__in', ('', 'full', 'general', 'affiliate', 'commercial', 'professional', 'fellow', 'honorary'))), name='country_statement_category_known'),
        ),
    ]
