"""One space's index in one process: a snapshot, the rows after it, and searches over both.

Writers (`snapshot_set`, `rows_append`, `rows_remove`) take turns and publish a new immutable
state; a search reads the state once and works on it to its end, so a switch in the middle can
neither hide a part nor show it twice. Where rows come from is the caller's business.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from search.engine.errors import SnapshotError
from search.engine.index.exact import rows_score
from search.engine.index.tail import ALIVE, Segment, Tail
from search.engine.index.types import Ranking

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

    from search.engine.index.snapshot import Snapshot
    from search.engine.index.types import Bools, Float, Ints, Pooling, RowBatch

# Several query vectors share the candidates, but each brings at least this share of them.
_LEAST_SHARE = 0.25
# How much wider the coarse index looks when it named too few parts, and how often, before
# everything eligible is scored.
_WIDER, _TRIES = 4, 2


@dataclass(frozen=True, slots=True)
class _State:
    """What one generation of the index looks like. Replaced, never changed."""

    snapshot: Snapshot | None
    mapped: Segment | None
    tail: Segment
    watermark: int
    generation: int


@dataclass(frozen=True, slots=True)
class _Question:
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


class SpaceIndex:
    """Snapshot and tail of one space of dimension d. Every method may be called by any thread."""

    def __init__(self, d: int) -> None:
        self.d = d
        self._lock = threading.Lock()
        self._tail = Tail(d)
        self._base = 0
        # Removed part -> watermark at that moment: older rows stay hidden whatever snapshot comes.
        self._removed: dict[int, int] = {}
        self._state = _State(None, None, self._tail.segment(), 0, 0)

    # ---- facts

    @property
    def watermark(self) -> int:
        """The highest sequence number held: ask the database for the rows after it."""
        return self._state.watermark

    @property
    def snapshot(self) -> Snapshot | None:
        return self._state.snapshot

    @property
    def size(self) -> int:
        """Parts that a search can find."""
        state = self._state
        segments = [state.tail] if state.mapped is None else [state.tail, state.mapped]
        return sum(int(np.count_nonzero(s.died > state.generation)) for s in segments)

    @property
    def tail_size(self) -> int:
        """Rows after the snapshot, replaced ones included: what a compaction would move."""
        return len(self._state.tail)

    @property
    def nbytes(self) -> int:
        """Bytes of this process's own memory; a snapshot's mapped files are not in it."""
        mapped = self._state.mapped
        return self._tail.nbytes + (mapped.died.nbytes if mapped else 0)

    # ---- changes

    def snapshot_set(self, snapshot: Snapshot | None) -> None:
        """Switch to a snapshot (or to none). Tail rows that it covers are dropped.

        A snapshot older than the one in use makes the watermark fall back to its own: the rows
        in between are no longer held, and the caller reads them again. Searches that are running
        finish on the old one.
        """
        if snapshot is not None and snapshot.manifest.d != self.d:
            raise SnapshotError(
                "snapshot_wrong_space",
                f"The snapshot has {snapshot.manifest.d} dimensions, not {self.d}.",
                found=snapshot.manifest.d,
                wanted=self.d,
            )
        with self._lock:
            base = snapshot.watermark if snapshot else 0
            kept = base >= self._base
            self._tail = self._tail.after(base) if kept else Tail(self.d)
            self._base = base
            tail = self._tail.segment()
            self._state = _State(
                snapshot=snapshot,
                mapped=self._segment(snapshot, replaced=tail.part_ids) if snapshot else None,
                tail=tail,
                watermark=max(base, self._state.watermark) if kept else base,
                generation=self._state.generation + 1,
            )

    def rows_append(self, batch: RowBatch) -> int:
        """Make rows findable by the next search; returns how many were new.

        Rows up to the watermark are ignored, so two threads may bring the same ones. A part's
        new row replaces its older one.
        """
        if batch.vectors.shape[1] != self.d:
            raise ValueError(f"vectors have {batch.vectors.shape[1]} dimensions, not {self.d}")
        with self._lock:
            state = self._state
            batch = batch.after(state.watermark)
            if len(batch) == 0:
                return 0
            generation = state.generation + 1
            self._tail.append(batch, generation=generation)
            self._bury(state, batch.part_ids, generation)
            if state.watermark < max(self._removed.values(), default=0):
                # The watermark fell back: rows removed before come along again.
                hidden = [
                    part_id
                    for seq, part_id in zip(
                        batch.seqs.tolist(), batch.part_ids.tolist(), strict=True
                    )
                    if seq <= self._removed.get(part_id, 0)
                ]
                self._tail.remove(np.array(hidden, np.int64), generation=generation)
            self._publish(state, int(batch.seqs[-1]), generation)
            return len(batch)

    def rows_remove(self, part_ids: Collection[int] | Ints) -> None:
        """Hide the parts' rows up to the watermark, now and in any snapshot set later.

        A row with a higher sequence number brings a part back.
        """
        ids = _ids(part_ids)
        with self._lock:
            state = self._state
            generation = state.generation + 1
            self._tail.remove(ids, generation=generation)
            self._bury(state, ids, generation)
            self._removed.update(dict.fromkeys(ids.tolist(), state.watermark))
            self._publish(state, state.watermark, generation)

    def _segment(self, snapshot: Snapshot, *, replaced: Ints) -> Segment:
        died = np.where(snapshot.part_ids < 0, 0, ALIVE)
        rows = snapshot.rows_of(replaced)
        died[rows[rows >= 0]] = 0
        if self._removed:
            rows = snapshot.rows_of(np.fromiter(self._removed, np.int64))
            seqs = np.fromiter(self._removed.values(), np.int64)[rows >= 0]
            rows = rows[rows >= 0]
            died[rows[snapshot.seqs[rows] <= seqs]] = 0
        return Segment(snapshot.part_ids, snapshot.offsets, snapshot.vectors, died)

    @staticmethod
    def _bury(state: _State, part_ids: Ints, generation: int) -> None:
        """Let the parts' snapshot rows die. Readers of older generations still see them."""
        if state.snapshot is None or state.mapped is None:
            return
        rows = state.snapshot.rows_of(part_ids)
        rows = rows[rows >= 0]
        died = state.mapped.died
        died[rows] = np.minimum(died[rows], generation)

    def _publish(self, state: _State, watermark: int, generation: int) -> None:
        self._state = _State(
            snapshot=state.snapshot,
            mapped=state.mapped,
            tail=self._tail.segment(),
            watermark=watermark,
            generation=generation,
        )

    # ---- searches

    def search(
        self,
        queries: Float,
        *,
        k: int,
        pooling: Pooling = "max",
        query_pooling: Pooling = "max",
        nprobe: int | None = None,
        exclude: Collection[int] | Ints | None = None,
        allowed: Collection[int] | Ints | Bools | None = None,
    ) -> Ranking:
        """The k nearest parts (fewer only if there are fewer).

        queries (q, d) float32, L2-normalised. `pooling` joins a part's views, `query_pooling`
        the query vectors. `nprobe` overrides the snapshot's own effort. `exclude` names parts to
        leave out; `allowed` the only parts to look at: their ids, or a bool table indexed by
        part id. ValueError for k below 1 and for queries of another shape or not finite.
        """
        queries = np.ascontiguousarray(queries, np.float32)
        if queries.ndim != 2 or queries.shape[1] != self.d or not len(queries):
            raise ValueError(f"queries must be (q, {self.d}), not {queries.shape}")
        if k < 1:
            raise ValueError(f"k must be at least 1, not {k}")
        if not np.isfinite(queries).all():
            raise ValueError("queries must be finite")
        allowed_ids, allowed_table = _allowed(allowed)
        question = _Question(
            queries=queries,
            k=k,
            pooling=pooling,
            query_pooling=query_pooling,
            nprobe=nprobe,
            excluded=_ids(() if exclude is None else exclude),
            allowed_ids=allowed_ids,
            allowed_table=allowed_table,
        )
        state = self._state
        found = [_segment_rank(state.tail, _eligible(state.tail, state, question), question)]
        if state.mapped is not None:
            found.append(_segment_rank(state.mapped, _mapped_rows(state, question), question))
        return _merge(found, k)

    def part_vectors(self, part_id: int) -> Float | None:
        """The embeddings (views, d) of a part as float32, or None when it is not in the index."""
        with self._lock:
            state = self._state
            row = self._tail.row_of(part_id)
            segment: Segment | None = state.tail
            if row is None and state.snapshot is not None and state.mapped is not None:
                segment = state.mapped
                row = int(state.snapshot.rows_of(np.array([part_id]))[0])
                if row < 0 or segment.died[row] <= state.generation:
                    row = None
        if row is None or segment is None:
            return None
        start, stop = segment.offsets[row], segment.offsets[row + 1]
        return segment.vectors[start:stop].astype(np.float32)


