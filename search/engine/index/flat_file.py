"""A plain faiss IndexFlatIP in a file, written and read a piece at a time.

faiss's own writer wants every vector in memory, which a million parts of twelve views do not leave
room for. The head of the file comes from faiss itself; behind it float32 follow one another.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, BinaryIO

import faiss as faiss_typed
import numpy as np

from search.engine.errors import SnapshotError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from search.engine.index.types import Float

# Its stubs lack half of its names.
faiss: Any = faiss_typed

# In the head: where the number of vectors stands (int64), and that of all floats (its last eight
# bytes, uint64). faiss/impl/index_write.cpp writes them so since its first version.
_VECTORS_AT = 8


class FlatWriter:
    """Writes (n, d) vectors as faiss would; the file is whole once the block has ended.

    A SnapshotError("snapshot_format") says that this faiss does not read what was written.
    """

    def __init__(self, path: Path, d: int) -> None:
        self.path, self.d, self.vectors = path, d, 0
        self._head = _head(d)
        self._first: Float | None = None
        self._last: Float | None = None
        self._file: BinaryIO

    def __enter__(self) -> FlatWriter:
        self._file = self.path.open("wb")
        self._file.write(self._head)
        return self

    def add(self, vectors: NDArray[np.floating[Any]]) -> None:
        if len(vectors) == 0:
            return
        rows = np.ascontiguousarray(vectors, "<f4")
        if rows.shape[1] != self.d:
            raise ValueError(f"vectors have {rows.shape[1]} dimensions, not {self.d}")
        self._file.write(rows.data)
        self.vectors += len(rows)
        self._first = rows[0].copy() if self._first is None else self._first
        self._last = rows[-1].copy()

    def __exit__(self, kind: object, *error: object) -> None:
        if kind is None:
            self._file.seek(_VECTORS_AT)
            self._file.write(struct.pack("<q", self.vectors))
            self._file.seek(len(self._head) - 8)
            self._file.write(struct.pack("<Q", self.vectors * self.d))
        self._file.close()
        if kind is None:
            self._check()

    def _check(self) -> None:
        try:
            index = faiss.read_index(str(self.path), faiss.IO_FLAG_MMAP_IFC)
            good = (index.ntotal, index.d, index.metric_type) == (
                self.vectors, self.d, faiss.METRIC_INNER_PRODUCT,
            )  # fmt: skip
            if self._first is not None and self._last is not None:
                good = good and np.array_equal(index.reconstruct(0), self._first)
                good = good and np.array_equal(index.reconstruct(self.vectors - 1), self._last)
        except RuntimeError:
            good = False
        if not good:
            raise SnapshotError(
                "snapshot_format",
                f"faiss {faiss.__version__} does not read {self.path.name} as it was written.",
                version=self.path.name,
                found=faiss.__version__,
            )


def flat_map(path: Path) -> Float:
    """The vectors (n, d) of a plain IndexFlatIP, mapped. SnapshotError: snapshot_format."""
    size = path.stat().st_size
    with path.open("rb") as file:
        begun = file.read(64)
    try:
        (d,) = struct.unpack_from("<i", begun, 4)
        (n,) = struct.unpack_from("<q", begun, _VECTORS_AT)
        head = _head(d) if 0 < d <= 2**16 else b""
        whole = bool(head) and n >= 0 and size == len(head) + n * d * 4
        # The head but for its numbers.
        alike = whole and begun[:8] == head[:8] and begun[16 : len(head) - 8] == head[16:-8]
    except struct.error:
        alike = False
    if not alike:
        raise SnapshotError(
            "snapshot_format", f"{path.name} is not a plain IndexFlatIP.", version=path.name
        )
    if n == 0:
        return np.empty((0, d), np.float32)
    return np.asarray(np.memmap(path, "<f4", mode="r", offset=len(head), shape=(n, d)))


def _head(d: int) -> bytes:
    """What faiss writes before the vectors of an index without any."""
    return bytes(faiss.serialize_index(faiss.IndexFlatIP(d)).tobytes())
