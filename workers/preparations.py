"""Prepares parts for inspections and verified searches, after they can be found.

Each ready part has a row that waits; a little is done every minute, and nothing while an upload
waits to be worked on. Parts from before there were preparations, or from before a newer version
of them, are given their rows here.
"""

import logging
from datetime import timedelta

from django.conf import settings
from django.core.cache import cache
from django.db.models import Q, QuerySet
from django.utils import timezone

from catalog.errors import ServiceError
from catalog.models import Part
from search.inspection import preparing
from search.inspection.preparation import Preparation
from workers.backlog import backlog_work

log = logging.getLogger(__name__)

State = Preparation.State

LEASE = timedelta(seconds=settings.CELERY_TASK_TIME_LIMIT + 60)
SECONDS = 40  # of each minute
LEAST = 3.0  # of them even while uploads wait: under uploads without end it must get done, too
TRIES = 4  # of a part whose cause of failure may pass, or whose worker died
BACK_OFF = timedelta(minutes=2)  # doubled at each try
ROWS = 2000  # made in one go
ROWS_MOST = 50_000  # in one minute
ASK_AGAIN = 3600  # seconds for which "every part has its row" is believed


def part_arrived(part_id: int) -> None:
    """The part is ready: its preparation waits from now on, unless it is made already."""
    if settings.SEARCH.inspection.prepare_ahead:
        _rows_make([part_id])


def is_due() -> bool:
    """Whether parts wait. Gives their rows to parts that lack them, so many a minute."""
    if not settings.SEARCH.inspection.prepare_ahead:
        return False
    rows_complete()
    return _due().exists()


def refresh(*, seconds: float = SECONDS) -> int:
    """Prepare parts that wait for it, for so long at most. Returns how many.

    Stops early when an upload waits: who uploads is to find the part as soon as ever.
    """
    if not settings.SEARCH.inspection.prepare_ahead:
        return 0
    return backlog_work(_due, _one, seconds=seconds, least=LEAST, gives_way=_uploads_wait)


def rows_complete() -> int:
    """Give a row to each ready part that has none of this version. Returns how many.

    Reads every part, so the answer "none" is believed for a while.
    """
    settled = f"preparations:{preparing.version()}"
    if cache.get(settled):
        return 0
    lacking = (
        Part.objects.present()
        .filter(status=Part.Status.READY)
        .exclude(preparation__version=preparing.version())
        .order_by("pk")
    )
    made = 0
    while made < ROWS_MOST and (some := list(lacking.values_list("pk", flat=True)[:ROWS])):
        _rows_make(some)
        made += len(some)
    if made < ROWS_MOST:
        cache.set(settled, True, ASK_AGAIN)
    return made


def _rows_make(part_ids: list[int]) -> None:
    version = preparing.version()
    Preparation.objects.bulk_create(
        [Preparation(part_id=pk, version=version) for pk in part_ids], ignore_conflicts=True
    )
    # A row of another version is of another file; one of this version stays what it is.
    Preparation.objects.filter(part__in=part_ids).exclude(version=version).update(
        version=version, state=State.WAITING, attempts=0, due_at=None, error_code="",
        error_params={},
    )  # fmt: skip


def _due() -> QuerySet[Preparation]:
    """Waiting, or begun by a worker that died since."""
    now = timezone.now()
    waiting = Q(state=State.WAITING) & (Q(due_at=None) | Q(due_at__lte=now))
    dead = Q(state=State.RUNNING, started_at__lt=now - LEASE)
    return Preparation.objects.filter(
        waiting | dead, part__status=Part.Status.READY, part__deleted_at__isnull=True
    )


def _uploads_wait() -> bool:
    return Part.objects.present().filter(status=Part.Status.QUEUED).exists()


def _one(row: Preparation) -> int:
    """Prepare a part, unless another worker has just begun it."""
    start = timezone.now()
    begun = _due().filter(pk=row.pk)
    if not begun.update(state=State.RUNNING, started_at=start, attempts=row.attempts + 1):
        return 0
    row.attempts += 1
    if row.attempts > TRIES:  # each of them ended with its worker
        _fail(row, "worker_died", {"attempts": TRIES})
        return 0
    try:
        preparing.kernels_compile()
        if not preparing.is_prepared(row.part):
            preparing.preparation_make(row.part)
    except ServiceError as error:
        passes = error.status == 503 and row.attempts < TRIES
        _wait(row) if passes else _fail(row, error.code, error.params)
        return 0
    except (OSError, MemoryError) as error:
        log.warning("part %s is not prepared: %s", row.part_id, error)
        _wait(row) if row.attempts < TRIES else _fail(row, "gave_up", {"attempts": row.attempts})
        return 0
    except Exception:
        # A fault of ours: told at the part; the others go on.
        log.exception("part %s is not prepared", row.part_id)
        _fail(row, "internal", {})
        return 0
    ms = round((timezone.now() - start).total_seconds() * 1000)
    _mine(row).update(state=State.DONE, ms=ms, due_at=None, error_code="", error_params={})
    return 1


def _wait(row: Preparation) -> None:
    due_at = timezone.now() + BACK_OFF * 2 ** (row.attempts - 1)
    _mine(row).update(state=State.WAITING, due_at=due_at)


def _fail(row: Preparation, code: str, params: dict[str, object]) -> None:
    _mine(row).update(state=State.FAILED, error_code=code, error_params=params)


def _mine(row: Preparation) -> QuerySet[Preparation]:
    """The row, while it is what it was begun as: set back meanwhile, it stays so."""
    return Preparation.objects.filter(pk=row.pk, state=State.RUNNING, version=row.version)
