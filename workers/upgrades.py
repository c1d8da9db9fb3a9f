"""Gives ready parts the vectors that today's engines make, where others made those they have.

After an upgrade brings new weights, or a space that older versions did not have, every part needs
new rows. They are made a little every minute while the parts stay ready, and found as they were:
nothing is drawn or sent through the pipeline again, and uploads go first.
"""

import hashlib
import logging
from datetime import timedelta

from django.conf import settings
from django.core.cache import cache
from django.db import OperationalError
from django.db.models import Q, QuerySet
from django.utils import timezone

from catalog.models import Part, PipelineStep
from search.engine.errors import EngineError
from workers.backlog import backlog_work
from workers.steps import embed, render
from workers.work import Work

log = logging.getLogger(__name__)

Step, State = PipelineStep.Step, PipelineStep.State

LEASE = timedelta(seconds=settings.CELERY_TASK_TIME_LIMIT + 60)
SECONDS = 45  # of each minute
ASK_AGAIN = 3600  # seconds for which "nothing is due" is believed: the question reads every part


def is_due() -> bool:
    """Whether any part waits for new vectors. Believed for a while when none does."""
    settled = f"upgraded:{hashlib.sha256(embed.recipe().encode()).hexdigest()}"
    if cache.get(settled):
        return False
    if _due().exists():
        return True
    cache.set(settled, True, ASK_AGAIN)
    return False


def upgrade(*, seconds: float = SECONDS) -> int:
    """Embed parts anew, for so long at most. Returns how many."""
    return backlog_work(_due, _one, seconds=seconds)


def _due() -> QuerySet[PipelineStep]:
    """Embed steps of ready parts that were done by another recipe, or begun by one who died.

    What must also be drawn anew is left to `manage.py reprocess`.
    """
    drawn = PipelineStep.objects.filter(
        step=Step.RENDER, state=State.DONE, recipe=render.recipe()
    ).values("part")
    dead = Q(state=State.RUNNING, started_at__lt=timezone.now() - LEASE)
    return PipelineStep.objects.filter(
        Q(state=State.DONE) | dead, step=Step.EMBED, part__status=Part.Status.READY,
        part__deleted_at__isnull=True, part__in=drawn,
    ).exclude(recipe=embed.recipe())  # fmt: skip


def _one(row: PipelineStep) -> bool:
    """Embed a part, unless another worker has just begun it."""
    start, recipe = timezone.now(), embed.recipe()
    if not _due().filter(pk=row.pk).update(state=State.RUNNING, started_at=start):
        return False
    mine = PipelineStep.objects.filter(pk=row.pk, state=State.RUNNING, started_at=start)
    try:
        with Work(row.part) as work:
            embed.run(work)
    except (OSError, MemoryError, OperationalError) as error:
        # What may pass is tried again in the next minute.
        log.warning("part %s was not embedded anew: %s", row.part_id, error)
        mine.update(state=State.DONE)
        return False
    except EngineError as error:
        log.warning("part %s cannot be embedded anew: %s", row.part_id, error)
        mine.update(state=State.FAILED, error_code=error.code, error_params=error.params)
        return False
    ms = round((timezone.now() - start).total_seconds() * 1000)
    if not mine.update(state=State.DONE, recipe=recipe, ms=ms):
        return False
    # What was suggested by the old vectors is suggested again.
    later = PipelineStep.objects.filter(part=row.part_id, step=Step.CLASSIFY, state=State.DONE)
    later.update(state=State.WAITING)
    return True
