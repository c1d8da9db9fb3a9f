"""Sows the glossary that ships with the product; the staff's table is what counts afterwards."""

from pathlib import Path

from django.db import migrations

GLOSSARY = Path(__file__).resolve().parent.parent / "data" / "glossary.txt"


def sow(apps, schema_editor):
    from search.expand import groups_read

    synonym = apps.get_model("search", "Synonym")
    synonym.objects.using(schema_editor.connection.alias).bulk_create(
        synonym(terms=", ".join(terms)) for terms in groups_read(GLOSSARY)
    )


class Migration(migrations.Migration):
    dependencies = [("search", "0002_synonym")]

    operations = [migrations.RunPython(sow, migrations.RunPython.noop)]
