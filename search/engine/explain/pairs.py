"""Which place of one picture matches which place of another: mutual nearest cells on the part.

Best buddies (Dekel et al., "Best-buddies similarity", CVPR 2015; Amir et al., "Deep ViT features as
dense visual descriptors", 2022): two cells that are each other's nearest in what is seen there.
What all cells of the two pictures share is taken away first; and as both parts fill their picture
alike, of equals the one at the same place wins.
"""

import numpy as np
from numpy.typing import NDArray

from search.engine.explain.types import Doubles, Flags, Floats, Pair

COVER = 0.35  # of a cell's pixels that the part must cover
# What a difference of place costs beside a difference of looks, per share of the side.
PLACE = 0.35
APART = 0.08  # of the side: nearer pairs say the same
ENOUGH = 8  # pairs, with which no further round is asked


def pairs_find(
    first: Floats, second: Floats, first_mask: Flags, second_mask: Flags, *, most: int = 12
) -> list[Pair]:
    """Patches (g, h, f) and (k, l, f) with masks (s, s) of the part -> at most `most` pairs, the
    surest first, spread over the picture."""
    one, two = _Cells.of(first, first_mask), _Cells.of(second, second_mask)
    if not len(one.places) or not len(two.places):
        return []
    mean = np.concatenate([one.seen, two.seen]).mean(axis=0)
    looks = _unit(one.seen - mean) @ _unit(two.seen - mean).T
    away = np.linalg.norm(one.places[:, None] - two.places[None], axis=2)
    scores = looks - PLACE * away
    chosen: list[tuple[int, int]] = []
    while len(chosen) < min(most, ENOUGH):
        mutual = _mutual(scores)
        if not mutual:
            break
        # The next round asks who is nearest among those that are left and stand apart.
        for at, to in mutual:
            if len(chosen) < most and scores[at, to] > -np.inf:
                chosen.append((at, to))
                scores[np.linalg.norm(one.places - one.places[at], axis=1) < APART] = -np.inf
                scores[:, np.linalg.norm(two.places - two.places[to], axis=1) < APART] = -np.inf
    found = []
    for at, to in chosen:
        (x, y), (u, v) = one.places[at].tolist(), two.places[to].tolist()
        found.append(Pair(x, y, u, v, float(looks[at, to])))
    return found


def _mutual(scores: Floats) -> list[tuple[int, int]]:
    """The pairs (row, column) that are each other's best and better than nothing in common, the
    best first."""
    forth, back = scores.argmax(axis=1), scores.argmax(axis=0)
    rows = np.flatnonzero(back[forth] == np.arange(len(forth)))
    best = scores[rows, forth[rows]]
    order = [i for i in np.argsort(-best, kind="stable") if best[i] > 0]
    return [(int(rows[i]), int(forth[rows[i]])) for i in order]


class _Cells:
    """The cells of a picture that lie on the part: places (c, 2) x, y in fractions of the sides,
    drawn to the middle of what the part covers there, and what is seen (c, f)."""

    def __init__(self, places: Doubles, seen: Floats) -> None:
        self.places, self.seen = places, seen

    @classmethod
    def of(cls, patches: Floats, mask: Flags) -> "_Cells":
        rows, columns = patches.shape[:2]
        cover, x, y = _cover(mask, rows, columns)
        on = cover >= min(COVER, float(cover.max())) if cover.any() else cover > 0
        return cls(np.column_stack([x[on], y[on]]), patches[on])


def _cover(mask: Flags, rows: int, columns: int) -> tuple[Doubles, Doubles, Doubles]:
    """(rows, columns) each: the share of a cell that is part, and the middle of that share."""
    side = mask.shape[0]
    row = (np.arange(side) * rows // side)[:, None]
    column = (np.arange(side) * columns // side)[None, :]
    cell = (row * columns + column).ravel()
    weight = mask.ravel().astype(np.float64)
    count = np.bincount(cell, minlength=rows * columns)
    on = np.bincount(cell, weight, minlength=rows * columns)
    ys, xs = np.divmod(np.arange(side * side), side)
    safe = np.maximum(on, 1)
    x = np.bincount(cell, weight * (xs + 0.5), minlength=rows * columns) / safe / side
    y = np.bincount(cell, weight * (ys + 0.5), minlength=rows * columns) / safe / side
    shape = rows, columns
    return (on / np.maximum(count, 1)).reshape(shape), x.reshape(shape), y.reshape(shape)


def _unit(x: Floats) -> NDArray[np.float32]:
    found: Floats = x / np.maximum(np.linalg.norm(x, axis=-1, keepdims=True), np.float32(1e-12))
    return found
