"""The step that looks for duplicates: it waits for every part that was ready before there was one."""

from django.db import migrations, models

BATCH = 2000


def steps_wait(apps, schema_editor):
    Part = apps.get_model("catalog", "Part")
    PipelineStep = apps.get_model("catalog", "PipelineStep")
    last = 0
    ready = Part.objects.filter(status="ready").order_by("pk")
    while some := list(ready.filter(pk__gt=last).values_list("pk", flat=True)[:BATCH]):
        PipelineStep.objects.bulk_create(
            [PipelineStep(part_id=pk, step="compare", state="waiting") for pk in some],
            ignore_conflicts=True,
        )
        last = some[-1]


class Migration(migrations.Migration):

    dependencies = [
        ("catalog", "0002_category_updated_at"),
    ]

    operations = [
        migrations.AlterField(
            model_name="pipelinestep",
            name="step",
            field=models.CharField(
                choices=[
                    ("inspect", "measure"), ("render", "draw"), ("embed", "embed"),
                    ("classify", "classify"), ("compare", "compare"),
                ],
                max_length=12,
                verbose_name="step",
            ),
        ),
        migrations.RunPython(steps_wait, migrations.RunPython.noop),
    ]
