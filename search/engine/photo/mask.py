"""Which pixels of a photo show the part: a colour model of the ground, then GrabCut.

Knows pictures only. No weights: the ground is what the picture's border shows, a part is what
differs from it. When the answer cannot be believed the caller is told so (None), never given a
wrong cut.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# One photo is worked on by one core: the web worker beside us needs the other.
cv2.setNumThreads(1)

_LONG_SIDE = 256  # GrabCut's cost grows with the area
_BORDER = 0.05  # of the shorter side: what is taken for ground
_GRABCUT_ROUNDS = 1  # three or five move the median IoU by .005 and double the time
_GRAIN_WEIGHT = 0.5  # against Lab levels: it moves the mean IoU from .800 to .815
_LEAST, _MOST = 0.004, 0.92  # believable shares of the picture
_MOST_BORDER = 0.6  # of the border's pixels


def mask_find(
    picture: NDArray[np.uint8], *, alpha: NDArray[np.uint8] | None = None
) -> NDArray[np.uint8] | None:
    """(h, w, 3) sRGB -> (h, w) uint8, 255 on the part; None when no believable part was found.

    An alpha channel which cuts something out is the answer. Deterministic.
    """
    if alpha is not None:
        cut = np.where(alpha > 127, 255, 0).astype(np.uint8)
        if _believable(cut):
            return cut
    height, width = picture.shape[:2]
    scale = min(1.0, _LONG_SIDE / max(height, width))
    size = (max(8, round(width * scale)), max(8, round(height * scale)))
    small = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
    mask = _part_cut(small, _ground_unlikeness(small))
    if mask is None or not _believable(mask):
        return None
    full = cv2.resize(mask, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.where(full > 127, 255, 0).astype(np.uint8)


def _ground_unlikeness(small: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(h, w) how unlike the ground each pixel is, in the ground's standard deviations.

    A quadratic surface per Lab channel, and one for the grain, is fitted to the border by
    iteratively reweighted least squares (Huber), so that light falling off and a part touching
    the border are forgiven.
    """
    height, width = small.shape[:2]
    lab = cv2.cvtColor(small, cv2.COLOR_RGB2LAB).astype(np.float32)
    grain = _GRAIN_WEIGHT * _local_deviation(lab[..., 0])
    look = np.dstack([lab, grain]).reshape(-1, 4)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    x, y = (x / width - 0.5).ravel(), (y / height - 0.5).ravel()
    surface = np.stack([np.ones_like(x), x, y, x * x, y * y, x * y], axis=1)
    border = _border(height, width).ravel()
    known, seen = surface[border], look[border]
    weights = np.ones((len(known), 1), np.float32)
    for _ in range(5):
        weighted = known * weights
        fit = np.linalg.solve(
            (weighted.T @ known).astype(np.float64) + 1e-6 * np.eye(6), weighted.T @ seen
        ).astype(np.float32)
        rest = seen - known @ fit
        error = np.linalg.norm(rest, axis=1)
        weights = (1 / np.maximum(1, error / (1.5 * np.median(error) + 1e-3)))[:, None]
    typical = rest[error <= np.quantile(error, 0.95)]
    covariance = np.cov(typical.T) + 2 * np.eye(4)
    residual = look - surface @ fit
    # A shadow darkens and leaves the hue: what is darker than the ground counts for less.
    residual[:, 0] *= np.where(residual[:, 0] < 0, 0.45, 0.7)
    # Less grain than the ground's is a smooth part; more of it surrounds every part: its edge.
    residual[:, 3] *= np.where(residual[:, 3] < 0, 1.0, 0.7)
    whiten = np.linalg.cholesky(np.linalg.inv(covariance)).astype(np.float32)
    unlikeness = np.linalg.norm(residual @ whiten, axis=1).reshape(height, width)
    return np.asarray(cv2.GaussianBlur(unlikeness, (0, 0), 1.0), np.float32)


def _local_deviation(lightness: NDArray[np.float32]) -> NDArray[np.float32]:
    """(h, w) standard deviation about each pixel, in a window of about eight."""
    mean = np.asarray(cv2.GaussianBlur(lightness, (0, 0), 2.0), np.float32)
    square = np.asarray(cv2.GaussianBlur(lightness * lightness, (0, 0), 2.0), np.float32)
    return np.sqrt(np.maximum(square - mean * mean, 0))


def _part_cut(
    small: NDArray[np.uint8], unlikeness: NDArray[np.float32]
) -> NDArray[np.uint8] | None:
    """(h, w) 0 or 255: Otsu's threshold on the unlikeness, sharpened by GrabCut."""
    top = float(np.quantile(unlikeness, 0.995))
    if top < 3.0:
        return None
    levels = np.clip(unlikeness * (255 / top), 0, 255).astype(np.uint8)
    threshold, _ = cv2.threshold(levels, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    return _tidied(_grabcut(small, levels, threshold))


def _grabcut(
    small: NDArray[np.uint8], levels: NDArray[np.uint8], threshold: float
) -> NDArray[np.uint8]:
    """(h, w) 0 or 255 (Rother, Kolmogorov, Blake 2004), seeded by the unlikeness."""
    seeds = np.full(levels.shape, cv2.GC_PR_BGD, np.uint8)
    seeds[levels > threshold] = cv2.GC_PR_FGD
    seeds[levels > min(250, threshold * 1.8)] = cv2.GC_FGD
    seeds[_border(*levels.shape)] = cv2.GC_BGD
    seeds[levels < threshold * 0.35] = cv2.GC_BGD
    ground, part = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.setRNGSeed(0)
    try:
        rounds, how = _GRABCUT_ROUNDS, cv2.GC_INIT_WITH_MASK
        cv2.grabCut(small, seeds, (0, 0, 1, 1), ground, part, rounds, how)  # no rectangle is read
    except cv2.error:  # one of the two colour models had no pixel to learn from
        return np.where(levels > threshold, 255, 0).astype(np.uint8)
    return np.where((seeds == cv2.GC_FGD) | (seeds == cv2.GC_PR_FGD), 255, 0).astype(np.uint8)


def _tidied(mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Without specks beside the part and pinholes in it."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask)
    if count < 2:
        return mask
    areas = stats[:, cv2.CC_STAT_AREA].copy()
    areas[0] = 0
    kept = np.where((areas > 0.03 * areas.max())[labels], 255, 0).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(255 - kept)
    pinhole = stats[:, cv2.CC_STAT_AREA] < 0.0008 * mask.size
    pinhole[0] = False
    kept[pinhole[labels]] = 255
    return kept


def _border(height: int, width: int) -> NDArray[np.bool_]:
    ring = np.ones((height, width), bool)
    thick = max(2, int(_BORDER * min(height, width)))
    ring[thick:-thick, thick:-thick] = False
    return ring


def _believable(mask: NDArray[np.uint8]) -> bool:
    share = np.count_nonzero(mask) / mask.size
    edge = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])
    return bool(_LEAST <= share <= _MOST and np.count_nonzero(edge) <= _MOST_BORDER * edge.size)
