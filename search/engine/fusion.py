"""Join views into a part, two embeddings into one, several rankings into one.

Pure functions on arrays. Knows no engines: names are only keys, and weights come from the caller.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Mapping

Float = NDArray[np.float32]
Ints = NDArray[np.int64]
Key = TypeVar("Key")

# How far under the last of an engine's best its other parts may fall, in its lead's length.
FLOOR = 0.2


def views_pool(similarities: Float, offsets: Ints, *, pooling: Literal["max", "mean"]) -> Float:
    """Pool the similarities of views into those of their parts.

    similarities (n,) or (n, q); part i owns views offsets[i]:offsets[i + 1], at least one;
    offsets (r + 1,). Returns (r,) or (r, q).
    """
    starts, lengths = offsets[:-1], np.diff(offsets)
    if pooling == "max":
        return np.maximum.reduceat(similarities, starts, axis=0)
    shape = (-1, *[1] * (similarities.ndim - 1))
    pooled = np.add.reduceat(similarities, starts, axis=0) / lengths.reshape(shape)
    return pooled.astype(np.float32)


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
) -> tuple[Ints, NDArray[np.float64]]:
    """Weighted reciprocal rank fusion: score(part) = sum of weight / (c + rank), rank from 1.

    Cormack, Clarke and Buettcher, "Reciprocal rank fusion outperforms Condorcet and individual
    rank learning methods", SIGIR 2009, with their c = 60. rankings: part ids (n,) best first,
    without repeats; every one needs a weight, and one of weight 0 is left out whole. Returns
    part ids and scores, best first; equal scores are ordered by part id.
    """
    ids: list[Ints] = [np.empty(0, np.int64)]
    shares: list[NDArray[np.float64]] = [np.empty(0, np.float64)]
    # Sorted, so that the sums do not depend on the order of the mapping.
    for name in sorted(rankings):
        ranking = np.asarray(rankings[name], np.int64)
        weight = weights[name]
        if weight < 0:
            raise ValueError(f"the weight of {name} must not be negative: {weight}")
        if len(np.unique(ranking)) != len(ranking):
            raise ValueError(f"the ranking of {name} repeats a part")
        if weight > 0:
            ids.append(ranking)
            shares.append(weight / (c + np.arange(1, len(ranking) + 1, dtype=np.float64)))
    parts, places = np.unique(np.concatenate(ids), return_inverse=True)
    scores = np.zeros(len(parts), np.float64)
    np.add.at(scores, places, np.concatenate(shares))
    order = np.lexsort((parts, -scores))
    return parts[order], scores[order]


def scores_fuse(
    rankings: Mapping[str, tuple[Ints, Float]], weights: Mapping[str, float], *, head: int = 20
) -> tuple[Ints, NDArray[np.float64]]:
    """Weighted sum of standardised similarities, for rankings whose similarities mean something.

    Each ranking, (part ids (n,), similarities (n,)) best first, is measured in deviations from the
    mean of its first `head`: a lead that is large among its own neighbours counts much, wherever
    the engine's similarities lie. A part that a ranking lacks gets its last similarity. (CombSUM of
    z-scores: Fox and Shaw 1994; Montague and Aslam, "Relevance score normalization for
    metasearch", CIKM 2001; the head in place of all, since the tail is cut anyway.) Returns part
    ids and scores, best first; equal scores are ordered by part id.
    """
    some = {name: found for name, found in rankings.items() if weights[name] > 0 and len(found[0])}
    parts = np.unique(np.concatenate([np.empty(0, np.int64), *(ids for ids, _ in some.values())]))
    scores = np.zeros(len(parts), np.float64)
    for name in sorted(some):
        ids, similarities = some[name]
        first = similarities[:head].astype(np.float64)
        # One part alone, or equals: no deviation to measure by, and nothing to tell apart.
        deviation = max(float(first.std()), 1e-6)
        standard = (similarities.astype(np.float64) - first.mean()) / deviation
        column = np.full(len(parts), standard[-1])
        column[np.searchsorted(parts, ids)] = standard
        scores += weights[name] * column
    order = np.lexsort((parts, -scores))
    return parts[order], scores[order]


def similarities_scale(similarities: Float, *, first: float, last: float) -> NDArray[np.float64]:
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


def scores_add(
    columns: Mapping[Key, tuple[Ints, NDArray[np.float64]]], weights: Mapping[Key, float]
) -> tuple[Ints, NDArray[np.float64]]:
    """Weighted sum of scores that share a scale.

    columns: part ids (n,) without repeats and their scores (n,). A part that a column lacks gets
    the lowest of it, or 0 if all there are above. Returns part ids and scores, best first; equal
    scores are ordered by part id.
    """
    some = {name: found for name, found in columns.items() if weights[name] > 0 and len(found[0])}
    parts = np.unique(np.concatenate([np.empty(0, np.int64), *(ids for ids, _ in some.values())]))
    total = np.zeros(len(parts), np.float64)
    for name, (ids, scores) in some.items():
        column = np.full(len(parts), min(float(scores.min()), 0.0))
        column[np.searchsorted(parts, ids)] = scores
        total += weights[name] * column
    order = np.lexsort((parts, -total))
    return parts[order], total[order]
