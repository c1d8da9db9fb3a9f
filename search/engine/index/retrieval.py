"""Search one generation of an index: what lives in it, what is worth scoring, who is nearest.

Pure reads of immutable arrays; knows neither locks nor writers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from search.engine.index.exact import rows_score
from search.engine.index.types import Ranking

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray

    from search.engine.index.snapshot import Snapshot
    from search.engine.index.tail import Segment
    from search.engine.index.types import Bools, Float, Ints, Pooling

# Of the rows that the coarse index names, so many (or four times k) are scored with all their
# views; the others are too far away already.
_FINALISTS = 200
# How much wider the coarse index looks when it named too few parts, and how often, before
# everything eligible is scored.
_WIDER, _TRIES = 8, 2
# Of several questions at once, so many similarities (rows x queries, eight bytes each) are held.
_HELD = 4_000_000


@dataclass(frozen=True, slots=True)
class Generation:
    """What an index looks like between two changes. Replaced, never changed.

    `mapped` is the snapshot's rows with this process's deaths, and None without a snapshot.
    """

    number: int
    watermark: int
    snapshot: Snapshot | None
    mapped: Segment | None
    tail: Segment


@dataclass(frozen=True, slots=True)
class Question:
    """A checked search."""

    queries: Float
    k: int
    pooling: Pooling
    query_pooling: Pooling
    nprobe: int | None
    excluded: Ints
    # The facet filter, if any: part ids, sorted, or a table indexed by part id.
    allowed_ids: Ints | None
    allowed_table: Bools | None

    @property
    def filtered(self) -> bool:
        return self.allowed_ids is not None or self.allowed_table is not None

    def admits(self, part_ids: Ints) -> Bools:
        """Which of the parts (n,) may be in the answer."""
        keep = np.ones(len(part_ids), np.bool_)
        if len(self.excluded):
            keep &= ~_contains(self.excluded, part_ids)
        if self.allowed_ids is not None:
            keep &= _contains(self.allowed_ids, part_ids)
        if self.allowed_table is not None:
            known = part_ids < len(self.allowed_table)
            keep &= known
            keep[known] &= self.allowed_table[part_ids[known]]
        return keep


def question_make(
    queries: Float,
    *,
    d: int,
    k: int,
    pooling: Pooling,
    query_pooling: Pooling,
    nprobe: int | None,
    exclude: Collection[int] | Ints | None,
    allowed: Collection[int] | Ints | Bools | None,
) -> Question:
    """Check what was asked (see SpaceIndex.search). ValueError names what is wrong."""
    queries = np.ascontiguousarray(queries, np.float32)
    if queries.ndim != 2 or queries.shape[1] != d or len(queries) == 0:
        raise ValueError(f"queries must be (q, {d}), not {queries.shape}")
    if not np.isfinite(queries).all():
        raise ValueError("queries must be finite")
    if k < 1:
        raise ValueError(f"k must be at least 1, not {k}")
    if nprobe is not None and nprobe < 1:
        raise ValueError(f"nprobe must be at least 1, not {nprobe}")
    is_table = isinstance(allowed, np.ndarray) and allowed.dtype == np.bool_
    return Question(
        queries=queries,
        k=k,
        pooling=pooling,
        query_pooling=query_pooling,
        nprobe=nprobe,
        excluded=ids_sort(() if exclude is None else exclude),
        allowed_ids=None if allowed is None or is_table else ids_sort(allowed),
        allowed_table=np.asarray(allowed) if is_table else None,
    )


def parts_rank(generation: Generation, question: Question) -> Ranking:
    """The k nearest parts of a generation."""
    tail = generation.tail
    found = [_segment_rank(tail, _eligible(tail, generation, question), question)]
    if generation.mapped is not None:
        rows = _mapped_rows(generation, question)
        found.append(_segment_rank(generation.mapped, rows, question))
    return _merge(found, question.k)


def parts_rank_many(generation: Generation, questions: Sequence[Question]) -> list[Ranking]:
    """What `parts_rank` says to each question, to the last bit.

    Rows that are scored exactly anyway are read once for many questions. The coarse index is asked
    for each alone: its answers to several at once differ a little, and it is not what takes long.
    """
    segments = [generation.tail]
    coarse = generation.snapshot is not None and generation.snapshot.coarse is not None
    if generation.mapped is not None and not coarse:
        segments.append(generation.mapped)
    found: list[list[Ranking]] = [[] for _ in questions]
    for segment in segments:
        living = np.flatnonzero(segment.died > generation.number)
        for some in _batches(questions, len(living)):
            asked = [questions[i] for i in some]
            for i, ranking in zip(some, _segment_rank_many(segment, living, asked), strict=True):
                found[i].append(ranking)
    if generation.mapped is not None and coarse:
        for question, rankings in zip(questions, found, strict=True):
            rows = _mapped_rows(generation, question)
            rankings.append(_segment_rank(generation.mapped, rows, question))
    return [
        _merge(rankings, question.k) for question, rankings in zip(questions, found, strict=True)
    ]


def _batches(questions: Sequence[Question], rows: int) -> list[list[int]]:
    """Places of questions of one pooling that are answered together, in their order."""
    batches: list[list[int]] = []
    width = 0
    for i, question in enumerate(questions):
        width += len(question.queries)
        same = bool(batches) and questions[batches[-1][0]].pooling == question.pooling
        if not same or width * rows > _HELD:
            batches.append([])
            width = len(question.queries)
        batches[-1].append(i)
    return batches


def _segment_rank_many(
    segment: Segment, living: Ints, questions: Sequence[Question]
) -> list[Ranking]:
    """`_segment_rank` of each question's own rows among the living, scored in one pass."""
    pooled, views = rows_score(
        segment.vectors,
        segment.offsets[living],
        segment.offsets[living + 1],
        np.concatenate([question.queries for question in questions]),
        pooling=questions[0].pooling,
    )
    part_ids = segment.part_ids[living]
    rankings, start = [], 0
    for question in questions:
        own = slice(start, start + len(question.queries))
        start = own.stop
        kept = np.flatnonzero(question.admits(part_ids))
        rankings.append(_ranked(part_ids[kept], pooled[kept, own], views[kept, own], question))
    return rankings


