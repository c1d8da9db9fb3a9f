"""What a hit is to the query: the same part, a scaled or mirrored one, or merely similar.

Compares stored invariants and reads no file. `duplicate_keys` finds candidates for such a
comparison by equality, which any database does with an index.
"""

import math
from dataclasses import dataclass
from typing import Literal

from search.engine.shape.invariants import Invariants

# How far two numbers of one surface may lie apart, measured on the parts of the tests and by
# bench/quality_shape.py (its columns "apart"):
#   the same surface: rotated, subdivided, float32        below 1.3e-7
#                     ASCII of six digits                 below 1.5e-6, up to 3.5e-5 when the part
#                                                         lies several times its size off the origin
#                     float32, 1000 mm off the origin     below 3e-6
#   a twin, one hole 3% wider (hole 1/67 of the length)   above 4.3e-5
#   a mirrored bracket, screw, propeller, gear            above 7e-5
#   two different models of the furniture                 above 1e-3
TOLERANCE = 2e-5
# Sizes this near are one size: a hundred times the drift of six-digit ASCII, and 0.01% of a part.
SIZE_TOLERANCE = 1e-4

# The members of Invariants.shape that make a duplicate key: area and fourth moment.
_KEY_NUMBERS = (0, 1)
# With one grid more than numbers, each shifted by a cell's fraction, two values within
# CELL / GRIDS of each other share a cell in at least one grid: every number can part them in one.
_KEY_GRIDS = len(_KEY_NUMBERS) + 1
_KEY_CELL = 10 * _KEY_GRIDS * TOLERANCE

RelationKind = Literal["same", "scaled", "mirrored", "similar"]


@dataclass(frozen=True)
class Relation:
    """`factor` is the hit's size over the query's: 2.0 when the hit is twice as large."""

    kind: RelationKind
    factor: float


def relation_decide(query: Invariants, hit: Invariants) -> Relation:
    """A symmetric part is its own mirror image: "same" or "scaled" go before "mirrored".

    Invariants of two versions say nothing of each other: "similar".
    """
    factor = hit.size / query.size
    if query.version != hit.version or invariants_apart(query.shape, hit.shape) > TOLERANCE:
        return Relation("similar", factor)
    if invariants_apart(query.hand, hit.hand) <= TOLERANCE:
        alike = abs(math.log(factor)) <= SIZE_TOLERANCE
        return Relation("same" if alike else "scaled", factor)
    if invariants_apart(query.hand, tuple(-number for number in hit.hand)) <= TOLERANCE:
        return Relation("mirrored", factor)
    return Relation("similar", factor)


def duplicate_keys(invariants: Invariants) -> tuple[str, ...]:
    """Three short keys; same, scaled and mirrored parts share at least one of them.

    Others may share one too: `relation_decide` has the last word on what a look-up finds.
    """
    keys = []
    for grid in range(_KEY_GRIDS):
        cells = (
            math.floor(invariants.shape[number] / _KEY_CELL + grid / _KEY_GRIDS)
            for number in _KEY_NUMBERS
        )
        keys.append(":".join((f"{invariants.version}.{grid}", *map(str, cells))))
    return tuple(keys)


def invariants_apart(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    """The largest difference of two numbers of one meaning."""
    return max(abs(a - b) for a, b in zip(one, other, strict=True))
