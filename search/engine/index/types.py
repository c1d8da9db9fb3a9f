"""The arrays that enter and leave an index."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Half = NDArray[np.float16]
Float = NDArray[np.float32]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Pooling = Literal["max", "mean"]


@dataclass(frozen=True, slots=True)
class RowBatch:
    """Embedding rows of one space in the order of their sequence numbers.

    A row is one part: `vectors[offsets[i]:offsets[i + 1]]` are the L2-normalised embeddings of
    its views. seqs (r,) strictly increasing; part_ids (r,) >= 0; offsets (r + 1,) from 0;
    vectors (offsets[-1], d). Raises ValueError for anything else, not-finite vectors included.
    """

    seqs: Ints
    part_ids: Ints
    offsets: Ints
    vectors: Half

    def __post_init__(self) -> None:
        rows = len(self.seqs)
        if self.vectors.ndim != 2 or self.vectors.dtype != np.float16:
            raise ValueError("vectors must be a float16 array (n, d)")
        if len(self.part_ids) != rows or len(self.offsets) != rows + 1:
            raise ValueError("seqs, part_ids and offsets must describe the same rows")
        if self.offsets[0] != 0 or self.offsets[-1] != len(self.vectors):
            raise ValueError("offsets must run from 0 to the number of vectors")
        if np.any(np.diff(self.offsets) < 1):
            raise ValueError("every row needs at least one vector")
        if np.any(np.diff(self.seqs) < 1) or (rows and self.seqs[0] < 1):
            raise ValueError("seqs must be positive and strictly increasing")
        if np.any(self.part_ids < 0):
            raise ValueError("part_ids must not be negative")
        exponents = np.ascontiguousarray(self.vectors).view(np.uint16) & 0x7C00
        if np.any(exponents == 0x7C00):
            raise ValueError("vectors must be finite")

    def __len__(self) -> int:
        return len(self.seqs)

    def after(self, seq: int) -> RowBatch:
        """The rows with a higher sequence number."""
        first = int(np.searchsorted(self.seqs, seq, side="right"))
        if first == 0:
            return self
        start = self.offsets[first]
        return RowBatch(
            self.seqs[first:],
            self.part_ids[first:],
            self.offsets[first:] - start,
            self.vectors[start:],
        )


@dataclass(frozen=True, slots=True)
class Ranking:
    """The nearest parts, best first; equal similarities are ordered by part id.

    part_ids (n,) int64; similarities (n,) float32, the pooled cosine; best_query (n,) which query
    vector came nearest to the part, best_views (n,) and to which of its views.
    """

    part_ids: Ints
    similarities: Float
    best_views: NDArray[np.int32]
    best_query: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.part_ids)
