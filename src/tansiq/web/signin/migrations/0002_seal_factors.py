from django.conf import settings
from django.db import migrations

from tansiq.web.signin import sealing

FIELDS = {"totp": "secret", "recovery_codes": "seed"}


def seal(apps, schema_editor):
    """What lies open is sealed with the node's secret, which is drawn before the tables are made."""
    _each(apps, lambda text: text if sealing.sealed(text) else sealing.seal(text, secret=settings.SECRET_KEY))


def open_again(apps, schema_editor):
    known = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    _each(apps, lambda text: sealing.unseal(text, secrets_known=known))


def _each(apps, change):
    for row in apps.get_model("mfa", "Authenticator").objects.filter(type__in=FIELDS):
        field = FIELDS[row.type]
        if isinstance(row.data.get(field), str):
            row.data[field] = change(row.data[field])
            row.save(update_fields=["data"])


class Migration(migrations.Migration):
    dependencies = [("signin", "0001_limits"), ("mfa", "0003_authenticator_type_uniq")]

    operations = [migrations.RunPython(seal, open_again)]
