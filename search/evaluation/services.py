"""Measures engines on judged queries, as users would have been answered.

A run asks every question of every engine through `search_run`, one after the other, and keeps
each answer's measures as a row: a worker does a slice of it and sends the rest to the queue, so
that a run may last longer than a task and survives a worker that dies. Nothing is logged as a
search.

`engines_measure` does a whole run at once, for commands and for whoever decides about an engine.
"""

import logging
import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import OperationalError
from django.db.models import F, Q
from django.utils import timezone

from catalog.errors import ServiceError
from catalog.queue import enqueue
from search import engines
from search.evaluation.questions import KINDS, SOURCES
from search.evaluation.steps import LEASE, Plan, run_work
from search.models import EvaluationRun

log = logging.getLogger(__name__)

State = EvaluationRun.State

K_MOST = 100
LIMIT_MOST = 20_000
THREADS_MOST = 32
SLICE_S = 60.0  # of one task, so that what else waits in the queue gets its turn
# How often a worker may die, or what it needs be away, before it comes on; and until the next try.
STALLS_MOST = 3
PUT_OFF = timedelta(seconds=30)
USUAL = Plan()

# Engines ----------------------------------------------------------------------------------------


def engines_default() -> list[str]:
    """What is compared when nothing is named: each engine in use, the words, all together."""
    return [*engines.in_use(), engines.WORDS, engines.FUSION]


def engines_known() -> list[str]:
    return list(dict.fromkeys([*engines_default(), *settings.SEARCH.engines]))


# The life of a run ------------------------------------------------------------------------------


def evaluation_start(
    *,
    names: Sequence[str] = (),
    plan: Plan = USUAL,
    note: str = "",
    by: Any = None,
    background: bool = True,
) -> EvaluationRun:
    """Ask for a run. Raises `ServiceError` for engines, sources or numbers that cannot be."""
    names = list(dict.fromkeys(names)) or engines_default()
    _names_check(names)
    _plan_check(plan)
    run = EvaluationRun.objects.create(engines=names, plan=plan.to_json(), note=note[:200], by=by)
    if background:
        evaluation_send(run.pk)
    return run


def evaluation_send(run_id: int) -> None:
    """Tell a worker that there is something to do. A run that is no more is let be."""
    run = EvaluationRun.objects.filter(pk=run_id).first()
    if run is not None:
        enqueue("workers.evaluation_work", run.pk, run.progress)


def evaluation_cancel(run: EvaluationRun) -> bool:
    """Stop a run that is not finished; the worker notices after its batch. False when it is."""
    rows = EvaluationRun.objects.filter(pk=run.pk, state__in=EvaluationRun.UNFINISHED)
    return bool(rows.update(state=State.CANCELLED, finished_at=timezone.now()))


def evaluation_work(
    run_id: int, *, seconds: float | None = SLICE_S, progress: int | None = None
) -> bool:
    """Go on with a run for so long; None: to its end. Whether there is more to do.

    What goes wrong is the run's end and stands in its row. `progress`: where the run stood when
    this was asked for; it is past that when the sweep sent a message again that was not lost, and
    each of the two would be followed by another for as long as the run lasts.
    """
    run = _claim(run_id, progress)
    if run is None:
        return False
    try:
        with_more = run_work(run, until=None if seconds is None else time.monotonic() + seconds)
    except Exception as error:
        if seconds is None or not _put_off(run, error):
            _fail_by(run, error)
        return False
    EvaluationRun.objects.filter(pk=run_id).update(claimed_until=None)
    return with_more


def evaluations_waiting() -> list[int]:
    """Runs that no worker holds and whose message may be lost, for the minute's sweep."""
    now = timezone.now()
    free = Q(claimed_until__isnull=True, created_at__lt=now - timedelta(seconds=50))
    rows = EvaluationRun.objects.filter(state__in=EvaluationRun.UNFINISHED)
    return list(rows.filter(free | Q(claimed_until__lt=now)).values_list("pk", flat=True))


