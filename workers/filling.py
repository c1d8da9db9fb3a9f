"""Makes an engine's vectors for the parts that lack them, a little at a time, uploads first.

The parts stay ready and are found as they were meanwhile. Each run takes slices of parts from the
newest down until its time is over, and sends the next run on its way; a worker that dies leaves at
most a slice undone, which the look at what is left finds.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import OperationalError
from django.db.models import F
from django.utils import timezone

from catalog.errors import ServiceError
from catalog.models import Part, PipelineStep
from catalog.queue import enqueue
from search import engines
from search.engine.errors import EncoderError, EngineError
from search.lifecycle import installs, switching
from search.lifecycle.selection import selection_pinned
from search.models import EngineInstall
from workers.steps import embed
from workers.work import Work

log = logging.getLogger(__name__)

State = EngineInstall.State
Step = PipelineStep.Step

SECONDS = 20  # of one run
AT_LEAST = 4  # seconds of a run that uploads may not shorten, so that it ends some day
REST = 4  # seconds until the next run while uploads wait
LATER = 60  # seconds until the next try of what failed by a cause that may pass
LEFT_MOST = 50  # parts of the second look in one go
TROUBLES = 10  # parts in succession that fail by causes that may pass: the machine is at fault


def fill_run(install_id: int, ticket: int) -> None:
    """One run, and the message for the next. A message sent before the newest does nothing."""
    row = EngineInstall.objects.filter(pk=install_id, ticket=ticket).first()
    if row is None or row.state != State.FILLING:
        return
    progress = Progress(row, seconds=SECONDS, yielding=True)
    fill(row, progress)
    row.refresh_from_db()
    if row.state == State.FILLING and row.ticket == ticket:
        wait = LATER if progress.stuck else REST if uploads_wait() else None
        enqueue("workers.engine_fill", install_id, ticket, countdown=wait)


def removal_run(install_id: int) -> None:
    """Delete a little of what an engine that is being removed has, and send the next run."""
    row = EngineInstall.objects.filter(pk=install_id, state=State.REMOVING).first()
    if row is not None and not switching.removal_work(row, seconds=SECONDS):
        enqueue("workers.engine_remove", install_id)


def uploads_wait() -> bool:
    return Part.objects.present().filter(status=Part.Status.QUEUED).exists()


class Progress:
    """The time of one run, and what it has done, written down for those who watch."""

    def __init__(self, row: EngineInstall, *, seconds: float, yielding: bool = False) -> None:
        self.row = row
        self.embedded = 0
        self.stuck = False  # something failed by a cause that may pass, and is to be tried again
        self.troubles = 0  # so many in succession
        self._yielding = yielding
        self._start = time.monotonic()
        self._until = self._start + seconds

    @property
    def is_over(self) -> bool:
        now = time.monotonic()
        if now > self._until or self.troubles >= TROUBLES:
            return True
        return self._yielding and now > self._start + AT_LEAST and uploads_wait()

    def add(self, *, embedded: int = 0, held: int = 0) -> None:
        self.embedded += embedded
        if embedded:
            self.troubles = 0
        fields = {"done": F("done") + embedded + held, "active_at": timezone.now()}
        spent = time.monotonic() - self._start
        if embedded and self.embedded > 1:
            # Half of what was known, so that one large mesh does not make a month of it.
            now = self.embedded / spent
            before = self.row.rate
            fields["rate"] = self.row.rate = now if before is None else (before + now) / 2
        EngineInstall.objects.filter(pk=self.row.pk).update(**fields)


def fill(row: EngineInstall, progress: Progress) -> None:
    """Embed what lacks, until the time is over or all is done; then the engine is finished."""
    if not installs.is_current(row):
        _engine_fail(row)
        return
    while not progress.is_over:
        ids = installs.slice_take(row)
        if ids is None:
            break
        _slice_fill(row, ids, progress)
    else:
        return
    # What failed by a cause that may pass is left to another run.
    if row.state == State.FILLING and not progress.stuck:
        _rest_fill(row, progress)


def _engine_fail(row: EngineInstall) -> None:
    """Say why the engine makes no such vectors: its weights are missing, or others by now."""
    try:
        keys = installs.keys_now(row.engine)
    except ServiceError as error:
        installs.install_fail(row, error.code, error.params)
    else:
        if set(keys) != set(row.spaces):
            installs.install_fail(row, "engine_changed", {"engine": row.engine})


def _slice_fill(row: EngineInstall, ids: list[int], progress: Progress) -> None:
    lacking = set(installs.parts_left(row).filter(pk__in=ids).values_list("pk", flat=True))
    progress.add(held=len(ids) - len(lacking))
    for part in sorted(lacking, reverse=True):
        # A slice is worked off whole, unless somebody says stop.
        if not _is_filling(row):
            return
        _one(row, part, progress)


def _rest_fill(row: EngineInstall, progress: Progress) -> None:
    """The second look: what a dead worker left, or came while nobody kept this engine's vectors."""
    last = None
    while not progress.is_over:
        left = installs.parts_left(row).order_by("-pk")
        ids = list(
            (left if last is None else left.filter(pk__lt=last)).values_list("pk", flat=True)[
                :LEFT_MOST
            ]
        )
        if not ids:
            if not progress.stuck:
                installs.install_finish(row)
            return
        for part in ids:
            if progress.is_over or not _is_filling(row):
                return
            _one(row, part, progress)
        last = ids[-1]


