"""The head before the first row, and triggers that refuse every rewriting, whoever asks.

On SQLite a later migration that alters one of these tables makes a new one and loses its triggers: such a migration
runs ``guard`` again.
"""

from django.db import migrations

REFUSED = "the audit record is append-only"

# What an update of a table may do; an entry may never change.
MAY = {
    "audit_entry": "FALSE",
    "audit_head": "NEW.id = OLD.id AND NEW.number = OLD.number + 1",
    "audit_reason": "NEW.entry_id = OLD.entry_id AND OLD.erased_by_id IS NULL AND NEW.erased_by_id IS NOT NULL",
}


def sqlite(table):
    allowed = MAY[table].replace("FALSE", "0")
    yield f"""CREATE TRIGGER {table}_kept BEFORE DELETE ON {table}
              BEGIN SELECT RAISE(ABORT, '{REFUSED}'); END"""
    yield f"""CREATE TRIGGER {table}_unchanged BEFORE UPDATE ON {table} WHEN NOT ({allowed})
              BEGIN SELECT RAISE(ABORT, '{REFUSED}'); END"""


def postgresql(table):
    yield f"""CREATE TRIGGER {table}_kept BEFORE DELETE OR TRUNCATE ON {table}
              FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()"""
    yield f"""CREATE TRIGGER {table}_unchanged BEFORE UPDATE ON {table}
              FOR EACH ROW WHEN (NOT ({MAY[table]})) EXECUTE FUNCTION audit_refuse()"""


def guard(apps, editor):
    if editor.connection.vendor == "postgresql":
        editor.execute(
            f"""CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN RAISE EXCEPTION '{REFUSED}' USING ERRCODE = 'integrity_constraint_violation'; END $$"""
        )
    statements = postgresql if editor.connection.vendor == "postgresql" else sqlite
    for table in MAY:
        for statement in statements(table):
            editor.execute(statement)


def unguard(apps, editor):
    for table in MAY:
        for name in ("kept", "unchanged"):
            on = f" ON {table}" if editor.connection.vendor == "postgresql" else ""
            editor.execute(f"DROP TRIGGER IF EXISTS {table}_{name}{on}")


def before_the_first_row(apps, editor):
    apps.get_model("audit", "Head").objects.create(pk=1, number=0, hash="0" * 64)


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_chain")]
    operations = [
        migrations.RunPython(before_the_first_row, migrations.RunPython.noop),
        migrations.RunPython(guard, unguard),
    ]