def _eligible(
    segment: Segment, generation: Generation, question: Question, rows: Ints | None = None
) -> Ints:
    """The rows (of those given, or of all) that live and are asked for."""
    if rows is None:
        rows = np.arange(len(segment))
    rows = rows[segment.died[rows] > generation.number]
    return rows[question.admits(segment.part_ids[rows])]


def _mapped_rows(generation: Generation, question: Question) -> Ints:
    """The snapshot's rows worth scoring exactly: all eligible ones, or the coarse index's."""
    snapshot, mapped = generation.snapshot, generation.mapped
    assert snapshot is not None
    assert mapped is not None
    named: Ints | None = None
    if question.allowed_ids is not None:
        named = snapshot.rows_of(question.allowed_ids)
        named = named[named >= 0]
    if snapshot.coarse is None:
        return _eligible(mapped, generation, question, named)

    config = snapshot.manifest.config
    marked: Bools | None = None
    most = len(mapped) - len(question.excluded)
    if question.filtered:
        rows = _eligible(mapped, generation, question, named)
        if np.sum(mapped.offsets[rows + 1] - mapped.offsets[rows]) <= config.exact_below:
            return rows
        marked = np.zeros(len(mapped), np.bool_)
        marked[rows] = True
        most = len(rows)
    # Views of one part crowd the candidates: too few parts, and the coarse index looks again.
    wanted = 2 * question.k
    effort = question.nprobe or snapshot.manifest.effort
    if question.query_pooling == "max":
        # The variants of one picture find each other's parts: each may look less hard.
        effort = max(1, round(effort / len(question.queries) ** 0.25))
    for _ in range(_TRIES):
        if wanted * 4 > most:
            break
        rows, similarities = snapshot.candidates(
            question.queries, effort=effort, least=wanted, eligible=marked
        )
        kept = _eligible(mapped, generation, question, rows)
        if len(kept) >= wanted:
            similarities = similarities[np.searchsorted(rows, kept)]
            scores = _queries_pool(similarities, question.query_pooling)
            # A mean also wants the views that were no candidates: these similarities say less.
            means = "mean" in (question.pooling, question.query_pooling)
            finalists = max(_FINALISTS, 2 * wanted) * (4 if means else 1)
            return kept[_best(scores, finalists)]
        effort *= _WIDER
    return _eligible(mapped, generation, question, named)


def _segment_rank(segment: Segment, rows: Ints, question: Question) -> Ranking:
    """The best of the rows, unordered: k, and those that tie with the last."""
    pooled, views = rows_score(
        segment.vectors,
        segment.offsets[rows],
        segment.offsets[rows + 1],
        question.queries,
        pooling=question.pooling,
    )
    return _ranked(segment.part_ids[rows], pooled, views, question)


def _ranked(part_ids: Ints, pooled: Float, views: NDArray[np.int32], question: Question) -> Ranking:
    """The best of the parts (r,), unordered, by their similarities and best views (r, q)."""
    # A copy in one piece: a mean is summed in the same order wherever the columns came from.
    scores = _queries_pool(np.ascontiguousarray(pooled), question.query_pooling)
    chosen = _best(scores, question.k)
    nearest = pooled[chosen].argmax(axis=1)
    return Ranking(
        part_ids=part_ids[chosen],
        similarities=scores[chosen],
        best_views=views[chosen, nearest],
        best_query=nearest.astype(np.int32),
    )


def _queries_pool(similarities: Float, pooling: Pooling) -> Float:
    """(r, q) -> (r,)"""
    pooled: Float = similarities.mean(axis=1) if pooling == "mean" else similarities.max(axis=1)
    return pooled


def _best(scores: Float, count: int) -> Ints:
    """Places of the `count` highest scores and of those that tie with the last, in order."""
    if len(scores) <= count:
        return np.arange(len(scores))
    least = np.partition(scores, len(scores) - count)[len(scores) - count]
    return np.flatnonzero(scores >= least)


def _merge(found: list[Ranking], k: int) -> Ranking:
    ids = np.concatenate([ranking.part_ids for ranking in found])
    similarities = np.concatenate([ranking.similarities for ranking in found])
    order = np.lexsort((ids, -similarities))[:k]
    return Ranking(
        part_ids=ids[order],
        similarities=similarities[order],
        best_views=np.concatenate([ranking.best_views for ranking in found])[order],
        best_query=np.concatenate([ranking.best_query for ranking in found])[order],
    )


def ids_sort(part_ids: Collection[int] | NDArray[Any]) -> Ints:
    """Part ids as a sorted array without repeats."""
    if not isinstance(part_ids, np.ndarray):
        part_ids = np.fromiter(part_ids, np.int64, len(part_ids))
    # Seven times faster than np.unique on 50,000 ids.
    ids: Ints = np.sort(part_ids.astype(np.int64))
    return ids[np.diff(ids, prepend=-1) > 0]


def _contains(ids: Ints, part_ids: Ints) -> Bools:
    """Which of part_ids (n,) are among the sorted ids."""
    if len(ids) == 0:
        return np.zeros(len(part_ids), np.bool_)
    places = np.minimum(np.searchsorted(ids, part_ids), len(ids) - 1)
    return np.equal(ids[places], part_ids)
