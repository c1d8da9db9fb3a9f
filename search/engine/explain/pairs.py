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
APART = 0.09  # of the side: nearer pairs say the same


def pairs_find(
    first: Floats, second: Floats, first_mask: Flags, second_mask: Flags, *, most: int = 12
) -> list[Pair]:
    """Patches (g, h, f) and (k, l, f) with masks (s, s) of the part -> at most `most` pairs, the
    surest first, spread over the picture."""
    one, two = _Cells.of(first, first_mask), _Cells.of(second, second_mask)
    if not len(one.places) or not len(two.places):
        return []
    mean = np.concatenate([one.seen, two.seen]).mean(axis=0)
    a, b = _unit(one.seen - mean), _unit(two.seen - mean)
    looks = a @ b.T
    away = np.linalg.norm(one.places[:, None] - two.places[None], axis=2)
    scores = looks - PLACE * away
    forth, back = scores.argmax(axis=1), scores.argmax(axis=0)
    mutual = np.flatnonzero(back[forth] == np.arange(len(forth)))
    chosen: list[int] = []
    for at in mutual[np.argsort(-scores[mutual, forth[mutual]], kind="stable")]:
        near = np.linalg.norm(one.places[chosen] - one.places[at], axis=1) < APART
        if not near.any():
            chosen.append(int(at))
        if len(chosen) == most:
            break
    found = []
    for at in chosen:
        (x, y), (u, v) = one.places[at].tolist(), two.places[forth[at]].tolist()
        found.append(Pair(x, y, u, v, float(looks[at, forth[at]])))
    return found


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