def _eligible(
    segment: Segment, state: _State, question: _Question, rows: Ints | None = None
) -> Ints:
    """The rows (of those given, or of all) that live and are asked for."""
    if rows is None:
        rows = np.arange(len(segment))
    rows = rows[segment.died[rows] > state.generation]
    return rows[question.admits(segment.part_ids[rows])]


def _mapped_rows(state: _State, question: _Question) -> Ints:
    """The snapshot's rows worth scoring exactly: all eligible ones, or the coarse index's."""
    snapshot, mapped = state.snapshot, state.mapped
    assert snapshot is not None
    assert mapped is not None
    named: Ints | None = None
    if question.allowed_ids is not None:
        named = snapshot.rows_of(question.allowed_ids)
        named = named[named >= 0]
    if snapshot.coarse is None:
        return _eligible(mapped, state, question, named)

    config = snapshot.manifest.config
    marked: Bools | None = None
    most = len(mapped) - len(question.excluded)
    if question.filtered:
        rows = _eligible(mapped, state, question, named)
        if np.sum(mapped.offsets[rows + 1] - mapped.offsets[rows]) <= config.exact_below:
            return rows
        marked = np.zeros(len(mapped), np.bool_)
        marked[rows] = True
        most = len(rows)
    # Views of one part crowd the candidates: too few parts, and the coarse index looks again.
    wanted = 2 * question.k
    share = max(1 / len(question.queries), _LEAST_SHARE)
    count = max(round(config.candidate_k * share), wanted)
    effort = question.nprobe or snapshot.manifest.effort
    for _ in range(_TRIES):
        if wanted * 4 > most:
            break
        rows = snapshot.candidates(question.queries, count=count, effort=effort, eligible=marked)
        rows = _eligible(mapped, state, question, rows)
        if len(rows) >= wanted:
            return rows
        count, effort = count * _WIDER, effort * _WIDER
    return _eligible(mapped, state, question, named)


