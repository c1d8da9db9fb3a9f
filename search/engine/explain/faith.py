"""How far a heat can be trusted: what happens to the similarity when the hottest places go first.

Deletion and insertion (Petsiuk, Das and Saenko, "RISE", 2018), blurred away instead of painted
over. Two orders that know nothing of the match stand beside it: random heat, smooth like ours, and
the part's silhouette alone.
"""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from search.engine.explain.spread import heat_spread
from search.engine.explain.types import Bytes, Faithfulness, Floats

BLUR = 0.05  # of the picture's side: the standard deviation of what stands for "gone"
STEPS = 12
RANDOM = 3  # random heats whose mean is the baseline

Similarity = Callable[[Bytes], Floats]  # (n, s, s, 3) -> (n,) cosines with the query


def faithfulness(
    picture: Bytes,
    heat: Floats,
    mask: NDArray[np.bool_],
    similarity: Similarity,
    *,
    grid: int = 7,
    seed: int = 0,
) -> Faithfulness:
    """Of `heat` (s, s) over `picture` (s, s, 3) whose part is `mask` (s, s).

    `grid` is the fineness of the random heats: that of the heat's own cells.
    """
    side = picture.shape[0]
    rng = np.random.default_rng(seed)
    randoms = heat_spread(rng.random((2 * RANDOM, grid, grid), np.float32), size=side)
    flat = mask + 1e-3 * heat_spread(rng.random((RANDOM, grid, grid), np.float32), size=side)
    orders = np.concatenate([heat[None], randoms[:RANDOM], flat.astype(np.float32)])
    deleted, inserted = curves(picture, orders, similarity)
    deletion, insertion = areas(deleted), areas(inserted)
    rows = slice(1, 1 + RANDOM), slice(1 + RANDOM, None)
    return Faithfulness(
        deletion=float(deletion[0]),
        insertion=float(insertion[0]),
        deletion_random=float(deletion[rows[0]].mean()),
        insertion_random=float(insertion[rows[0]].mean()),
        deletion_silhouette=float(deletion[rows[1]].mean()),
        insertion_silhouette=float(insertion[rows[1]].mean()),
    )


def curves(picture: Bytes, orders: Floats, similarity: Similarity) -> tuple[Floats, Floats]:
    """Similarities (m, STEPS + 1) as the hottest pixels of `orders` (m, s, s) are blurred away,
    and as they come back into the blurred picture."""
    blurred = picture_blur(picture)
    side = picture.shape[0]
    ranks = np.argsort(np.argsort(-orders.reshape(len(orders), -1), axis=1, kind="stable"), axis=1)
    found = []
    for of, into in ((picture, blurred), (blurred, picture)):
        steps = []
        for order in ranks.reshape(len(orders), side, side):
            changed = [
                np.where((order < side * side * step / STEPS)[..., None], into, of)
                for step in range(STEPS + 1)
            ]
            steps.append(similarity(np.stack(changed)))
        found.append(np.stack(steps))
    return found[0], found[1]


def picture_blur(picture: Bytes) -> Bytes:
    """What is left of a picture (s, s, 3) when its details are gone."""
    sigma = BLUR * picture.shape[0]
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), np.uint8)


def areas(curve: Floats) -> Floats:
    """(m, k) -> (m,): the mean height, by trapezoids."""
    found: Floats = (curve[:, :-1] + curve[:, 1:]).mean(axis=1) / 2
    return found
