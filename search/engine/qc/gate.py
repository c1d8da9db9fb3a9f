"""Is the photo fit to be judged by? What speaks against it, as reasons to look again.

Nothing here fails a piece: a photo that is dark, blurred, glaring or cut calls for another photo.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from search.engine.qc.types import Reason

if TYPE_CHECKING:
    from search.engine.render.types import Bytes, Floats

LEAST_PIECE = 90  # pixels, the longer side
BLUR_SHARE = 0.02  # of the piece's longer side: an edge wider than this hides small deviations
GLARE_SHARE, DARK_SHARE = 0.25, 0.5
GLARE_LEVEL, DARK_LEVEL = 252, 8
FLAT_SHARE = 0.6  # of neighbours exactly alike: no sensor gives that
TOUCH_PIXELS = 3
SECOND_OBJECT = 0.25  # of the largest one's area


def photo_reasons(rgb: Bytes, mask: Bytes) -> list[Reason]:
    """What speaks against judging by (h, w, 3), the piece being where the mask (h, w) is."""
    reasons = []
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    side = int(max(np.ptp(rows), np.ptp(columns))) + 1
    if side < LEAST_PIECE:
        reasons.append(Reason("piece_small", {"found": side, "limit": LEAST_PIECE}))
    if border_touched(mask):
        reasons.append(Reason("piece_cut"))
    inside = mask > 0
    piece = rgb[inside]
    glare = float((piece.min(1) >= GLARE_LEVEL).mean())
    dark = float((piece.max(1) <= DARK_LEVEL).mean())
    if glare > GLARE_SHARE:
        reasons.append(Reason("glare", {"share": round(glare, 2)}))
    if dark > DARK_SHARE:
        reasons.append(Reason("dark", {"share": round(dark, 2)}))
    width = edge_width(rgb, mask)
    if width > BLUR_SHARE * side:
        reasons.append(Reason("blurred", {"pixels": round(width, 1)}))
    if _flat_share(rgb, mask) > FLAT_SHARE:
        reasons.append(Reason("not_a_photo"))
    return reasons


def border_touched(mask: Bytes) -> bool:
    edge = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])
    return bool(np.count_nonzero(edge) >= TOUCH_PIXELS)


def object_count(mask: Bytes) -> int:
    """How many separate things of about the largest one's size the mask (h, w) holds."""
    count, _, stats, _ = cv2.connectedComponentsWithStats((mask > 0).astype(np.uint8))
    if count < 2:
        return 0
    areas = stats[1:, cv2.CC_STAT_AREA]
    return int((areas > SECOND_OBJECT * areas.max()).sum())


def edge_width(rgb: Bytes, mask: Bytes) -> float:
    """How many pixels the step from ground to piece takes, at the sharper half of the outline.

    The step's height over its steepest slope (Marziliano et al. 2002, in one division).
    """
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)
    binary = (mask > 0).astype(np.uint8)
    band = cv2.morphologyEx(binary, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0
    reach = np.ones((15, 15), np.uint8)
    height = cv2.dilate(grey, reach) - cv2.erode(grey, reach)
    steep = cv2.dilate(_slope(grey), np.ones((7, 7), np.uint8))
    telling = band & (height > 12)
    if telling.sum() < 20:
        return 0.0
    return float(np.quantile(height[telling] / np.maximum(steep[telling], 0.5), 0.3))


def _slope(grey: Floats) -> Floats:
    across = cv2.Sobel(grey, cv2.CV_32F, 1, 0, ksize=3, scale=1 / 8)
    down = cv2.Sobel(grey, cv2.CV_32F, 0, 1, ksize=3, scale=1 / 8)
    return np.hypot(across, down)


def _flat_share(rgb: Bytes, mask: Bytes) -> float:
    """Of neighbours on the piece, neither black nor white: those exactly alike."""
    both = (mask[:, 1:] > 0) & (mask[:, :-1] > 0)
    here, there = rgb[:, 1:][both], rgb[:, :-1][both]
    telling = (here.min(1) < GLARE_LEVEL) & (here.max(1) > DARK_LEVEL)
    if telling.sum() < 200:
        return 0.0
    return float((here[telling] == there[telling]).all(1).mean())
