"""How far a heat can be trusted: what happens to the similarity when the hottest places go first.

Deletion and insertion (Petsiuk, Das and Saenko, "RISE", 2018), blurred away instead of painted
over (`gone.py`): any order that makes enough hard borders ruins the similarity. Two orders that
know nothing of the match stand beside it: random heat, smooth like ours, and the part's silhouette
alone.
"""

from collections.abc import Callable

import cv2
import numpy as np

from search.engine.explain.gone import (
    BORDER,
    flags_soften,
    part_widen,
    picture_blur,
    pictures_mix,
)
from search.engine.explain.spread import heat_spread
from search.engine.explain.types import Bytes, Faithfulness, Flags, Floats

STEPS = 10
RANDOM = 2  # random heats whose mean is the baseline

Similarity = Callable[[Bytes], Floats]  # (n, s, s, 3) -> (n,) cosines with the query


def faithfulness(
    picture: Bytes,
    heats: Floats,
    mask: Flags,
    similarity: Similarity,
    *,
    grid: int = 7,
    seed: int = 0,
) -> list[Faithfulness]:
    """Of each of `heats` (m, s, s) over `picture` (s, s, 3) whose part is `mask` (s, s).

    `grid` is the fineness of the random heats: that of the heat's own cells.
    """
    side = picture.shape[0]
    rng = np.random.default_rng(seed)
    randoms = heat_spread(rng.random((2 * RANDOM, grid, grid), np.float32), size=side)
    wide = part_widen(mask)
    flat = (wide + 1e-3 * randoms[RANDOM:]).astype(np.float32)
    reaching = np.stack([_reaching(heat, mask, wide) for heat in heats])
    orders = np.concatenate([reaching, randoms[:RANDOM], flat])
    deletion, insertion = (areas(curve) for curve in curves(picture, orders, similarity))
    random, silhouette = np.s_[-2 * RANDOM : -RANDOM], np.s_[-RANDOM:]
    return [
        Faithfulness(
            deletion=float(deletion[at]),
            insertion=float(insertion[at]),
            deletion_random=float(deletion[random].mean()),
            insertion_random=float(insertion[random].mean()),
            deletion_silhouette=float(deletion[silhouette].mean()),
            insertion_silhouette=float(insertion[silhouette].mean()),
        )
        for at in range(len(heats))
    ]


def _reaching(heat: Floats, mask: Flags, wide: Flags) -> Floats:
    """Heat (s, s) of the part, carried on into its border: the mean of what is near there."""
    sigma = BORDER * mask.shape[0] / 2
    cover = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), sigma)
    near = cv2.GaussianBlur(np.where(mask, heat, 0).astype(np.float32), (0, 0), sigma)
    carried = near / np.maximum(cover, np.float32(1e-4))
    return np.where(mask, heat, np.where(wide, carried, 0)).astype(np.float32)


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
            done = [order < side * side * step / STEPS for step in range(STEPS + 1)]
            steps.append(
                similarity(np.stack([pictures_mix(of, into, flags_soften(one)) for one in done]))
            )
        found.append(np.stack(steps))
    return found[0], found[1]


def areas(curve: Floats) -> Floats:
    """(m, k) -> (m,): the mean height, by trapezoids."""
    found: Floats = (curve[:, :-1] + curve[:, 1:]).mean(axis=1) / 2
    return found
