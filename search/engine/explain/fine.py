"""Cells half as large, by reading a picture four times, each time moved by a quarter of a cell.

A network that halves its input five times answers with 7 x 7 cells of 32 pixels. Moved by 8 pixels
either way along both sides, the four maps interleave to 14 x 14.
"""

from collections.abc import Callable

import numpy as np

from search.engine.explain.types import Bytes, Floats

WHITE = 255


def fine_read(pictures: Bytes, read: Callable[[Bytes], Floats], *, cells: int = 7) -> Floats:
    """(n, s, s, 3) -> (n, 2 g, 2 h, ...) of a `read` that gives (n, g, h, ...).

    The mean over the fine cells is the mean of four readings of slightly moved pictures. `cells`
    is g, known before.
    """
    step = pictures.shape[1] // cells // 4
    moved = [_moved(pictures, dy, dx) for dy in (step, -step) for dx in (step, -step)]
    maps = read(np.concatenate(moved))
    n = len(pictures)
    fine = np.empty((n, 2 * maps.shape[1], 2 * maps.shape[2], *maps.shape[3:]), np.float32)
    for turn in range(4):
        fine[:, turn // 2 :: 2, turn % 2 :: 2] = maps[turn * n : (turn + 1) * n]
    return fine


def _moved(pictures: Bytes, down: int, right: int) -> Bytes:
    """Pictures moved by pixels; what comes in is white."""
    found = np.full_like(pictures, WHITE)
    height, width = pictures.shape[1:3]
    into = np.s_[max(down, 0) : height + min(down, 0), max(right, 0) : width + min(right, 0)]
    of = np.s_[max(-down, 0) : height - max(down, 0), max(-right, 0) : width - max(right, 0)]
    found[(slice(None), *into)] = pictures[(slice(None), *of)]
    return found
