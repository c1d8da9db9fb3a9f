"""Choose how hard a coarse index must look, by measuring it against exact search."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from search.engine.index.exact import rows_score

if TYPE_CHECKING:
    from search.engine.index.snapshot import Snapshot
    from search.engine.index.types import Float, Ints

_SAMPLE = 100
_SPREAD = 2000
_K = 10
# A photo is not in the gallery: the cosine between a sampled view and its noisy query. The median
# photo of real parts has .57 to the nearest view of its part in the mini engine's space.
_LIKENESS = 0.57
_WORTH = 0.005


def effort_tune(snapshot: Snapshot, *, seed: int) -> tuple[int, dict[int, float]]:
    """The least effort that reaches the config's recall target, and recall@10 at each one tried.

    Queries are views of the gallery moved by noise. When no effort reaches the target, the least
    that comes within _WORTH of the best is taken. With config.nprobe set, that is the effort, and
    only its recall is measured.
    """
    assert snapshot.coarse is not None
    config = snapshot.manifest.config
    queries = _queries_sample(snapshot, seed)
    truth = _exact(snapshot, queries)
    recalls: dict[int, float] = {}
    for effort in [config.nprobe] if config.nprobe else snapshot.coarse.efforts:
        shares = [
            len(np.intersect1d(wanted, _found(snapshot, query[None], effort))) / len(wanted)
            for query, wanted in zip(queries, truth, strict=True)
        ]
        recalls[effort] = round(float(np.mean(shares)), 4)
        if recalls[effort] >= config.recall_target:
            break
    best = max(recalls.values())
    enough = config.recall_target if best >= config.recall_target else best - _WORTH
    return next(effort for effort, recall in recalls.items() if recall >= enough), recalls


def _queries_sample(snapshot: Snapshot, seed: int) -> Float:
    rng = np.random.default_rng(seed)
    n = len(snapshot.vectors)
    chosen = np.sort(rng.choice(n, min(_SPREAD, n), replace=False))
    sample = snapshot.vectors[chosen].astype(np.float32)
    views = rng.permutation(sample)[:_SAMPLE]
    # Gaussian sums of the gallery's own vectors: noise with its covariance. Isotropic noise lies
    # mostly where no part is, disturbs nobody, and flatters the recall.
    noise = rng.standard_normal((len(views), len(sample)), np.float32) @ sample
    noise /= np.linalg.norm(noise, axis=1, keepdims=True)
    mixed = _LIKENESS * views + np.sqrt(1 - _LIKENESS**2) * noise
    return np.asarray(mixed / np.linalg.norm(mixed, axis=1, keepdims=True), np.float32)


def _exact(snapshot: Snapshot, queries: Float) -> list[Ints]:
    """Rows of the ten best parts of each query, by scoring everything."""
    best: list[Ints] = []
    rows = np.flatnonzero(snapshot.part_ids >= 0)
    starts, stops = snapshot.offsets[rows], snapshot.offsets[rows + 1]
    # Some at a time: the scores of a million parts take 80 MB.
    for first in range(0, len(queries), 20):
        some = queries[first : first + 20]
        pooled, _ = rows_score(snapshot.vectors, starts, stops, some, pooling="max")
        best.extend(rows[np.argsort(-column)[:_K]] for column in pooled.T)
    return best


def _found(snapshot: Snapshot, query: Float, effort: int) -> Ints:
    """Rows of the ten best parts of one query, as a search finds them."""
    rows, similarities = snapshot.candidates(query, effort=effort)
    living = snapshot.part_ids[rows] >= 0
    rows, similarities = rows[living], similarities[living]
    return rows[np.argsort(-similarities[:, 0])[:_K]]
