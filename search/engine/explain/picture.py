"""The heat of one picture made of cells that add up, spread over its pixels.

The cells say how much; where within a cell, the picture's own detail says: an even face tells a
network nothing. Chosen on the choosing half of the pairs (`python -m bench.explain --choose`): with
detail, what comes back first brings more of the similarity than the bare silhouette does on most
pairs, without it on half of them; what is blurred away first takes as much as before.
"""

import cv2
import numpy as np

from search.engine.explain.fine import fine_read
from search.engine.explain.spread import heat_masked, heat_spread
from search.engine.explain.types import Bytes, Explainer, Flags, Floats

# Whose cells cost one encoding: they are read four times, for cells half as large.
QUICK = ("exact", "integrated")
FINE, WIDE = 0.03, 0.027  # of the side: what is detail, and how far it is spread
LEAST = 0.15  # of the most detail, which every place of the part is taken to have


def picture_heat(
    explainer: Explainer, picture: Bytes, mask: Flags, target: Floats, *, fine: bool = True
) -> tuple[Floats, Floats]:
    """(s, s, 3), part (s, s), target (d,) -> cells (g, g) and heat (s, s) 0..1 on the part.

    Without `fine` the picture is read once and its detail left out: what is to be laid on a mesh
    with the heat of other views must not depend on how each of them is lit.
    """
    cells, finer = cells_read(explainer, picture, target, fine=fine)
    heat = heat_masked(heat_spread(finer, size=picture.shape[0]), mask)
    if not fine:
        return cells, heat
    return cells, heat_masked(heat * detail(picture, mask), mask)


def cells_read(
    explainer: Explainer, picture: Bytes, target: Floats, *, fine: bool = True
) -> tuple[Floats, Floats]:
    """(s, s, 3), target (d,) -> cells (g, g), and finer ones where they cost little."""
    one = picture[None]
    cells = explainer.heat(one, target)[0]
    if not fine or explainer.method not in QUICK:
        return cells, cells
    return cells, fine_read(one, lambda p: explainer.heat(p, target), cells=len(cells))[0]


def detail(picture: Bytes, mask: Flags) -> Floats:
    """(s, s) 0..1: how much there is to see about each pixel of the part."""
    side = picture.shape[0]
    even = cv2.GaussianBlur(picture, (0, 0), FINE * side).astype(np.float32)
    off = np.abs(picture.astype(np.float32) - even).mean(axis=2)
    spread = np.asarray(cv2.GaussianBlur(off, (0, 0), WIDE * side)) * mask
    share = spread / max(float(spread.max()), 1e-6)
    return np.asarray(np.maximum(share, LEAST), np.float32)
