import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0005_fields_named'),
        ('search', '0014_inspection_odds_version'),
    ]

    operations = [
        migrations.AlterField(
            model_name='duplicatepair',
            name='part_a',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='duplicates_newer', to='catalog.part', verbose_name='older part'),
        ),
        migrations.AlterField(
            model_name='duplicatepair',
            name='part_b',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='duplicates_older', to='catalog.part', verbose_name='newer part'),
        ),
        migrations.AlterField(
            model_name='snapshot',
            name='space',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='snapshots', to='search.space', verbose_name='space'),
        ),
    ]
