"""From the heat of a few cells to a picture's pixels, and to colours.

Cells are spread smoothly and kept to the part: our views' ground is known to be empty.
"""

import cv2
import numpy as np

from search.engine.explain.types import Bytes, Flags, Floats

LEAST, COLD = 0.01, 0.1  # of the hottest: so that no place of the part is as cold as the ground


def heat_spread(cells: Floats, *, size: int) -> Floats:
    """(..., g, h) -> (..., size, size): cubic between the cells' middles, edges held."""
    flat = np.ascontiguousarray(cells, np.float32).reshape(-1, *cells.shape[-2:])
    spread = [cv2.resize(one, (size, size), interpolation=cv2.INTER_CUBIC) for one in flat]
    return np.stack(spread).astype(np.float32).reshape(*cells.shape[:-2], size, size)


def heat_masked(heat: Floats, mask: Flags) -> Floats:
    """(s, s) -> (s, s): on the part (s, s) from LEAST, its coldest place, to 1, its hottest; 0
    beside it. What takes away from the similarity lies below COLD, what adds to it above. Even heat
    is 0.5 everywhere on the part.
    """
    if not mask.any():
        return np.zeros(heat.shape, np.float32)
    inside = heat[mask]
    low, high = float(inside.min()), float(np.quantile(inside, 0.995))
    if high - low < 1e-9:
        return np.where(mask, np.float32(0.5), np.float32(0))
    if low < 0 < high:
        scaled = np.interp(heat, (low, 0, high), (LEAST, COLD, 1))
    else:
        scaled = np.interp(heat, (low, high), (LEAST, 1))
    return np.where(mask, scaled, 0).astype(np.float32)


# From cold to hot: dark blue, violet, rose, orange, yellow. Rises evenly in lightness, so that it
# can be told without colour (after "plasma" of Smith and van der Walt's family, 2015).
STOPS = np.array(
    [(0.05, 0.03, 0.53), (0.42, 0.0, 0.66), (0.70, 0.17, 0.56), (0.88, 0.39, 0.38),
     (0.99, 0.65, 0.21), (0.94, 0.98, 0.13)]
)  # fmt: skip


def heat_colours(heat: Floats) -> Bytes:
    """(...) 0..1 -> (..., 3) uint8 RGB."""
    at = np.linspace(0, 1, len(STOPS))
    channels = [np.interp(heat, at, STOPS[:, c]) for c in range(3)]
    return np.asarray(np.stack(channels, axis=-1) * 255 + 0.5, np.uint8)


def heat_overlay(heat: Floats, mask: Flags) -> Bytes:
    """(s, s) 0..1 over a part (s, s) -> (s, s, 4) uint8 RGBA to lay over the picture: the hotter,
    the denser; clear beside the part."""
    alpha = np.where(mask, 0.30 + 0.55 * heat, 0.0)
    solid = np.asarray(cv2.GaussianBlur(alpha.astype(np.float32), (0, 0), 0.7))
    return np.dstack([heat_colours(heat), np.asarray(solid * 255 + 0.5, np.uint8)])
