"""Which pixels of an inspection photo show the piece, to the pixel.

The search's network (search/engine/photo) says where the piece is, and the closer look
(`close_look.py`) how surely each pixel is the piece's; where that is in doubt the part decides,
once its pose is known. Masks of other networks are decided by colour instead, in a band about their
outline: GrabCut (Rother, Kolmogorov, Blake 2004). A piece's outline is what its deviations are read
from, so this mask is finer than the one a search needs. Knows pictures only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from search.engine.photo.mask import mask_find
from search.engine.qc.close_look import close_look

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from search.engine.qc.segmenter import Segmenter

    Bytes = NDArray[np.uint8]

# Half widths of the bands, shares of the piece's longer side; iterations of GrabCut.
BANDS = ((0.025, 2),)
# The part decides where the network is surer of neither than this, of 0..1: between chances of
# (1 - LEAN) / 2 and (1 + LEAN) / 2.
LEAN = 0.8
# Pieces of a mask smaller than this, of the largest, are specks; holes smaller, of the picture,
# are pinholes.
SPECK, PINHOLE = 0.01, 0.0003
WHOLE = (0, 0, 1, 1)  # GrabCut asks for a rectangle even where a mask is given


class Seen(NamedTuple):
    """Where a piece is in a picture: mask (h, w) uint8, 255 on it; cover (h, w) 0..255, how
    surely, None where no network of ours said so."""

    mask: Bytes
    cover: Bytes | None

    def placed(self, field: tuple[slice, slice], shape: tuple[int, int]) -> Seen:
        """In the picture of `shape` of which `field` was looked at."""
        planes = []
        for plane in self:
            full = None if plane is None else np.zeros(shape, np.uint8)
            if full is not None and plane is not None:
                full[field] = plane
            planes.append(full)
        return Seen(*planes)  # type: ignore[arg-type]


def mask_refine(picture: Bytes, mask: Bytes) -> Bytes:
    """(h, w, 3) sRGB and a first (h, w) mask -> (h, w) uint8, 255 on the piece."""
    for band, rounds in BANDS:
        mask = _band_decide(picture, mask, band, rounds)
    return _tidied(mask)


def mask_first(
    picture: Bytes, *, alpha: Bytes | None = None, segmenter: Segmenter | None = None
) -> Seen | None:
    """Of (h, w, 3) sRGB, what the networks see, or what another one given does; None where they
    see no piece. A file's own transparency goes before any of them."""
    if segmenter is not None and alpha is None:
        other = segmenter(picture)
        return None if other is None else Seen(other, None)
    found = mask_find(picture, alpha=alpha)
    if found is None or alpha is not None:
        return None if found is None else Seen(found, None)
    cover = close_look(picture, found)
    mask = np.where(cover > 127, 255, 0).astype(np.uint8)
    return Seen(_tidied(mask), cover) if mask.any() else Seen(found, None)


def mask_leaning(cover: Bytes, drawn: Bytes) -> Bytes:
    """(h, w) 0..255 how surely a pixel is the piece's, and the part drawn at the pose found ->
    (h, w) uint8. Where the network is in doubt the part decides; a deviation that the network
    sees stays one."""
    doubt = 127.5 * LEAN
    surely, maybe = cover > 127.5 + doubt, cover > 127.5 - doubt
    return _tidied(np.where(surely | (maybe & (drawn > 0)), 255, 0).astype(np.uint8))


