"""Writes and reads the rows of vectors, which are the truth the indices are made from.

Every row of a space has a sequence number, given under the lock of the space's row and held until
the commit: rows become visible in the order of their numbers, without gaps, on any database. So a
reader that has seen number n needs only what is above n, and can never miss a row committed late
(docs/decisions/0002-snapshot-and-tail.md).
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np
from django.db import transaction
from numpy.typing import NDArray

from search.engine.index.types import RowBatch
from search.models import Embedding, Space

if TYPE_CHECKING:
    from search.engine.encoders import space as engine_space

BATCH = 500  # rows read at once: 5 MB of the largest space's vectors
LITTLE_HALF = np.dtype("<f2")


def space_row(space: "engine_space.Space") -> Space:
    """The database's row of an engine's space, made when it is first needed."""
    row, _created = Space.objects.get_or_create(
        key=space.key, defaults={"encoder": space.encoder, "d": space.d}
    )
    return row


def embeddings_write(
    *, part_id: int, space: "engine_space.Space", vectors: NDArray[np.float32]
) -> bool:
    """Keep a part's (views, d) vectors, in place of those it had. False when they are the same.

    ValueError for what is of another dimension or not finite: one such row, and no search of the
    space could be answered.
    """
    if vectors.ndim != 2 or vectors.shape[1] != space.d or not len(vectors):
        raise ValueError(f"vectors must be (views, {space.d}), not {vectors.shape}")
    if not np.isfinite(vectors).all():
        raise ValueError(f"the vectors of part {part_id} in {space.key} are not finite")
    data = np.ascontiguousarray(vectors, dtype=LITTLE_HALF).tobytes()
    row = space_row(space)
    with transaction.atomic():
        row = Space.objects.select_for_update().get(pk=row.pk)
        held = Embedding.objects.filter(space=row, part=part_id).first()
        if held and bytes(held.vectors) == data:
            return False
        if held:
            held.delete()
        row.last_seq += 1
        row.save(update_fields=["last_seq"])
        Embedding.objects.create(
            space=row, part_id=part_id, seq=row.last_seq, views=len(vectors), vectors=data
        )
    return True


def embeddings_read(part_id: int, space_key: str) -> NDArray[np.float32] | None:
    """The part's (views, d) vectors in a space, or None."""
    row = (
        Embedding.objects.filter(part=part_id, space__key=space_key)
        .values_list("vectors", "views")
        .first()
    )
    if row is None:
        return None
    return np.frombuffer(row[0], LITTLE_HALF).reshape(row[1], -1).astype(np.float32)


def embeddings_of(part_ids: Iterable[int], space_key: str) -> dict[int, NDArray[np.float32]]:
    """The (views, d) vectors of several parts in a space: {part id: vectors}."""
    rows = Embedding.objects.filter(part__in=part_ids, space__key=space_key)
    return {
        part: np.frombuffer(vectors, LITTLE_HALF).reshape(views, -1).astype(np.float32)
        for part, views, vectors in rows.values_list("part_id", "views", "vectors")
    }


def rows_after(space: Space, seq: int, *, until: int | None = None) -> Iterator[RowBatch]:
    """The space's rows above `seq` (up to `until`) in order, in batches of bounded memory.

    Each batch is a query of its own: no cursor stays open over a long build.
    """
    while True:
        rows = Embedding.objects.filter(space=space, seq__gt=seq)
        if until is not None:
            rows = rows.filter(seq__lte=until)
        found = list(rows.order_by("seq").values_list("seq", "part_id", "views", "vectors")[:BATCH])
        if not found:
            return
        seqs, parts, views, vectors = zip(*found, strict=True)
        yield RowBatch(
            seqs=np.array(seqs, np.int64),
            part_ids=np.array(parts, np.int64),
            offsets=np.concatenate(([0], np.cumsum(views))).astype(np.int64),
            vectors=np.frombuffer(b"".join(vectors), LITTLE_HALF).reshape(-1, space.d),
        )
        seq = seqs[-1]
        if len(found) < BATCH:
            return
