"""Join views into a part, two embeddings into one, several rankings into one.

Pure functions on arrays. Knows no engines: names are only keys, and weights come from the caller.
Several rankings become a `Fused`: one order, and what each ranking's share in every score is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Float = NDArray[np.float32]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Key = TypeVar("Key")

# How far under the last of an engine's best its other parts may fall, in its lead's length.
FLOOR = 0.2


@dataclass(frozen=True, slots=True)
class Fused:
    """Several rankings as one: part ids (n,) and their scores (n,), best first.

    `shares` says of each ranking that counted, for every part (n,), which part of its score came
    from there: 0..1, together 1. What a ranking lifts a part above the least that it gives to any
    is its contribution; a part that nothing lifts has the weights themselves as shares.
    """

    part_ids: Ints
    scores: Floats
    shares: Mapping[Any, Floats]


def views_mean(vectors: Float) -> Float:
    """(v, d) embeddings of a part's views -> (1, d): their mean, L2-normalised."""
    mean = vectors.mean(axis=0, keepdims=True)
    return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-12), np.float32)


def embeddings_fuse(image: Float, text: Float, *, alpha: float) -> Float:
    """One query (d,) from a picture's and a text's embedding of the same space, L2-normalised.

    alpha in [0, 1] is the picture's weight. Opposite embeddings that cancel out leave the
    picture's.
    """
    if not 0 <= alpha <= 1:
        raise ValueError(f"alpha must be in [0, 1], not {alpha}")
    if image.shape != text.shape:
        raise ValueError(f"embeddings of {image.shape} and {text.shape} are not of one space")
    mixed = alpha * image + (1 - alpha) * text
    length = float(np.linalg.norm(mixed))
    if length < 1e-6:
        mixed, length = image, float(np.linalg.norm(image))
    return np.asarray(mixed / length, np.float32)


def rankings_fuse(
    rankings: Mapping[str, Ints], weights: Mapping[str, float], *, c: float = 60.0
) -> Fused:
    """Weighted reciprocal rank fusion: score(part) = sum of weight / (c + rank), rank from 1.

    Cormack, Clarke and Buettcher, "Reciprocal rank fusion outperforms Condorcet and individual
    rank learning methods", SIGIR 2009, with their c = 60. rankings: part ids (n,) best first,
    without repeats; every one needs a weight, and one of weight 0 is left out whole. A ranking
    that lacks a part has no share in its score. Equal scores are ordered by part id.
    """
    some = {}
    for name, ranking in rankings.items():
        ids, weight = np.asarray(ranking, np.int64), weights[name]
        if weight < 0:
            raise ValueError(f"the weight of {name} must not be negative: {weight}")
        if len(np.unique(ids)) != len(ids):
            raise ValueError(f"the ranking of {name} repeats a part")
        if weight > 0 and len(ids):
            some[name] = (ids, weight / (c + np.arange(1, len(ids) + 1, dtype=np.float64)))
    parts = _union(ids for ids, _ in some.values())
    columns = {name: _column(parts, *found, missing=0.0) for name, found in some.items()}
    return _fused(parts, columns, columns, weights)


def scores_fuse(
    rankings: Mapping[str, tuple[Ints, Float]], weights: Mapping[str, float], *, head: int = 20
) -> Fused:
    """Weighted sum of standardised similarities, for rankings whose similarities mean something.

    Each ranking, (part ids (n,), similarities (n,)) best first, is measured in deviations from the
    mean of its first `head`: a lead that is large among its own neighbours counts much, wherever
    the engine's similarities lie. A part that a ranking lacks gets its last similarity. (CombSUM of
    z-scores: Fox and Shaw 1994; Montague and Aslam, "Relevance score normalization for
    metasearch", CIKM 2001; the head in place of all, since the tail is cut anyway.) Equal scores
    are ordered by part id.
    """
    columns = {}
    for name, (ids, similarities) in rankings.items():
        if not len(ids):
            continue
        first = similarities[:head].astype(np.float64)
        # One part alone, or equals: no deviation to measure by, and nothing to tell apart.
        deviation = max(float(first.std()), 1e-6)
        standard = (similarities.astype(np.float64) - first.mean()) / deviation
        columns[name] = (ids, standard, float(standard[-1]))
    return _weighed(columns, weights)


def similarities_scale(similarities: Float, *, first: float, last: float) -> Floats:
    """Similarities on the scale of scores: 1 at `first`, 0 at `last`, never under -FLOOR.

    `first` and `last` are an engine's best and the last of its best for this query: wherever an
    engine's similarities lie, its lead then counts the same. (Min-max normalisation before a
    convex combination: Bruch, Gai and Ingber, "An analysis of fusion functions for hybrid
    retrieval", TOIS 2023.) Below `last` the scale bends towards its floor, so that order is kept
    and a part found in another way loses little by standing far down here.
    """
    scaled = (similarities.astype(np.float64) - last) / max(first - last, 1e-6)
    below = np.minimum(scaled, 0)
    return np.where(scaled < 0, FLOOR * below / (FLOOR - below), scaled)


def scores_add(columns: Mapping[Key, tuple[Ints, Floats]], weights: Mapping[Key, float]) -> Fused:
    """Weighted sum of scores that share a scale.

    columns: part ids (n,) without repeats and their scores (n,). A part that a column lacks gets
    the lowest of it, or 0 if all there are above. Equal scores are ordered by part id.
    """
    return _weighed(
        {
            name: (ids, scores, min(float(scores.min()), 0.0))
            for name, (ids, scores) in columns.items()
            if len(ids)
        },
        weights,
    )


def _weighed(
    columns: Mapping[Key, tuple[Ints, Floats, float]], weights: Mapping[Key, float]
) -> Fused:
    """Columns of ids, scores and the score of what is missing, as a weighted sum."""
    some = {name: found for name, found in columns.items() if weights[name] > 0}
    parts = _union(ids for ids, _, _ in some.values())
    weighed = {
        name: weights[name] * _column(parts, ids, scores, missing=missing)
        for name, (ids, scores, missing) in some.items()
    }
    lifts = {name: column - column.min() for name, column in weighed.items()}
    return _fused(parts, weighed, lifts, weights)


def _union(ids: Iterable[Ints]) -> Ints:
    return np.unique(np.concatenate([np.empty(0, np.int64), *ids]))


def _column(parts: Ints, ids: Ints, values: Floats, *, missing: float) -> Floats:
    """The values (n,) at the places of their ids among all `parts`, sorted."""
    column = np.full(len(parts), missing)
    column[np.searchsorted(parts, ids)] = values
    return column


def _fused(
    parts: Ints,
    columns: Mapping[Key, Floats],
    lifts: Mapping[Key, Floats],
    weights: Mapping[Key, float],
) -> Fused:
    """The parts by the sum of the columns; the lifts are what each column's share goes by."""
    # Sorted, so that the sums do not depend on the order of the mapping.
    names = sorted(columns, key=repr)
    nothing = np.zeros(len(parts), np.float64)
    scores, lifted = (sum((of[name] for name in names), nothing) for of in (columns, lifts))
    order = np.lexsort((parts, -scores))
    total = sum(weights[name] for name in names)
    some = lifted > 0
    shares = {
        name: np.where(some, lifts[name] / np.where(some, lifted, 1), weights[name] / total)[order]
        for name in names
    }
    return Fused(parts[order], scores[order], shares)