def _band_decide(picture: Bytes, mask: Bytes, band: float, rounds: int) -> Bytes:
    """The mask with the pixels within `band` of its outline decided by colour."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        return mask
    height, width = mask.shape
    reach = max(2, round(band * max(np.ptp(rows), np.ptp(columns))))
    top, bottom = max(0, rows[0] - 4 * reach), min(height, rows[-1] + 1 + 4 * reach)
    left, right = max(0, columns[0] - 4 * reach), min(width, columns[-1] + 1 + 4 * reach)
    near = np.s_[top:bottom, left:right]
    window = np.ascontiguousarray(mask[near] > 0, np.uint8)
    inside = cv2.distanceTransform(window, cv2.DIST_L2, 5)
    outside = cv2.distanceTransform(1 - window, cv2.DIST_L2, 5)
    # A thin bar has no core a band deep: half its own depth is kept then.
    deep = cv2.dilate(inside, np.ones((2 * reach + 1, 2 * reach + 1), np.uint8))
    sure = inside > np.minimum(reach, 0.6 * deep)
    trimap = np.where(window > 0, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    trimap[sure] = cv2.GC_FGD
    trimap[outside > reach] = cv2.GC_BGD
    smooth = cv2.bilateralFilter(np.ascontiguousarray(picture[near]), 5, 20, 3)
    ground, piece = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.setRNGSeed(0)  # GrabCut's first clusters are drawn by chance
    try:
        cv2.grabCut(smooth, trimap, WHOLE, ground, piece, rounds, cv2.GC_INIT_WITH_MASK)
    except cv2.error:  # too few pixels for its colour models
        return mask
    decided = np.zeros_like(mask)
    decided[near] = np.where((trimap == cv2.GC_FGD) | (trimap == cv2.GC_PR_FGD), 255, 0)
    return decided if decided.any() else mask


def _tidied(mask: Bytes) -> Bytes:
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask)
    if count < 2:
        return mask
    areas = stats[:, cv2.CC_STAT_AREA].copy()
    areas[0] = 0
    kept = np.where((areas > SPECK * areas.max())[labels], 255, 0).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(255 - kept)
    pinhole = stats[:, cv2.CC_STAT_AREA] < PINHOLE * mask.size
    pinhole[0] = False
    kept[pinhole[labels]] = 255
    return kept


def mask_guided(picture: Bytes, mask: Bytes, drawn: Bytes, *, band: float = 0.015) -> Bytes:
    """The mask decided anew, knowing where the part's outline should be: (h, w) uint8.

    `drawn` (h, w) is the part as the pose found shows it. What lies well inside both is the
    piece, what lies outside both is ground: its colours, the shadow beside the piece among them,
    are learnt there. All between is decided by colour alone, so that a deviation stays one.
    """
    rows, columns = np.flatnonzero(drawn.any(1)), np.flatnonzero(drawn.any(0))
    if not len(rows):
        return mask
    reach = max(2.0, band * max(np.ptp(rows), np.ptp(columns)))
    height, width = mask.shape
    either = cv2.bitwise_or(mask, drawn)
    rows, columns = np.flatnonzero(either.any(1)), np.flatnonzero(either.any(0))
    pad = int(8 * reach)
    top, bottom = max(0, rows[0] - pad), min(height, rows[-1] + 1 + pad)
    left, right = max(0, columns[0] - pad), min(width, columns[-1] + 1 + pad)
    near = np.s_[top:bottom, left:right]
    inside = cv2.distanceTransform((drawn[near] > 0).astype(np.uint8), cv2.DIST_L2, 5)
    outside = cv2.distanceTransform((drawn[near] == 0).astype(np.uint8), cv2.DIST_L2, 5)
    seen = mask[near] > 0
    kernel = np.ones((2 * int(reach) + 1,) * 2, np.uint8)
    deep = cv2.dilate(inside, kernel)
    trimap = np.where(drawn[near] > 0, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    trimap[seen & (inside > np.minimum(reach, 0.6 * deep))] = cv2.GC_FGD
    trimap[~seen & (outside > reach)] = cv2.GC_BGD
    trimap[outside > 6 * reach] = np.where(seen[outside > 6 * reach], cv2.GC_PR_FGD, cv2.GC_BGD)
    smooth = cv2.bilateralFilter(np.ascontiguousarray(picture[near]), 5, 20, 3)
    cv2.setRNGSeed(0)
    try:
        models = np.zeros((1, 65)), np.zeros((1, 65))
        cv2.grabCut(smooth, trimap, WHOLE, *models, 2, cv2.GC_INIT_WITH_MASK)
    except cv2.error:
        return mask
    decided = np.zeros_like(mask)
    decided[near] = np.where((trimap == cv2.GC_FGD) | (trimap == cv2.GC_PR_FGD), 255, 0)
    return _tidied(decided) if decided.any() else mask
