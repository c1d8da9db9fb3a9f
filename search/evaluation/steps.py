"""The steps of a run: its questions chosen and asked, throughput taken, figures made.

Knows nothing of claims and queues: `services.py` says when to begin and for how long.
"""

import hashlib
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
from django.db.models import Count
from django.utils import timezone

from catalog.errors import ServiceError
from search import embeddings, encoders, engines
from search.engine import metrics
from search.engine.encoders.space import Space as SpaceOfEngine
from search.evaluation.metrics import GROUPS, MEASURES, Column, figures
from search.evaluation.questions import (
    KINDS,
    Choice,
    Question,
    Reader,
    kinds_first,
    refs_choose,
)
from search.models import Embedding, EvaluationRun, EvaluationValue, Space
from search.services import search_run

State = EvaluationRun.State

# Questions, or seconds, between two looks at the row: whether to stop, and how far it is.
BATCH, BATCH_S = 20, 15.0
# Longer than any batch, or any measure of throughput, takes: past it the worker is dead.
LEASE = timedelta(minutes=4)
BUILT_MOST = 20_000  # rows of a space without a snapshot that an index is built of to be timed
# Questions by which throughput is measured, and the seconds after which it is known well enough.
LOAD, LOAD_S = 48, 40.0


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


def rankings_of(engine: str, kind: str) -> list[str]:
    """The rankings that answer such a query for `engine`; none when it cannot.

    "fusion" is what users get; "a+b" are these together, and an engine need not be in use.
    """
    if engine == engines.FUSION:
        return engines.engine_names(kind)
    names = [name for name in engine.split("+") if _answers(name, kind)]
    # Beside a picture the words of a part count, whichever engine looks.
    with_words = kind == "hybrid" and names and engines.WORDS not in names
    return [*names, engines.WORDS] if with_words else names


def _answers(name: str, kind: str) -> bool:
    if name == engines.WORDS:
        return kind in {"text", "hybrid"}
    if kind == "mesh":
        return True
    if settings.SEARCH.engines[name].encoder == "shape":
        return False
    return kind != "text" or encoders.words_space(name) is not None


def run_work(run: EvaluationRun, *, until: float | None) -> bool:
    """Go on with a run that is ours, until that time at most. Whether there is more to do."""
    plan = Plan.from_json(run.plan)
    if not run.questions and not _questions_set(run, plan):
        return False
    _filled_check(run)
    reader = Reader(plan.choice)
    _warm(run, reader)
    while run.position < run.total:
        rows, position = _batch(run, reader, k=plan.k)
        # A worker that was thought dead may have written the same.
        EvaluationValue.objects.bulk_create(rows, ignore_conflicts=True)
        # It is not stuck: whoever dies from here on does not die over the same questions.
        if not _saved(run, position=position, stalls=0, metrics=_switch_noted(run)):
            return False
        if until is not None and time.monotonic() > until:
            return True
    return _loads(run, reader, plan, until=until) or _finish(run, plan)


def _batch(run: EvaluationRun, reader: Reader, *, k: int) -> tuple[list[EvaluationValue], int]:
    """The rows of the next questions, and where the run stands after them."""
    rows: list[EvaluationValue] = []
    begun, position = time.monotonic(), run.position
    for ref in run.questions[position : position + BATCH]:
        rows += _question_rows(run, position, ref, reader, k=k)
        position += 1
        if time.monotonic() - begun > BATCH_S:
            break
    return rows, position


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
        run, questions=refs, total=len(refs), config_hash=digest,
        versions=versions_now(run.engines), metrics={"setup": setup_now(run.engines)},
    )  # fmt: skip


def _filled_check(run: EvaluationRun) -> None:
    """Raises `ServiceError` for an engine that holds nothing, or is taken away meanwhile: its zeros
    would look like a measurement."""
    for name in _single(run.engines):
        if name not in settings.SEARCH.engines:
            raise ServiceError(
                "engine_unknown", engine=name, known=", ".join(settings.SEARCH.engines)
            )
        keys = [space.key for space in _spaces(name)]
        if not Embedding.objects.filter(space__key__in=keys).exists():
            raise ServiceError("engine_empty", engine=name)


def setup_now(names: Sequence[str]) -> dict[str, Any]:
    """What must stay as it is while a run lasts: each engine's spaces, and what users get."""
    held: dict[str, Any] = {name: [space.key for space in _spaces(name)] for name in _single(names)}
    if engines.FUSION in names:
        held[engines.FUSION] = {kind: rankings_of(engines.FUSION, kind) for kind in KINDS}
    return held


def _switch_noted(run: EvaluationRun) -> dict[str, Any]:
    """The run's figures, saying so when engines were switched or exchanged since it began."""
    if run.metrics.get("switched") or run.metrics.get("setup") == setup_now(run.engines):
        return run.metrics
    return {**run.metrics, "switched": True}


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
        held[engine] = _load(run, engine, reader, plan)
        if not _saved(run, metrics={**run.metrics, "threads": held}):
            return True  # cancelled: the next claim ends it
        # One engine in each turn at least: a turn that begins late must not do nothing for ever.
        if until is not None and time.monotonic() > until:
            return True
    return False


def _load(run: EvaluationRun, engine: str, reader: Reader, plan: Plan) -> dict[str, Any] | None:
    """The same questions by one thread and by several at once, a second."""
    places = np.unique(np.linspace(0, run.total - 1, min(LOAD, run.total)).astype(int)).tolist()
    asked = [question for place in places if (question := reader.read(run.questions[place]))]
    asked = [question for question in asked if rankings_of(engine, question.kind)]
    if not asked:
        return None
    rates = {n: _rate(asked, engine, k=plan.k, threads=n) for n in {1, plan.threads}}
    return {
        "n": len(asked),
        "threads": plan.threads,
        "alone_per_s": round(rates[1], 2),
        "per_s": round(rates[plan.threads], 2),
    }


def _rate(asked: Sequence[Question], engine: str, *, k: int, threads: int) -> float:
    """How many a second are answered; after `LOAD_S` no more are asked."""
    start = time.perf_counter()

    def some(first: int) -> int:
        done = 0
        try:
            for question in asked[first::threads]:
                _values(question, rankings_of(engine, question.kind), k=k)
                done += 1
                if time.perf_counter() - start > LOAD_S:
                    break
        finally:
            if threads > 1:
                connections.close_all()  # of this thread
        return done

    if threads == 1:
        done = some(0)
    else:
        with ThreadPoolExecutor(threads) as pool:
            done = sum(pool.map(some, range(threads)))
    return done / max(time.perf_counter() - start, 1e-9)


def _finish(run: EvaluationRun, plan: Plan) -> bool:
    if not _saved(run, metrics=_switch_noted(run)):
        return False  # cancelled
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
    single = set(_single(names)) | set(engines.in_use() if engines.FUSION in names else ())
    return {name: [_space_facts(space.key) for space in _spaces(name)] for name in sorted(single)}


def _single(names: Sequence[str]) -> list[str]:
    """The engines that are named, alone or in a sum."""
    single = {part for name in names for part in name.split("+")}
    return sorted(single - {engines.FUSION, engines.WORDS})


def _spaces(name: str) -> list[SpaceOfEngine]:
    both = dict.fromkeys([encoders.space(name), encoders.words_space(name)])
    return [space for space in both if space]


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
