"""manage.py duplicates_find: compares the whole catalogue, for pairs that are one part twice."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from catalog.models import Part, PipelineStep
from workers import comparisons


class Command(BaseCommand):
    help = "Compare every part with those near it; what people have decided stays decided."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--missing", action="store_true", help="only parts not compared by today's recipe"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        parts = Part.objects.present().filter(status=Part.Status.READY)
        if options["missing"]:
            done = PipelineStep.objects.filter(
                step=PipelineStep.Step.COMPARE, state="done", recipe=comparisons.recipe()
            )
            parts = parts.exclude(pk__in=done.values("part"))
        compared = found = last = 0
        while some := list(
            parts.filter(pk__gt=last)
            .order_by("pk")
            .values_list("pk", flat=True)[: comparisons.BATCH]
        ):
            found += comparisons.find(some)
            compared += len(some)
            last = some[-1]
        self.stdout.write(f"{compared} parts compared, {found} pairs found.")
