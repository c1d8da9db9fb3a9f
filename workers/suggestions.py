"""Keeps the suggestions of unfiled parts in step with what people decide.

A decision sets the classify step of the parts it may concern back to waiting: one row a part, so
that ten decisions on the same parts are one piece of work, and a lost message loses nothing. The
nearest are done at once, by the decision's own task; the rest a little every minute, so that
uploads never queue behind a hundred thousand suggestions.
"""

import hashlib
from datetime import timedelta

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone

from catalog import services
from catalog.models import Part, PipelineStep
from search import classify, engines
from search.lifecycle.selection import selection_pinned
from workers.backlog import backlog_work
from workers.steps import embed

State = PipelineStep.State

VERSION = 2  # raised when the same vectors and numbers are to give other suggestions
LEASE = timedelta(seconds=settings.CELERY_TASK_TIME_LIMIT + 60)
AT_ONCE = 20  # parts, by a decision's own task
SECONDS = 15  # of each minute
MARKED = 5000  # rows set back in one transaction


def recipe() -> str:
    """The vectors and the numbers that suggestions are made with.

    The categories and what people filed are not in it: they change all day, and are followed
    here without running a step of the pipeline again.
    """
    keys = " ".join(space.key for space in engines.spaces())
    engine = classify.words_engine()
    made = f"{keys} {embed.recipe()} {classify.tuning(engine) if engine else ''}"
    return f"suggest-{VERSION}-{hashlib.sha256(made.encode()).hexdigest()[:16]}"


def suggest(part: Part) -> None:
    """Classify the part and keep what is likely."""
    found = classify.part_classify(part).suggestions
    services.suggestions_replace(part=part, found=[(c.pk, confidence) for c, confidence in found])


def around_mark(part_id: int) -> list[int]:
    """Set back the parts for which this one's category counts; itself and the nearest first."""
    near = classify.parts_around(part_id)
    _settled().filter(part__in=near).update(state=State.WAITING)
    return near


def around(part_id: int) -> int:
    """Somebody said what this part is, or is not. Returns how many parts were classified again."""
    near = around_mark(part_id)[:AT_ONCE]
    rows = _due().filter(part__in=near).select_related("part")
    return sum(_one(row) for row in rows)


def renew() -> int:
    """The categories changed: every unfiled part is set back, and the first ones are done."""
    last = 0
    while some := list(
        _settled().filter(part__gt=last).order_by("part").values_list("part", flat=True)[:MARKED]
    ):
        _settled().filter(part__gt=last, part__lte=some[-1]).update(state=State.WAITING)
        last = some[-1]
    return refresh()


def refresh(*, seconds: float = SECONDS) -> int:
    """Classify parts that were set back, for so long at most. Returns how many."""
    return backlog_work(_due, _one, seconds=seconds)


def is_due() -> bool:
    return _due().exists()


def _steps() -> QuerySet[PipelineStep]:
    """The classify steps of the parts that nobody has filed."""
    return PipelineStep.objects.filter(
        step=PipelineStep.Step.CLASSIFY, part__category__isnull=True, part__deleted_at__isnull=True,
        part__status=Part.Status.READY,
    )  # fmt: skip


def _settled() -> QuerySet[PipelineStep]:
    return _steps().filter(state__in=(State.DONE, State.RUNNING))


def _due() -> QuerySet[PipelineStep]:
    """Set back, or begun by a worker that died since."""
    dead = Q(state=State.RUNNING, started_at__lt=timezone.now() - LEASE)
    return _steps().filter(Q(state=State.WAITING) | dead)


@selection_pinned()
def _one(row: PipelineStep) -> bool:
    """Classify a part, unless another worker has just begun it."""
    start = timezone.now()
    if not _due().filter(pk=row.pk).update(state=State.RUNNING, started_at=start):
        return False
    suggest(row.part)
    ms = round((timezone.now() - start).total_seconds() * 1000)
    # Set back again meanwhile, it stays so.
    mine = PipelineStep.objects.filter(pk=row.pk, state=State.RUNNING, started_at=start)
    mine.update(state=State.DONE, ms=ms, recipe=recipe())
    return True
