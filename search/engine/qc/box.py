"""The piece within a rectangle that a person drew, where the whole photo misleads.

The rectangle says where to look, not what is the piece: its outline is found there as in a photo
of its own, and by colour where the network sees none. Knows pictures only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from search.engine.qc.mask import Seen, mask_first

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bytes = NDArray[np.uint8]

Box = tuple[int, int, int, int]
"""(left, top, right, bottom) pixels of the photo"""

# Of the rectangle's longer side: ground beside the piece, to know the ground by.
_AROUND = 0.2
_LONG_SIDE, _ROUNDS = 480, 4  # of GrabCut
# Of the rectangle: less is a speck, more means that nothing was told from the ground.
_LEAST, _MOST = 0.01, 0.98


def mask_boxed(picture: Bytes, box: Box, *, alpha: Bytes | None = None) -> Seen | None:
    """Of (h, w, 3) sRGB, where the piece is in `box`; None when none is seen there.

    By colour: GrabCut (Rother, Kolmogorov, Blake 2004), what lies outside the box being ground.
    """
    height, width = picture.shape[:2]
    left, top, right, bottom = box
    reach = max(8, round(_AROUND * max(right - left, bottom - top)))
    near = np.s_[
        max(0, top - reach) : min(height, bottom + reach),
        max(0, left - reach) : min(width, right + reach),
    ]
    inside = np.zeros((height, width), np.uint8)
    inside[top:bottom, left:right] = 255
    crop, allowed = np.ascontiguousarray(picture[near]), inside[near]
    seen = mask_first(crop, alpha=None if alpha is None else alpha[near])
    if seen is not None:
        seen = Seen(*(None if p is None else np.where(allowed > 0, p, 0) for p in seen))  # type: ignore[arg-type]
    if seen is None or not _believable(seen.mask, allowed):
        coloured = _by_colour(crop, allowed)
        seen = None if coloured is None else Seen(coloured, None)
    return None if seen is None else seen.placed(near, (height, width))


def _believable(found: Bytes, allowed: Bytes) -> bool:
    share = float((found > 0).sum()) / max(1.0, float((allowed > 0).sum()))
    return _LEAST <= share <= _MOST


def _by_colour(crop: Bytes, allowed: Bytes) -> Bytes | None:
    """(h, w) what differs inside `allowed` from what is outside it; None when nothing does."""
    height, width = allowed.shape
    scale = min(1.0, _LONG_SIDE / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(crop, size, interpolation=cv2.INTER_AREA)
    within = cv2.resize(allowed, size, interpolation=cv2.INTER_NEAREST) > 0
    if within.all() or not within.any():  # the whole photo: nothing is known to be ground
        return None
    trimap = np.where(within, cv2.GC_PR_FGD, cv2.GC_BGD).astype(np.uint8)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.setRNGSeed(0)  # its first clusters are drawn by chance
    try:
        cv2.grabCut(small, trimap, (0, 0, 1, 1), *models, _ROUNDS, cv2.GC_INIT_WITH_MASK)
    except cv2.error:  # too few pixels for its colour models
        return None
    chosen = np.where(trimap == cv2.GC_PR_FGD, 255, 0).astype(np.uint8)
    whole = cv2.resize(chosen, (width, height), interpolation=cv2.INTER_LINEAR)
    found = np.where((whole > 127) & (allowed > 0), 255, 0).astype(np.uint8)
    return found if _believable(found, allowed) else None
