"""Which pixels of a photo show the part: a colour model of the ground, then a small network.

Knows pictures only. The ground is what the picture's border shows, a part is what differs from
it; the network tells a part from what differs too and is none: shadows, veins, a wall behind the
table. It looks twice, at the whole and then nearer. How it was made: training/mask_net.py. When
the answer cannot be believed the caller is told so (None), never given a wrong cut.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from search.engine.small_network import network_open

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from onnxruntime import InferenceSession

    Floats = NDArray[np.float32]
    Bytes = NDArray[np.uint8]

# One photo is worked on by one core: the web worker beside us needs the other.
cv2.setNumThreads(1)

# Beside the code, as constants of it: other weights are another way to read every photo.
NETWORK = Path(__file__).with_name("mask.onnx")
CLUES = 8
_LONG_SIDE = 320  # of the clues
# The long side of what the network is shown, of the whole and then of the part.
FIRST_LOOK, SECOND_LOOK = 128, 192
_STEP = 16  # its sides are multiples of this
_PAD = 0.2  # around the part, of its size, at the second look
_BORDER = 0.05  # of the shorter side: what is taken for ground
_GRAIN_WEIGHT = 0.5  # against Lab levels
_SCALE_RESIDUAL, _SCALE_UNLIKE = 4.0, 8.0  # of the clues: standard deviations made about 1
_UNLIKE = 3.5  # standard deviations in the mean: parts reach 4.8 at least, noise 3.1 at most
_FOLLOW, _FOLLOW_LEVEL = 5, 1e-4  # pixels, and the variance of grey (0..1) that is an edge
_LEAST, _MOST = 0.004, 0.92  # believable shares of the picture
_MOST_BORDER = 0.6  # of the border's pixels


def mask_find(picture: Bytes, *, alpha: Bytes | None = None) -> Bytes | None:
    """(h, w, 3) sRGB -> (h, w) uint8, 255 on the part; None when no believable part was found.

    An alpha channel which cuts something out is the answer. Deterministic.
    """
    if alpha is not None:
        cut = np.where(alpha > 127, 255, 0).astype(np.uint8)
        if _believable(cut):
            return cut
    clues = clues_see(picture)
    cover = _part_cover(clues)
    found = clues[..., -1][cover > 127]
    if not len(found) or float(found.mean()) * _SCALE_UNLIKE < _UNLIKE:
        return None
    height, width = picture.shape[:2]
    full = np.asarray(cv2.resize(cover, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)
    left, top, right, bottom = window_around(full, pad=0.1)
    near = np.s_[top:bottom, left:right]
    full[near] = _edges_followed(full[near], picture[near])
    mask = _tidied(np.where(full > 127, 255, 0).astype(np.uint8))
    return mask if _believable(mask) else None


def clues_see(picture: Bytes) -> Floats:
    """(h, w, 3) sRGB -> (h', w', 8) float32, the longer side 320: what the network is shown.

    The colours (-1..1), then how each pixel differs from the ground in lightness, a, b and grain,
    in the ground's standard deviations, and how much in all.

    A quadratic surface per Lab channel, and one for the grain, is fitted to the border by
    iteratively reweighted least squares (Huber), so that light falling off and a part touching
    the border are forgiven.
    """
    small = _shrunk(picture, _LONG_SIDE)
    lab = cv2.cvtColor(small, cv2.COLOR_RGB2LAB).astype(np.float32)
    look = np.dstack([lab, _GRAIN_WEIGHT * _local_deviation(lab[..., 0])])
    residual, covariance = _ground_left(look)
    clues = np.empty((*small.shape[:2], CLUES), np.float32)
    clues[..., :3] = small.astype(np.float32) / 127.5 - 1
    deviation = np.sqrt(np.diag(covariance)).astype(np.float32)
    clues[..., 3:7] = np.clip(residual / (_SCALE_RESIDUAL * deviation), -3, 3)
    whiten = np.linalg.cholesky(np.linalg.inv(covariance)).astype(np.float32)
    white = cv2.transform(residual, whiten.T)
    unlikeness = cv2.GaussianBlur(np.sqrt((white * white).sum(axis=2)), (0, 0), 1.0)
    clues[..., 7] = np.minimum(unlikeness / _SCALE_UNLIKE, 3)
    return clues


def _shrunk(picture: Bytes, long_side: int) -> Bytes:
    """(h, w, 3) at that size, stretched when it was smaller."""
    height, width = picture.shape[:2]
    scale = long_side / max(height, width)
    size = (max(8, round(width * scale)), max(8, round(height * scale)))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, size, interpolation=how), np.uint8)


def _ground_left(look: Floats) -> tuple[Floats, NDArray[np.float64]]:
    """(h, w, c) what the ground's surface does not explain, and its covariance (c, c) on it."""
    height, width, channels = look.shape
    across = np.arange(width, dtype=np.float32) / width - 0.5
    down = np.arange(height, dtype=np.float32) / height - 0.5
    border = [places[::2] for places in np.nonzero(_border(height, width))]
    x, y, seen = across[border[1]], down[border[0]], look[border[0], border[1]]
    known = np.stack([np.ones_like(x), x, y, x * x, y * y, x * y], axis=1)
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
    covariance = np.cov(typical.T) + 2 * np.eye(channels)
    columns = fit[0] + across[:, None] * fit[1] + (across**2)[:, None] * fit[3]
    rows = down[:, None] * fit[2] + (down**2)[:, None] * fit[4]
    residual = look - columns
    residual -= rows[:, None]
    residual -= (down[:, None] * across)[..., None] * fit[5]
    return residual, covariance


