"""Relevance feedback: a query moved towards what was marked as wanted, and away from what was not.

Rocchio, "Relevance feedback in information retrieval", in Salton (ed.), "The SMART retrieval
system", 1971; Manning, Raghavan and Schuetze, "Introduction to Information Retrieval", 9.1.1.
Pure functions on embeddings of one space.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

Float = NDArray[np.float32]


def query_move(
    query: Float,
    more: Sequence[Float],
    less: Sequence[Float],
    *,
    alpha: float,
    beta: float,
    gamma: float,
) -> Float:
    """alpha query + beta mean(more) - gamma mean(less), L2-normalised, for each row of the query.

    query (q, d); each part of `more` and `less` its views (v, d), all L2-normalised. For each row
    a part stands as the view nearest to that row: a picture of a front is not moved towards a
    back. A row that is cancelled out stays where it was. Returns (q, d).
    """
    moved = alpha * query.astype(np.float64)
    for parts, weight in ((more, beta), (less, -gamma)):
        if len(parts):
            moved += weight * np.mean([_nearest(query, views) for views in parts], axis=0)
    lengths = np.linalg.norm(moved, axis=1, keepdims=True)
    return np.where(lengths > 1e-6, moved / np.maximum(lengths, 1e-6), query).astype(np.float32)


def _nearest(query: Float, views: Float) -> Float:
    """(q, d) of the views (v, d), the nearest to each row of the query."""
    nearest: Float = views[np.argmax(query @ views.T, axis=1)]
    return nearest
