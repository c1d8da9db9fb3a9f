"""The rows after a snapshot: append-only arrays in memory that readers share without a lock.

Versions instead of locks: every change of a `SpaceIndex` has a generation, and `died` holds the
generation at which a row was replaced. A reader of generation g sees the first n rows
as they were then: row i lives if `died[i] > g`. Later writes touch only what it does not look at:
rows beyond n, and `died` values that are greater than g before and after.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from search.engine.index.types import RowBatch

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from search.engine.index.types import Half, Ints

_T = TypeVar("_T", bound=np.generic)

ALIVE = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class Segment:
    """Rows a search reads: part_ids (r,), offsets (r + 1,) into vectors (n, d), died (r,)."""

    part_ids: Ints
    offsets: Ints
    vectors: Half
    died: Ints

    def __len__(self) -> int:
        return len(self.part_ids)


class Tail:
    """Rows in the order they came. One writer at a time; readers keep a `segment()`."""

    def __init__(self, d: int) -> None:
        self._rows = 0
        self._seqs = np.empty(16, np.int64)
        self._part_ids = np.empty(16, np.int64)
        self._died = np.empty(16, np.int64)
        self._offsets = np.zeros(17, np.int64)
        self._vectors = np.empty((256, d), np.float16)
        self._latest: dict[int, int] = {}

    def __len__(self) -> int:
        return self._rows

    @property
    def nbytes(self) -> int:
        """Bytes held, room to grow included."""
        arrays = (self._seqs, self._part_ids, self._died, self._offsets, self._vectors)
        return sum(array.nbytes for array in arrays)

    def append(self, batch: RowBatch, *, generation: int) -> None:
        """Add rows; a part's earlier row here dies at `generation`."""
        start, stop = self._rows, self._rows + len(batch)
        first, last = int(self._offsets[start]), int(self._offsets[start]) + len(batch.vectors)
        self._seqs = _room(self._seqs, stop)
        self._part_ids = _room(self._part_ids, stop)
        self._died = _room(self._died, stop)
        self._offsets = _room(self._offsets, stop + 1)
        self._vectors = _room(self._vectors, last)
        self._seqs[start:stop] = batch.seqs
        self._part_ids[start:stop] = batch.part_ids
        self._died[start:stop] = ALIVE
        self._offsets[start + 1 : stop + 1] = batch.offsets[1:] + first
        self._vectors[first:last] = batch.vectors
        for row, part_id in enumerate(batch.part_ids.tolist(), start):
            before = self._latest.get(part_id)
            if before is not None:
                self._died[before] = generation
            self._latest[part_id] = row
        self._rows = stop

    def row_of(self, part_id: int) -> int | None:
        """The living row of a part."""
        return self._latest.get(part_id)

    def after(self, seq: int) -> Tail:
        """A new tail with the living rows of a higher sequence number."""
        n = self._rows
        keep = np.flatnonzero((self._seqs[:n] > seq) & (self._died[:n] == ALIVE))
        lengths = np.diff(self._offsets[: n + 1])[keep]
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        chosen = np.arange(offsets[-1]) + np.repeat(self._offsets[keep] - offsets[:-1], lengths)
        tail = Tail(self._vectors.shape[1])
        tail.append(
            RowBatch(self._seqs[keep], self._part_ids[keep], offsets, self._vectors[chosen]),
            generation=0,
        )
        return tail

    def segment(self) -> Segment:
        """The rows so far, as views: valid and unchanged however the tail grows."""
        n = self._rows
        return Segment(
            part_ids=self._part_ids[:n],
            offsets=self._offsets[: n + 1],
            vectors=self._vectors[: self._offsets[n]],
            died=self._died[:n],
        )


def _room(array: NDArray[_T], needed: int) -> NDArray[_T]:
    """The array itself, or a copy at least twice as long: appends cost O(1) amortised."""
    if needed <= len(array):
        return array
    grown = np.empty((max(needed, 2 * len(array)), *array.shape[1:]), array.dtype)
    grown[: len(array)] = array
    return grown
