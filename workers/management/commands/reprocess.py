"""manage.py reprocess --step render --missing: runs a step again, and those after it."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db.models import Exists, OuterRef, QuerySet

from catalog.models import Part, PipelineStep
from catalog.services import parts_reprocess
from workers.pipeline import STEPS

BATCH = 500


class Command(BaseCommand):
    help = "Queue parts for a step again; the steps after it follow."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--step", choices=PipelineStep.Step.values, required=True)
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument(
            "--missing", action="store_true",
            help="parts where the step was never done, or not by today's recipe",
        )  # fmt: skip
        which.add_argument("--failed", action="store_true", help="parts where the step failed")
        which.add_argument("--all", action="store_true", help="every part")

    def handle(self, *args: Any, **options: Any) -> None:
        step = PipelineStep.Step(options["step"])
        parts = self.parts(step, missing=options["missing"], failed=options["failed"])
        ids = list(parts.order_by("pk").values_list("pk", flat=True))
        for start in range(0, len(ids), BATCH):
            parts_reprocess(ids[start : start + BATCH], step=step)
        self.stdout.write(f"{len(ids)} parts queued from {step}.")

    def parts(self, step: PipelineStep.Step, *, missing: bool, failed: bool) -> QuerySet[Part]:
        rows = PipelineStep.objects.filter(part=OuterRef("pk"), step=step)
        parts = Part.objects.present()
        if missing:
            done = rows.filter(state="done", recipe=STEPS[step].recipe())
            return parts.exclude(status=Part.Status.FAILED).filter(~Exists(done))
        if failed:
            return parts.filter(Exists(rows.filter(state="failed")))
        return parts