def _segment_rank(segment: Segment, rows: Ints, question: _Question) -> Ranking:
    """The best of the rows, unordered: k, and those that tie with the last."""
    pooled, views = rows_score(
        segment.vectors, segment.offsets, rows, question.queries, pooling=question.pooling
    )
    nearest = pooled.argmax(axis=1)
    scores = pooled.mean(axis=1) if question.query_pooling == "mean" else pooled.max(axis=1)
    chosen = np.arange(len(rows))
    if len(rows) > question.k:
        least = np.partition(scores, len(scores) - question.k)[len(scores) - question.k]
        chosen = np.flatnonzero(scores >= least)
    return Ranking(
        part_ids=segment.part_ids[rows[chosen]],
        similarities=scores[chosen],
        best_views=views[chosen, nearest[chosen]],
        best_query=nearest[chosen].astype(np.int32),
    )


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


def _ids(part_ids: Collection[int] | NDArray[Any]) -> Ints:
    return np.unique(np.fromiter(part_ids, np.int64, len(part_ids)))


def _allowed(
    allowed: Collection[int] | NDArray[Any] | None,
) -> tuple[Ints | None, Bools | None]:
    """The facet filter as sorted ids or as a table; both None without one."""
    if allowed is None:
        return None, None
    if isinstance(allowed, np.ndarray) and allowed.dtype == np.bool_:
        return None, allowed
    return _ids(allowed), None


def _contains(ids: Ints, part_ids: Ints) -> Bools:
    """Which of part_ids (n,) are among the sorted ids."""
    if len(ids) == 0:
        return np.zeros(len(part_ids), np.bool_)
    places = np.minimum(np.searchsorted(ids, part_ids), len(ids) - 1)
    return np.equal(ids[places], part_ids)
