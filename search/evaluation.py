"""Measures engines on judged queries, as users would have been answered.

A run asks every question of every engine through `search_run`, one after the other, and keeps
each answer's measures as a row: a worker does a slice of it and sends the rest to the queue, so
that a run may last longer than a task and survives a worker that dies. Nothing is logged as a
search.

`engines_measure` does a whole run at once, for commands and for whoever decides about an engine.
"""

import hashlib
import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from django.conf import settings
from django.db import connections
from django.db.models import Count, F, Q
from django.utils import timezone

from catalog.errors import ServiceError
from catalog.queue import enqueue
from search import embeddings, encoders, engines
from search.engine import metrics
from search.evaluation_metrics import GROUPS, MEASURES, Column, figures
from search.models import EvaluationRun, EvaluationValue, Space
from search.questions import KINDS, SOURCES, Choice, Question, Reader, kinds_first, refs_choose
from search.services import search_run

log = logging.getLogger(__name__)

State = EvaluationRun.State

K_MOST = 100
LIMIT_MOST = 20_000
THREADS_MOST = 32
SLICE_S = 60.0  # of one task, so that what else waits in the queue gets its turn
LEASE = timedelta(seconds=settings.CELERY_TASK_TIME_LIMIT + 60)
BATCH = 20  # questions between two looks at the row: whether to stop, and how far it is
STALLS_MOST = 3
BUILT_MOST = 20_000  # rows of a space without a snapshot that an index is built of to be timed
LOAD = 48  # questions by which throughput with several threads is measured


@dataclass(frozen=True)
class Plan:
    """What a run is to do: the questions, and the depth of the lists that are judged."""

    choice: Choice = Choice()
    k: int = 10
    threads: int = 4  # of the measure of throughput; 0 leaves it out

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self.choice), "k": self.k, "threads": self.threads}

    @classmethod
    def from_json(cls, held: Mapping[str, Any]) -> "Plan":
        choice = Choice(
            sources=tuple(held["sources"]),
            kinds=tuple(held["kinds"]),
            query_set=held["query_set"],
            limit=held["limit"],
            seed=held["seed"],
        )
        return cls(choice, held["k"], held["threads"])


# Engines ----------------------------------------------------------------------------------------


def engines_default() -> list[str]:
    """What is compared when nothing is named: each engine in use, the words, all together."""
    return [*engines.in_use(), engines.WORDS, engines.FUSION]


def engines_known() -> list[str]:
    return list(dict.fromkeys([*engines_default(), *settings.SEARCH.engines]))


def rankings_of(engine: str, kind: str) -> list[str]:
    """The rankings that answer such a query for `engine`; none when it cannot.

    "fusion" is what users get; "a+b" are these together, and an engine need not be in use.
    """
    if engine == engines.FUSION:
        return engines.engine_names(kind)
    return [name for name in engine.split("+") if _answers(name, kind)]


def _answers(name: str, kind: str) -> bool:
    if name == engines.WORDS:
        return kind in {"text", "hybrid"}
    if kind == "mesh":
        return True
    if settings.SEARCH.engines[name].encoder == "shape":
        return False
    return kind != "text" or encoders.words_space(name) is not None


# The life of a run ------------------------------------------------------------------------------


def evaluation_start(
    *,
    names: Sequence[str] = (),
    plan: Plan = Plan(),
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
        enqueue("workers.evaluation_work", run.pk)
    return run


def evaluation_cancel(run: EvaluationRun) -> bool:
    """Stop a run that is not finished; the worker notices after its batch. False when it is."""
    rows = EvaluationRun.objects.filter(pk=run.pk, state__in=EvaluationRun.UNFINISHED)
    return bool(rows.update(state=State.CANCELLED, finished_at=timezone.now()))


def evaluation_work(run_id: int, *, seconds: float | None = SLICE_S) -> bool:
    """Go on with a run for so long; None: to its end. Whether there is more to do.

    What goes wrong is the run's end and stands in its row.
    """
    run = _claim(run_id)
    if run is None:
        return False
    try:
        with_more = _work(run, until=None if seconds is None else time.monotonic() + seconds)
    except ServiceError as error:
        _fail(run, error.code, error.params)
        return False
    except Exception:
        log.exception("evaluation %s failed", run_id)
        _fail(run, "internal", {})
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
    names: Sequence[str] = (), *, plan: Plan = Plan(), note: str = "", by: Any = None
) -> EvaluationRun:
    """Measure engines, in use or only filled, on the judgements: a finished run.

    Its `metrics["engines"]` has {engine: {"all" or "kind:text"...: {"n", "ndcg": [mean, low,
    high], ...}}}, `metrics["pairs"]` the differences with their p. Raises `ServiceError` when
    there is nothing to ask, or the measuring failed.
    """
    run = evaluation_start(names=names, plan=plan, note=note, by=by, background=False)
    evaluation_work(run.pk, seconds=None)
    run.refresh_from_db()
    if run.state == State.FAILED:
        raise ServiceError(run.error_code, **run.error_params)
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


