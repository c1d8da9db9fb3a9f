"""Takes one part through its steps: inspect, render, embed, classify, compare, ready.

Each step is idempotent and leaves a row behind, so a part that was interrupted goes on where it
stopped. What cannot succeed fails at once with a sentence; what may, is tried again later.
"""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from django.db import OperationalError
from django.utils import timezone

from catalog.errors import ServiceError
from catalog.models import Part, PipelineStep
from catalog.queue import enqueue
from search.engine.errors import EngineError
from search.lifecycle.selection import selection_pinned
from workers import handover, preparations
from workers.claims import LEASE, part_claim, part_release
from workers.steps import classify, compare, embed, inspect, render
from workers.work import Work

log = logging.getLogger(__name__)

Step = PipelineStep.Step
State = PipelineStep.State

TRIES = 5  # of a step whose cause of failure may pass
DEATHS = 3  # of workers, before the part is taken for their cause
BACK_OFF_S = 5  # doubled at each try


@dataclass(frozen=True)
class StepDoor:
    """How a step runs, the recipe it would run by now, and whether a part lacks what it makes."""

    run: Callable[[Work], None]
    recipe: Callable[[], str]
    lacks: Callable[[int], bool] = lambda part_id: False


STEPS = {
    Step.INSPECT: StepDoor(inspect.run, inspect.recipe),
    Step.RENDER: StepDoor(render.run, render.recipe),
    Step.EMBED: StepDoor(embed.run, embed.recipe, embed.lacks),
    Step.CLASSIFY: StepDoor(classify.run, classify.recipe),
    Step.COMPARE: StepDoor(compare.run, compare.recipe),
}


class StepFailed(Exception):
    """A step did not succeed: why, and whether another try may."""

    def __init__(self, code: str, params: dict[str, object], *, again: bool) -> None:
        super().__init__(code)
        self.code = code
        self.params = params
        self.again = again


@selection_pinned()
def part_ingest(part_id: int, *, embeds: bool | None = None) -> None:
    """Run the part's steps that are not done. Does nothing when another worker holds it.

    `embeds`: whether this worker does the embed step and what follows, or hands the part over to
    those that do; by default it does where no queue is named for them.
    """
    if embeds is None:
        embeds = not handover.is_elsewhere()
    part = part_claim(part_id)
    if part is None:
        return
    rows, ran = _step_rows(part), set()
    with Work(part) as work:
        for step, door in STEPS.items():
            row = rows[step]
            recipe = door.recipe()
            if row.state == State.DONE and row.recipe == recipe and not door.lacks(part_id):
                continue
            if step == Step.EMBED and not embeds:
                _part_hand_over(work, row)
                return
            if step == Step.EMBED and handover.is_elsewhere():
                handover.views_take(work, recipe=render.recipe())
            try:
                _step_run(work, row, door, recipe)
            except StepFailed as failure:
                _part_stop(part, row, failure)
                return
            ran.add(step)
            # A later step was done with what this one made before: it waits again.
            for later in list(STEPS)[list(STEPS).index(step) + 1 :]:
                rows[later].state = State.WAITING
        if handover.is_elsewhere():
            handover.views_forget(part)
        ready = Part.Status.READY
        if part_release(part, status=ready, resend_at=None, error_code="", error_params={}):
            embed.beside(work, anew=Step.EMBED in ran, here=embeds)
            preparations.part_arrived(part_id)


def _part_hand_over(work: Work, row: PipelineStep) -> None:
    try:
        with _failures(row):
            handover.part_hand_over(work, recipe=render.recipe())
    except StepFailed as failure:
        row.attempts += 1
        _part_stop(work.part, row, failure)


def _step_rows(part: Part) -> dict[str, PipelineStep]:
    held = {row.step: row for row in part.steps.all()}
    missing = [PipelineStep(part=part, step=step) for step in STEPS if step not in held]
    # Another worker may have made them meanwhile; both then read the same rows.
    if missing:
        PipelineStep.objects.bulk_create(missing, ignore_conflicts=True)
        held = {row.step: row for row in part.steps.all()}
    return held


def _step_run(work: Work, row: PipelineStep, door: StepDoor, recipe: str) -> None:
    """Run one step and write down how it went. Raises `StepFailed`."""
    if row.state == State.RUNNING and row.attempts >= DEATHS:
        raise StepFailed("worker_died", {"attempts": row.attempts}, again=False)
    row.state, row.attempts, row.started_at = State.RUNNING, row.attempts + 1, timezone.now()
    row.error_code, row.error_params, row.ms = "", {}, None
    row.save()
    Part.objects.filter(pk=work.part.pk).update(resend_at=row.started_at + LEASE)
    start = time.perf_counter()
    with _failures(row):
        door.run(work)
    row.state, row.recipe = State.DONE, recipe
    row.ms = round((time.perf_counter() - start) * 1000)
    row.save()


@contextmanager
def _failures(row: PipelineStep) -> Iterator[None]:
    """Inside, whatever goes wrong becomes a `StepFailed`."""
    try:
        yield
    except EngineError as error:
        raise StepFailed(error.code, error.params, again=error.transient) from error
    except ServiceError as error:
        raise StepFailed(error.code, error.params, again=False) from error
    except (OSError, MemoryError, OperationalError) as error:
        log.warning("%s of part %s: %s", row.step, row.part_id, error)
        raise StepFailed("machine_trouble", {"detail": str(error)[:200]}, again=True) from error
    except Exception as error:
        # A fault of ours. The part fails and says so; the worker goes on with the next.
        log.exception("%s of part %s", row.step, row.part_id)
        raise StepFailed("internal", {}, again=False) from error


def _part_stop(part: Part, row: PipelineStep, failure: StepFailed) -> None:
    """Write down why; send the part again later when that may help."""
    again = failure.again and row.attempts < TRIES
    code, params = failure.code, failure.params
    if failure.again and not again:
        code, params = "gave_up", {"attempts": row.attempts}
    row.state = State.WAITING if again else State.FAILED
    row.error_code, row.error_params = code, params
    row.save()
    if not again:
        part_release(
            part, status=Part.Status.FAILED, resend_at=None, error_code=code, error_params=params
        )
        return
    wait = BACK_OFF_S * 2 ** (row.attempts - 1)
    resend_at = timezone.now() + timedelta(seconds=wait)
    if part_release(part, status=Part.Status.QUEUED, resend_at=resend_at):
        enqueue("workers.part_ingest", part.pk, countdown=wait)
