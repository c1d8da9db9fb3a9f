"""Compares parts again whose vectors changed, or that came before there was a comparison.

Their compare step waits; a little is done every minute, so that uploads never queue behind it.
"""

import hashlib
from datetime import timedelta

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone

from catalog.models import Part, PipelineStep
from search.duplicates import services as duplicates
from workers.backlog import backlog_work
from workers.steps import embed

Step, State = PipelineStep.Step, PipelineStep.State

VERSION = 2  # raised when the same vectors and invariants are to give other pairs
LEASE = timedelta(seconds=settings.CELERY_TASK_TIME_LIMIT + 60)
SECONDS = 15  # of each minute
BATCH = 50  # parts that `find` compares at once


def recipe() -> str:
    """The vectors that parts are compared by."""
    return f"pairs-{VERSION}-{hashlib.sha256(embed.recipe().encode()).hexdigest()[:16]}"


def is_due() -> bool:
    return _due().exists()


def refresh(*, seconds: float = SECONDS) -> int:
    """Compare parts that wait for it, for so long at most. Returns how many."""
    return backlog_work(_due, _one, seconds=seconds)


def find(part_ids: list[int]) -> int:
    """Compare these parts now, whatever was done before. Returns how many pairs were found."""
    found = duplicates.duplicates_refresh(part_ids)
    rows = [
        PipelineStep(part_id=pk, step=Step.COMPARE, state=State.DONE, recipe=recipe(), attempts=1)
        for pk in part_ids
    ]
    PipelineStep.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["part", "step"],
        update_fields=["state", "recipe"],
    )
    return found


def _due() -> QuerySet[PipelineStep]:
    """Set back, or begun by a worker that died since."""
    dead = Q(state=State.RUNNING, started_at__lt=timezone.now() - LEASE)
    return PipelineStep.objects.filter(
        Q(state=State.WAITING) | dead, step=Step.COMPARE, part__status=Part.Status.READY,
        part__deleted_at__isnull=True,
    )  # fmt: skip


def _one(row: PipelineStep) -> bool:
    """Compare a part, unless another worker has just begun it."""
    start = timezone.now()
    if not _due().filter(pk=row.pk).update(state=State.RUNNING, started_at=start):
        return False
    duplicates.duplicates_refresh([row.part_id])
    ms = round((timezone.now() - start).total_seconds() * 1000)
    # Set back again meanwhile, it stays so.
    mine = PipelineStep.objects.filter(pk=row.pk, state=State.RUNNING, started_at=start)
    mine.update(state=State.DONE, ms=ms, recipe=recipe())
    return True