def _local_deviation(lightness: Floats) -> Floats:
    """(h, w) standard deviation about each pixel, in a window of about eight."""
    mean = np.asarray(cv2.GaussianBlur(lightness, (0, 0), 2.0), np.float32)
    square = np.asarray(cv2.GaussianBlur(lightness * lightness, (0, 0), 2.0), np.float32)
    return np.sqrt(np.maximum(square - mean * mean, 0))


def _part_cover(clues: Floats) -> Bytes:
    """(h, w) 0..255 how surely each pixel is the part's: a look at all, then one nearer to it."""
    cover = _look(clues, FIRST_LOOK)
    left, top, right, bottom = window_around(cover, pad=_PAD)
    near = np.zeros_like(cover)
    near[top:bottom, left:right] = _look(clues[top:bottom, left:right], SECOND_LOOK)
    return near


def _look(clues: Floats, long_side: int) -> Bytes:
    """(h, w, 8) -> (h, w) uint8 0..255, by the network shown `long_side` pixels."""
    height, width = clues.shape[:2]
    scale = long_side / max(height, width)
    across, down = (max(1, round(side * scale / _STEP)) * _STEP for side in (width, height))
    seen = clues_resize(clues, (across, down)).transpose(2, 0, 1)[None]
    (logits,) = _network().run(["logits"], {"clues": np.ascontiguousarray(seen)})
    full = cv2.resize(logits[0, 0], (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(255 / (1 + np.exp(-np.clip(full, -20, 20))) + 0.5, np.uint8)


def clues_resize(clues: Floats, size: tuple[int, int]) -> Floats:
    """(h, w, 8) -> `size`, (width, height)."""
    how = cv2.INTER_AREA if size[0] < clues.shape[1] else cv2.INTER_LINEAR
    # OpenCV averages areas of at most four channels.
    halves = (np.ascontiguousarray(half) for half in np.split(clues, 2, axis=2))
    return np.dstack([cv2.resize(half, size, interpolation=how) for half in halves])


def _edges_followed(cover: Bytes, picture: Bytes) -> Bytes:
    """(h, w) the cover drawn to the picture's own edges: the guided filter (He, Sun, Tang 2013)."""
    side = (2 * _FOLLOW + 1, 2 * _FOLLOW + 1)
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    share = cover.astype(np.float32) / 255
    grey_mean, share_mean = cv2.blur(grey, side), cv2.blur(share, side)
    variance = cv2.blur(grey * grey, side) - grey_mean * grey_mean
    slope = (cv2.blur(grey * share, side) - grey_mean * share_mean) / (variance + _FOLLOW_LEVEL)
    level = cv2.blur(share_mean - slope * grey_mean, side)
    return np.clip((cv2.blur(slope, side) * grey + level) * 255 + 0.5, 0, 255).astype(np.uint8)


def window_around(
    cover: Bytes, *, pad: float, shift: tuple[float, float] | Floats = (0.0, 0.0)
) -> tuple[int, int, int, int]:
    """(left, top, right, bottom), shaped like the picture and inside it, around what is covered.

    `pad` of the part's size is left free a side; `shift` moves the window by shares of its own.
    """
    height, width = cover.shape
    rows, columns = np.flatnonzero((cover > 127).any(1)), np.flatnonzero((cover > 127).any(0))
    if not len(rows):
        return 0, 0, width, height
    reach = max((columns[-1] + 1 - columns[0]) / width, (rows[-1] + 1 - rows[0]) / height)
    share = min(1.0, reach * (1 + 2 * pad))
    corners = []
    for side, places, away in ((width, columns, shift[0]), (height, rows, shift[1])):
        length = max(min(side, _STEP), round(side * share))
        start = (places[0] + places[-1] + 1 - length) / 2 + away * length
        corners.append((min(max(0, round(start)), side - length), length))
    (left, across), (top, down) = corners
    return left, top, left + across, top + down


@cache
def _network() -> InferenceSession:
    """Opened at the first photo."""
    return network_open(NETWORK)


def _tidied(mask: Bytes) -> Bytes:
    """Without specks beside the part and pinholes in it."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask)
    if count < 2:
        return mask
    areas = stats[:, cv2.CC_STAT_AREA].copy()
    areas[0] = 0
    kept = np.where((areas > 0.03 * areas.max())[labels], 255, 0).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(255 - kept)
    pinhole = stats[:, cv2.CC_STAT_AREA] < 0.0002 * mask.size
    pinhole[0] = False
    kept[pinhole[labels]] = 255
    return kept


def _border(height: int, width: int) -> NDArray[np.bool_]:
    ring = np.ones((height, width), bool)
    thick = max(2, int(_BORDER * min(height, width)))
    ring[thick:-thick, thick:-thick] = False
    return ring


def _believable(mask: Bytes) -> bool:
    share = np.count_nonzero(mask) / mask.size
    edge = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])
    return bool(_LEAST <= share <= _MOST and np.count_nonzero(edge) <= _MOST_BORDER * edge.size)
