"""One space's index in one process: a snapshot, the rows after it, and searches over both.

Writers (`snapshot_set`, `rows_append`) take turns and publish a new immutable
generation; a search reads it once and works on it to its end, so a switch in the middle can
neither hide a part nor show it twice. Where rows come from is the caller's business.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import numpy as np

from search.engine.errors import SnapshotError
from search.engine.index.retrieval import (
    Generation,
    parts_rank,
    parts_rank_many,
    question_make,
)
from search.engine.index.tail import ALIVE, Segment, Tail

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from search.engine.index.snapshot import Snapshot
    from search.engine.index.types import Bools, Float, Ints, Pooling, Ranking, RowBatch


class SpaceIndex:
    """Snapshot and tail of one space of dimension d. Any thread may call any method."""

    def __init__(self, d: int) -> None:
        self.d = d
        self._lock = threading.Lock()
        self._tail = Tail(d)
        # The watermark below which the tail holds nothing.
        self._base = 0
        self._now = Generation(
            number=0, watermark=0, snapshot=None, mapped=None, tail=self._tail.segment()
        )

    @property
    def watermark(self) -> int:
        """The highest sequence number held: ask the database for the rows after it."""
        return self._now.watermark

    @property
    def snapshot(self) -> Snapshot | None:
        """The snapshot in use."""
        return self._now.snapshot

    @property
    def size(self) -> int:
        """Parts that a search can find."""
        now = self._now
        return sum(
            int(np.count_nonzero(segment.died > now.number))
            for segment in (now.mapped, now.tail)
            if segment is not None
        )

    @property
    def tail_size(self) -> int:
        """Rows after the snapshot, replaced ones included: what a compaction would move."""
        return len(self._now.tail)

    @property
    def nbytes(self) -> int:
        """Bytes of this process's own memory; the snapshot's mapped files are not in it."""
        mapped = self._now.mapped
        return self._tail.nbytes + (mapped.died.nbytes if mapped else 0)

    def snapshot_set(self, snapshot: Snapshot | None) -> None:
        """Switch to a snapshot (or to none). Tail rows that it covers are dropped.

        A snapshot older than the one in use makes the watermark fall back to its own: the rows
        in between are no longer held, and the caller reads them again. Searches that are running
        finish on the old one. SnapshotError: snapshot_wrong_space.
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
            contiguous = base >= self._base
            self._tail = self._tail.after(base) if contiguous else Tail(self.d)
            self._base = base
            tail = self._tail.segment()
            self._now = Generation(
                number=self._now.number + 1,
                watermark=max(base, self._now.watermark) if contiguous else base,
                snapshot=snapshot,
                mapped=self._mapped(snapshot, replaced=tail.part_ids) if snapshot else None,
                tail=tail,
            )

    def rows_append(self, batch: RowBatch) -> int:
        """Make rows findable by the next search; returns how many were new.

        Rows up to the watermark are ignored, so two threads may bring the same ones. A part's
        new row replaces its older one. ValueError: vectors of another dimension.
        """
        if batch.vectors.shape[1] != self.d:
            raise ValueError(f"vectors have {batch.vectors.shape[1]} dimensions, not {self.d}")
        with self._lock:
            batch = batch.after(self._now.watermark)
            if len(batch) == 0:
                return 0
            number = self._now.number + 1
            self._tail.append(batch, generation=number)
            self._publish(number, int(batch.seqs[-1]), changed=batch.part_ids)
            return len(batch)

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
        part id. ValueError for k or nprobe below 1 and for queries of another shape or not finite.
        """
        question = question_make(
            queries,
            d=self.d,
            k=k,
            pooling=pooling,
            query_pooling=query_pooling,
            nprobe=nprobe,
            exclude=exclude,
            allowed=allowed,
        )
        return parts_rank(self._now, question)

    def search_many(
        self,
        questions: Sequence[Float],
        *,
        k: int,
        pooling: Pooling = "max",
        query_pooling: Pooling = "max",
        nprobe: int | None = None,
        exclude: Sequence[Collection[int] | Ints] | None = None,
        allowed: Collection[int] | Ints | Bools | None = None,
    ) -> list[Ranking]:
        """`search` of many independent questions (each (q, d)), all on one generation.

        `exclude` names for each question the parts that its answer leaves out. The answers are
        those of one search after another; the exact rows are read once for many of them.
        """
        if exclude is not None and len(exclude) != len(questions):
            raise ValueError("exclude must name the parts for every question")
        asked = [
            question_make(
                queries,
                d=self.d,
                k=k,
                pooling=pooling,
                query_pooling=query_pooling,
                nprobe=nprobe,
                exclude=None if exclude is None else exclude[i],
                allowed=allowed,
            )
            for i, queries in enumerate(questions)
        ]
        return parts_rank_many(self._now, asked)

    def part_vectors(self, part_id: int) -> Float | None:
        """The embeddings (views, d) of a part as float32, or None when it is not in the index."""
        with self._lock:
            now = self._now
            segment, row = now.tail, self._tail.row_of(part_id)
            if row is None and now.snapshot is not None and now.mapped is not None:
                segment, row = now.mapped, int(now.snapshot.rows_of(np.array([part_id]))[0])
        if row is None or row < 0 or segment.died[row] <= now.number:
            return None
        start, stop = segment.offsets[row], segment.offsets[row + 1]
        return segment.vectors[start:stop].astype(np.float32)

    def _mapped(self, snapshot: Snapshot, *, replaced: Ints) -> Segment:
        """A new snapshot's rows; those that this process knows better than it are dead."""
        died = np.where(snapshot.part_ids < 0, 0, ALIVE)
        rows = snapshot.rows_of(replaced)
        died[rows[rows >= 0]] = 0
        return Segment(snapshot.part_ids, snapshot.offsets, snapshot.vectors, died)

    def _publish(self, number: int, watermark: int, *, changed: Ints) -> None:
        """Let the changed parts' snapshot rows die, then show the next generation."""
        now = self._now
        if now.snapshot is not None and now.mapped is not None:
            rows = now.snapshot.rows_of(changed)
            rows = rows[rows >= 0]
            now.mapped.died[rows] = np.minimum(now.mapped.died[rows], number)
        self._now = Generation(
            number=number,
            watermark=watermark,
            snapshot=now.snapshot,
            mapped=now.mapped,
            tail=self._tail.segment(),
        )