def _claim(run_id: int) -> EvaluationRun | None:
    """The run, ours until the lease ends; None when it is finished or another worker's."""
    now = timezone.now()
    run = EvaluationRun.objects.filter(pk=run_id, state__in=EvaluationRun.UNFINISHED).first()
    if run is None or (run.claimed_until and run.claimed_until > now):
        return None
    died = run.claimed_until is not None
    mine = EvaluationRun.objects.filter(
        pk=run_id, state__in=EvaluationRun.UNFINISHED, claimed_until=run.claimed_until
    )
    claimed = mine.update(
        claimed_until=now + LEASE,
        state=State.RUNNING,
        started_at=run.started_at or now,
        stalls=F("stalls") + died,
    )
    if not claimed:
        return None
    run.refresh_from_db()
    if run.stalls >= STALLS_MOST:
        _fail(run, "evaluation_died", {"attempts": run.stalls})
        return None
    return run


def _fail(run: EvaluationRun, code: str, params: Mapping[str, Any]) -> None:
    EvaluationRun.objects.filter(pk=run.pk, state__in=EvaluationRun.UNFINISHED).update(
        state=State.FAILED,
        error_code=code,
        error_params={name: str(value)[:200] for name, value in params.items()},
        finished_at=timezone.now(),
        claimed_until=None,
    )


# The work ---------------------------------------------------------------------------------------


def _work(run: EvaluationRun, *, until: float | None) -> bool:
    plan = Plan.from_json(run.plan)
    if not run.questions and not _questions_set(run, plan):
        return False
    reader = Reader(plan.choice)
    _warm(run, reader)
    while run.position < run.total:
        refs = run.questions[run.position : run.position + BATCH]
        rows = [
            row
            for position, ref in enumerate(refs, run.position)
            for row in _question_rows(run, position, ref, reader, k=plan.k)
        ]
        # A worker that was thought dead may have written the same.
        EvaluationValue.objects.bulk_create(rows, ignore_conflicts=True)
        if not _saved(run, position=run.position + len(refs)):
            return False
        if until is not None and time.monotonic() > until:
            return True
    return _loads(run, reader, plan, until=until) or _finish(run, plan)


def _saved(run: EvaluationRun, **fields: Any) -> bool:
    """Write how far it is and hold it longer; False when it was cancelled meanwhile."""
    for name, value in fields.items():
        setattr(run, name, value)
    rows = EvaluationRun.objects.filter(pk=run.pk, state=State.RUNNING)
    return bool(rows.update(claimed_until=timezone.now() + LEASE, **fields))


def _questions_set(run: EvaluationRun, plan: Plan) -> bool:
    refs = refs_choose(plan.choice)
    if not refs:
        raise ServiceError("nothing_to_ask")
    digest = hashlib.sha256(settings.SEARCH.model_dump_json().encode()).hexdigest()
    return _saved(
        run, questions=refs, total=len(refs), config_hash=digest, versions=versions_now(run.engines)
    )


def _question_rows(
    run: EvaluationRun, position: int, ref: str, reader: Reader, *, k: int
) -> Iterator[EvaluationValue]:
    """The question's row for each engine that can answer such a query."""
    question = reader.read(ref)
    if question is None:
        return
    for engine in run.engines:
        if names := rankings_of(engine, question.kind):
            yield EvaluationValue(
                run=run,
                engine=engine,
                position=position,
                question=ref,
                label=question.label,
                kind=question.kind,
                language=question.language,
                source=question.source,
                **_values(question, names, k=k),
            )


def _values(question: Question, names: list[str], *, k: int) -> dict[str, Any]:
    """The measures of one answer, or why there is none."""
    try:
        parts, ms = _ask(question, names, k=k)
    except ServiceError as error:
        if error.status >= 500:
            raise  # our own trouble: no engine is to be blamed for it
        return {"error": error.code}
    grades = question.truth.grades(parts)
    relevant = question.truth.relevant
    return {
        "precision": metrics.precision_at_k(grades, k),
        "recall": metrics.recall_at_k(grades, k, relevant=relevant),
        "rr": metrics.reciprocal_rank(grades),
        "ndcg": metrics.ndcg_at_k(grades, k, ideal=question.truth.ideal(k)),
        "ms": ms,
    }


def _ask(question: Question, names: list[str], *, k: int) -> tuple[list[Any], float]:
    """The first k parts, without the one that asks; and the milliseconds it took."""
    more = k + (question.asker is not None)
    answer = search_run(replace(question.query, k=more, fresh=True), names=names)
    parts = [hit.part for hit in answer.results if hit.part.pk != question.asker]
    return parts[:k], answer.took_ms["total"]


