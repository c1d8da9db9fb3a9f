"""Embeddings of made-up parts, rows of them, and the brute-force answer to a query."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from search.engine.index.types import RowBatch

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from search.engine.index.types import Ranking

D = 32


def embeddings(parts: int, *, views: int = 4, seed: int = 0) -> NDArray[np.float16]:
    """(parts, views, D): correlated views around part centres around a few families."""
    rng = np.random.default_rng(seed)
    families = rng.standard_normal((12, D))
    centres = families[rng.integers(0, 12, parts)] + 0.7 * rng.standard_normal((parts, D))
    made = centres[:, None] + 0.6 * rng.standard_normal((parts, views, D))
    return (made / np.linalg.norm(made, axis=2, keepdims=True)).astype(np.float16)


def rows(vectors: NDArray[np.float16], *, first_seq: int = 1, first_id: int = 1) -> RowBatch:
    """vectors (parts, views, d) as rows with consecutive seqs and part ids."""
    count, views, d = vectors.shape
    return RowBatch(
        seqs=np.arange(first_seq, first_seq + count),
        part_ids=np.arange(first_id, first_id + count),
        offsets=np.arange(count + 1) * views,
        vectors=vectors.reshape(-1, d),
    )


def queries(count: int, *, seed: int = 1) -> NDArray[np.float32]:
    made = np.random.default_rng(seed).standard_normal((count, D)).astype(np.float32)
    return made / np.linalg.norm(made, axis=1, keepdims=True)


def brute(
    gallery: dict[int, NDArray[np.float16]],
    asked: NDArray[np.float32],
    *,
    pooling: str = "max",
    query_pooling: str = "max",
) -> dict[int, float]:
    """Part id -> pooled similarity, in float64."""
    joins = {"max": np.max, "mean": np.mean}
    return {
        part: float(
            joins[query_pooling](
                joins[pooling](vectors.astype(np.float64) @ asked.T.astype(np.float64), axis=0)
            )
        )
        for part, vectors in gallery.items()
    }


def check(ranking: Ranking, truth: dict[int, float], k: int) -> None:
    """The k best of the truth in order, allowing ties."""
    wanted = sorted(truth.values(), reverse=True)[:k]
    assert len(ranking) == len(wanted)
    assert len(set(ranking.part_ids.tolist())) == len(wanted)
    np.testing.assert_allclose(ranking.similarities, wanted, atol=1e-5)
    own = [truth[part] for part in ranking.part_ids.tolist()]
    np.testing.assert_allclose(ranking.similarities, own, atol=1e-5)


def unit_rows(count: int, d: int, *, seed: int) -> NDArray[np.float32]:
    """(count, d) directions of no meaning."""
    made = np.random.default_rng(seed).standard_normal((count, d)).astype(np.float32)
    return made / np.linalg.norm(made, axis=1, keepdims=True)
