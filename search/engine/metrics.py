"""Measures of retrieval and of time: pure functions on arrays.

`grades` are the judgements of a ranking's parts, best-ranked first: 0 is irrelevant, higher is
better. `ideal` are the grades of all judged parts of the query, retrieved or not.
Definitions: Manning, Raghavan and Schuetze, "Introduction to Information Retrieval", chapter 8.
"""

from __future__ import annotations

from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

_ROWS = 200_000  # drawn at a time
# Of so many values the resamples' means are normal: what they would tell is known without them.
NORMAL_FROM = 10_000


def grades_of(part_ids: ArrayLike, judgements: Mapping[int, float]) -> NDArray[np.float64]:
    """The grade of each ranked part (n,); a part without a judgement is irrelevant."""
    return np.array([judgements.get(int(part), 0.0) for part in np.asarray(part_ids)], np.float64)


def precision_at_k(grades: ArrayLike, k: int) -> float:
    """Share of the first k places that hold a relevant part; empty places count as misses."""
    return float(np.count_nonzero(_first(grades, k) > 0) / k)


def recall_at_k(grades: ArrayLike, k: int, *, relevant: int) -> float:
    """Share of the `relevant` parts that are among the first k; 0 when there are none."""
    found = np.count_nonzero(_first(grades, k) > 0)
    return float(found / relevant) if relevant else 0.0


def reciprocal_rank(grades: ArrayLike) -> float:
    """1 / rank of the first relevant part, 0 without one. Its mean over queries is the MRR."""
    places = np.flatnonzero(np.asarray(grades) > 0)
    return float(1 / (places[0] + 1)) if len(places) else 0.0


def average_precision(grades: ArrayLike, *, relevant: int) -> float:
    """Mean of the precisions at each of the `relevant` parts; a part not found brings 0."""
    places = np.flatnonzero(np.asarray(grades) > 0)
    if not relevant:
        return 0.0
    return float(np.sum(np.arange(1, len(places) + 1) / (places + 1)) / relevant)


def ndcg_at_k(grades: ArrayLike, k: int, *, ideal: ArrayLike) -> float:
    """Discounted gain of the first k over the best possible one; 0 when nothing is relevant.

    Gain 2^grade - 1, discount log2(rank + 1): Burges et al., "Learning to rank using gradient
    descent", ICML 2005.
    """
    best = _gain(-np.sort(-np.asarray(ideal, np.float64)), k)
    return _gain(grades, k) / best if best > 0 else 0.0


def bootstrap_interval(
    values: ArrayLike, *, confidence: float = 0.95, resamples: int = 2000, seed: int = 0
) -> tuple[float, float]:
    """Percentile bootstrap interval of the mean of per-query values (n,), n >= 1."""
    column = np.asarray(values, np.float64)[:, None]
    ((low, high),) = bootstrap_intervals(
        column, confidence=confidence, resamples=resamples, seed=seed
    )
    return float(low), float(high)


def bootstrap_intervals(
    values: ArrayLike, *, confidence: float = 0.95, resamples: int = 2000, seed: int = 0
) -> NDArray[np.float64]:
    """(m, 2) intervals of the means of the columns of (n, m), over the same resamples of rows.

    Efron and Tibshirani, "An introduction to the bootstrap", chapter 13.
    """
    array = np.asarray(values, np.float64)
    edge = (1 - confidence) / 2
    if len(array) >= NORMAL_FROM:
        mean = array.mean(axis=0)
        reach = -NormalDist().inv_cdf(edge) * array.std(axis=0) / np.sqrt(len(array))
        both = np.stack([mean - reach, mean + reach], axis=1)
        return np.asarray(np.clip(both, array.min(axis=0)[:, None], array.max(axis=0)[:, None]))
    rng = np.random.default_rng(seed)
    # So many rows at a time: all at once would not be modest.
    batch = max(1, _ROWS // len(array))
    means = []
    for start in range(0, resamples, batch):
        drawn = rng.integers(0, len(array), (min(batch, resamples - start), len(array)), np.int32)
        means.append(array[drawn].mean(axis=1))
    return np.asarray(np.quantile(np.concatenate(means), [edge, 1 - edge], axis=0).T)


def percentiles(values: ArrayLike, points: Sequence[float] = (50, 95, 99)) -> dict[str, float]:
    """Percentiles of timings (n,), n >= 1: {"p50": ..., "p95": ..., "p99": ...}."""
    found = np.percentile(np.asarray(values, np.float64), points)
    return {f"p{point:g}": float(value) for point, value in zip(points, found, strict=True)}


def _first(grades: ArrayLike, k: int) -> NDArray[np.float64]:
    if k < 1:
        raise ValueError(f"k must be at least 1, not {k}")
    return np.asarray(grades, np.float64)[:k]


def _gain(grades: ArrayLike, k: int) -> float:
    first = _first(grades, k)
    return float(np.sum((2**first - 1) / np.log2(np.arange(2, len(first) + 2))))