def engines_measure(
    names: Sequence[str] = (), *, plan: Plan = USUAL, note: str = "", by: Any = None
) -> EvaluationRun:
    """Measure engines, in use or only filled, on the judgements: a finished run.

    Its `metrics["engines"]` has {engine: {"all" or "kind:text"...: {"n", "ndcg": [mean, low,
    high], ...}}}, `metrics["pairs"]` the differences with their p. Raises `ServiceError` when
    there is nothing to ask, or the measuring failed or was cancelled.
    """
    run = evaluation_start(names=names, plan=plan, note=note, by=by, background=False)
    try:
        evaluation_work(run.pk, seconds=None)
    except KeyboardInterrupt:
        evaluation_cancel(run)  # else a worker would go on with it
        raise
    run.refresh_from_db()
    if run.state == State.FAILED:
        raise ServiceError(run.error_code, **run.error_params)
    if run.state == State.CANCELLED:
        raise ServiceError("evaluation_cancelled")
    return run


def _names_check(names: Sequence[str]) -> None:
    known = engines_known()
    for name in names:
        parts = name.split("+")
        fused = len(parts) > 1 and engines.FUSION in parts
        if fused or len(name) > 80 or (unknown := set(parts) - set(known)):
            shown = name if fused or len(name) > 80 else sorted(unknown)[0]
            raise ServiceError("engine_unknown", engine=shown[:40], known=", ".join(known))


def _plan_check(plan: Plan) -> None:
    for name, value, least, most in (
        ("k", plan.k, 1, K_MOST),
        ("limit", plan.choice.limit, 1, LIMIT_MOST),
        ("threads", plan.threads, 0, THREADS_MOST),
        ("seed", plan.choice.seed, 0, 2**31 - 1),
    ):
        if not least <= value <= most:
            raise ServiceError(
                "number_out_of_range", name=name, value=value, least=least, most=most
            )
    for given, known in ((plan.choice.sources, SOURCES), (plan.choice.kinds, KINDS)):
        if unknown := sorted(set(given) - set(known)):
            raise ServiceError("choice_unknown", name=unknown[0][:40], known=", ".join(known))
    if not plan.choice.sources:
        raise ServiceError("choice_unknown", name="", known=", ".join(SOURCES))


def _claim(run_id: int, progress: int | None = None) -> EvaluationRun | None:
    """The run, ours until the lease ends; None when it is finished, another worker's, or past the
    progress that was asked from."""
    now = timezone.now()
    run = EvaluationRun.objects.filter(pk=run_id, state__in=EvaluationRun.UNFINISHED).first()
    if run is None or (run.claimed_until and run.claimed_until > now):
        return None
    if progress is not None and run.progress != progress:
        return None
    died = run.claimed_until is not None
    mine = EvaluationRun.objects.filter(
        pk=run_id, state__in=EvaluationRun.UNFINISHED, claimed_until=run.claimed_until
    )
    claimed = mine.update(
        claimed_until=now + LEASE,
        state=State.RUNNING,
        started_at=run.started_at or now,
        stalls=F("stalls") + int(died),
    )
    if not claimed:
        return None
    run.refresh_from_db()
    if run.stalls >= STALLS_MOST:
        _fail(run, "evaluation_died", {"attempts": run.stalls})
        return None
    return run


def _put_off(run: EvaluationRun, error: Exception) -> bool:
    """Leave a run to the sweep when what went wrong may pass: a database, a storage or a worker
    that is away. False when it does not pass, or did not."""
    passing = isinstance(error, OSError | OperationalError) or (
        isinstance(error, ServiceError) and error.status == 503
    )
    if not passing or run.stalls + 1 >= STALLS_MOST:
        return False
    log.warning("evaluation %s is put off: %r", run.pk, error)
    rows = EvaluationRun.objects.filter(pk=run.pk, state=State.RUNNING)
    # The next claim takes it for one that died, and counts it.
    return bool(rows.update(claimed_until=timezone.now() + PUT_OFF))


def _fail_by(run: EvaluationRun, error: Exception) -> None:
    """An engine whose weights cannot be had says what is missing; the unexpected is our fault."""
    fault = error if isinstance(error, ServiceError) else engines.encoder_error(error)
    if fault is None:
        log.error("evaluation %s failed", run.pk, exc_info=error)
    _fail(run, fault.code if fault else "internal", fault.params if fault else {})


def _fail(run: EvaluationRun, code: str, params: Mapping[str, Any]) -> None:
    EvaluationRun.objects.filter(pk=run.pk, state__in=EvaluationRun.UNFINISHED).update(
        state=State.FAILED,
        error_code=code,
        error_params={name: str(value)[:200] for name, value in params.items()},
        finished_at=timezone.now(),
        claimed_until=None,
    )
