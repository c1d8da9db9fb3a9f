"""Whether two parts are one part twice: the same geometry in other triangles, or nearly one part.

`relation` compares surfaces that are equal to rounding. A mesh exported again with other segments,
or thinned, is another surface: its invariants move, by less than another part's do. Where the line
lies is measured by bench/duplicates.py. Looks are no witness here: the same part in another pose
looks as unlike itself as its sibling does.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from search.engine.shape.relation import (
    SIZE_TOLERANCE,
    TOLERANCE,
    invariants_apart,
    relation_decide,
)

if TYPE_CHECKING:
    from search.engine.shape.invariants import Invariants

# So many times nearer to the mirror image than to the part itself: what other triangles do to the
# numbers of a symmetric part lies as far from either.
_HAND_RATIO = 1.5

DuplicateKind = Literal["same", "scaled", "mirrored", "near"]


@dataclass(frozen=True, slots=True)
class Limits:
    """How far two parts may lie apart.

    `shape` and `hand`: the largest difference of two invariants of one geometry in other
    triangles; `size`: of the logarithms of sizes that are one size. `near`, `cosine`: the largest
    difference, and the least similarity of shape descriptors, of parts that are nearly one.
    `revised`: sizes that differ by less, yet are two, are a revision's. Whoever scales a part by so
    little does it to the same triangles, and those are told by `relation`.
    """

    shape: float = 3e-3
    hand: float = 3e-4
    size: float = 5e-3
    near: float = 0.03
    cosine: float = 0.995
    revised: float = 0.03


LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Duplicate:
    """`factor` is the other's size over the one's; `score` 1 for equal surfaces, then less."""

    kind: DuplicateKind
    factor: float
    score: float


def duplicate_decide(
    one: Invariants, other: Invariants, *, cosine: float | None, limits: Limits = LIMITS
) -> Duplicate | None:
    """What the two are to each other, or None when they are two parts.

    `cosine` is the similarity of their shape descriptors; None, unknown, never makes them near.
    """
    if one.version != other.version:
        return None
    exact = relation_decide(one, other)
    if exact.kind != "similar":
        return Duplicate(exact.kind, exact.factor, 1.0)
    apart = invariants_apart(one.shape, other.shape)
    score = max(0.0, 1.0 - apart)
    if apart <= limits.shape and (cosine is None or cosine >= limits.cosine):
        kind = _geometry_kind(one, other, exact.factor, limits)
        if kind:
            return Duplicate(kind, exact.factor, score)
    if cosine is not None and cosine >= limits.cosine and apart <= limits.near:
        return Duplicate("near", exact.factor, score)
    return None


def _geometry_kind(
    one: Invariants, other: Invariants, factor: float, limits: Limits
) -> DuplicateKind | None:
    """Of two geometries that are one but for their triangles; None for neither hand, and for a
    revision."""
    apart = abs(math.log(factor))
    alike = apart <= max(limits.size, SIZE_TOLERANCE)
    if not alike and apart <= limits.revised:
        return None
    straight = invariants_apart(one.hand, other.hand)
    turned = invariants_apart(one.hand, tuple(-number for number in other.hand))
    if turned <= limits.hand and straight > max(TOLERANCE, _HAND_RATIO * turned):
        return "mirrored"
    if straight <= limits.hand:
        return "same" if alike else "scaled"
    return None