def _is_filling(row: EngineInstall) -> bool:
    return EngineInstall.objects.filter(pk=row.pk, state=State.FILLING).exists()


def _one(row: EngineInstall, part_id: int, progress: Progress) -> None:
    """Embed a part, and write down what came of it."""
    part = installs.parts_ready().filter(pk=part_id).first()
    if part is None:
        return
    start = timezone.now()
    try:
        with selection_pinned(), _told(row, part), Work(part) as work:
            embed.run(work, [row.engine])
    except (OSError, MemoryError) as error:
        log.warning("part %s was not embedded for %s: %s", part_id, row.engine, error)
        progress.troubles += 1
        progress.stuck |= installs.trouble_keep(row, part_id, str(error)[:200])
        return
    except OperationalError as error:
        # Nothing can be written down of it.
        log.warning("part %s was not embedded for %s: %s", part_id, row.engine, error)
        progress.troubles += 1
        progress.stuck = True
        return
    except (EncoderError, ServiceError) as error:
        installs.install_fail(row, error.code, error.params)
        return
    except EngineError as error:
        log.warning("part %s cannot be embedded for %s: %s", part_id, row.engine, error)
        installs.fault_keep(row, part_id, error.code, error.params)
        return
    except Exception:
        # A fault of ours: this part is left out and says so, the others go on.
        log.exception("part %s for %s", part_id, row.engine)
        installs.fault_keep(row, part_id, "internal", {})
        return
    progress.add(embedded=1)
    installs.trouble_forget(row, part_id)
    if row.engine in engines.in_use():
        _step_done(part, start)


@contextmanager
def _told(row: EngineInstall, part: Part) -> Iterator[None]:
    """Of an engine in use, the part's own embed step says what went wrong, too."""
    try:
        yield
    except EngineError as error:
        if row.engine in engines.in_use() and not isinstance(error, EncoderError):
            part.steps.filter(step=Step.EMBED, state=PipelineStep.State.DONE).update(
                state=PipelineStep.State.FAILED, error_code=error.code, error_params=error.params
            )
        raise


def _step_done(part: Part, start: datetime) -> None:
    """Queries are answered by what was made: the step was done again, and suggestions follow."""
    ms = round((timezone.now() - start).total_seconds() * 1000)
    over = (PipelineStep.State.DONE, PipelineStep.State.FAILED)
    part.steps.filter(step=Step.EMBED, state__in=over).update(
        state=PipelineStep.State.DONE, recipe=embed.recipe(), ms=ms, error_code="",
        error_params={},
    )  # fmt: skip
    after = (Step.CLASSIFY, Step.COMPARE)
    part.steps.filter(step__in=after, state=PipelineStep.State.DONE).update(
        state=PipelineStep.State.WAITING
    )