def _warm(run: EvaluationRun, reader: Reader) -> None:
    """Ask each engine once before times are taken: weights are loaded at the first question."""
    for kind, ref in kinds_first(run.questions[run.position :]).items():
        question = reader.read(ref)
        for engine in run.engines if question else ():
            if names := rankings_of(engine, kind):
                _values(question, names, k=1)


def _loads(run: EvaluationRun, reader: Reader, plan: Plan, *, until: float | None) -> bool:
    """Throughput with several threads, an engine at a time. Whether there is more to do."""
    if not plan.threads:
        return False
    held = dict(run.metrics.get("threads", {}))
    for engine in run.engines:
        if engine in held:
            continue
        if until is not None and time.monotonic() > until:
            return True
        held[engine] = _load(run, engine, reader, plan)
        if not _saved(run, metrics={**run.metrics, "threads": held}):
            return True  # cancelled: the next claim ends it
    return False


def _load(run: EvaluationRun, engine: str, reader: Reader, plan: Plan) -> dict[str, Any] | None:
    """The same questions by one thread and by several at once, a second."""
    places = np.unique(np.linspace(0, run.total - 1, min(LOAD, run.total)).astype(int)).tolist()
    asked = [question for place in places if (question := reader.read(run.questions[place]))]
    asked = [question for question in asked if rankings_of(engine, question.kind)]
    if not asked:
        return None
    took = {n: _seconds(asked, engine, k=plan.k, threads=n) for n in (1, plan.threads)}
    return {
        "n": len(asked),
        "threads": plan.threads,
        "alone_per_s": round(len(asked) / took[1], 2),
        "per_s": round(len(asked) / took[plan.threads], 2),
    }


def _seconds(asked: Sequence[Question], engine: str, *, k: int, threads: int) -> float:
    def some(first: int) -> None:
        try:
            for question in asked[first::threads]:
                _values(question, rankings_of(engine, question.kind), k=k)
        finally:
            if threads > 1:
                connections.close_all()  # of this thread

    start = time.perf_counter()
    if threads == 1:
        some(0)
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(some, range(threads)))
    return max(time.perf_counter() - start, 1e-9)


def _finish(run: EvaluationRun, plan: Plan) -> bool:
    found = figures(columns_read(run), seed=plan.choice.seed)
    asked = run.values.values("position").distinct().count()
    refused = run.values.exclude(error="")
    codes = dict(refused.values_list("error").annotate(n=Count("pk")))
    found |= {"k": plan.k, "gone": run.total - asked, "refused": codes}
    _saved(
        run,
        state=State.DONE,
        finished_at=timezone.now(),
        metrics={**run.metrics, **found},
    )
    return False


def columns_read(run: EvaluationRun) -> dict[str, Column]:
    """Each engine's values, in the order of its questions; an engine that answered none is left."""
    fields = ("position", *MEASURES, "ms", *GROUPS)
    columns = {}
    for engine in run.engines:
        rows = run.values.filter(engine=engine, error="").order_by("position").values_list(*fields)
        if held := list(rows.iterator()):
            table = list(zip(*held, strict=True))
            columns[engine] = Column(
                positions=np.array(table[0], np.int64),
                values=np.array(table[1:5], np.float64).T,
                ms=np.array(table[5], np.float64),
                groups=dict(zip(GROUPS, table[6:], strict=True)),
            )
    return columns


def versions_now(names: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """The spaces each engine answers from: what they hold, and the snapshot's build."""
    single = {part for name in names for part in name.split("+")}
    if engines.FUSION in single:
        single |= set(engines.in_use())
    found = {}
    for name in sorted(single - {engines.FUSION, engines.WORDS}):
        both = dict.fromkeys([encoders.space(name), encoders.words_space(name)])
        found[name] = [_space_facts(space.key) for space in both if space]
    return found


def _space_facts(key: str) -> dict[str, Any]:
    space = Space.objects.filter(key=key).first()
    if space is None:
        return {"space": key, "parts": 0}
    newest = space.snapshots.first()
    held = newest.manifest if newest else _built(space)
    shown = ("factory", "rows", "vectors", "build_s", "recall_at_10")
    return {
        "space": key,
        "last_seq": space.last_seq,
        "parts": space.embeddings.count(),
        "snapshot": newest.version if newest else None,
        **{name: held[name] for name in shown if name in held},
    }


def _built(space: Space) -> dict[str, Any]:
    """A space too young for a snapshot: its index built aside, for the time it takes."""
    from search.engine.index.snapshot import snapshot_build

    if not 0 < space.last_seq <= BUILT_MOST:
        return {}
    with TemporaryDirectory(dir=settings.FILE_UPLOAD_TEMP_DIR) as folder:
        manifest = snapshot_build(
            Path(folder),
            embeddings.rows_after(space, 0, until=space.last_seq),
            space_key=space.key,
            d=space.d,
            config=engines.index_config(),
            version="measured",
        )
        return asdict(manifest)
