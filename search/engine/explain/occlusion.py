"""The model-free check: what a similarity loses when a window of the picture is blurred away.

Needs nothing of the encoder but its embeddings, so it is slow, and bounded: one encoding a window
that holds any of the part.
"""

from collections.abc import Callable

import cv2
import numpy as np

from search.engine.explain.types import Bytes, Floats

GRID = 7  # windows along a side
WINDOW = 2 / GRID  # of the side: each window covers its neighbours' halves
BLUR = 0.08
GROUND = 250


class OcclusionExplainer:
    """`embed`: (n, s, s, 3) uint8 -> (n, d) of length 1."""

    method = "occlusion"

    def __init__(self, embed: Callable[[Bytes], Floats], *, batch: int = 16) -> None:
        self._embed, self._batch = embed, batch

    def heat(self, pictures: Bytes, target: Floats) -> Floats:
        targets = np.broadcast_to(target, (len(pictures), np.shape(target)[-1]))
        return np.stack([self._one(*of) for of in zip(pictures, targets, strict=True)])

    def _one(self, picture: Bytes, target: Floats) -> Floats:
        side = picture.shape[0]
        blurred = cv2.GaussianBlur(picture, (0, 0), BLUR * side)
        heat = np.zeros((GRID, GRID), np.float32)
        windows = []
        for row in range(GRID):
            for column in range(GRID):
                window = _window(row, side), _window(column, side)
                if (picture[window] < GROUND).any():
                    windows.append((row, column, window))
        whole = float(self._embed(picture[None])[0] @ target)
        for start in range(0, len(windows), self._batch):
            of = windows[start : start + self._batch]
            changed = np.repeat(picture[None], len(of), axis=0)
            for one, (_, _, window) in zip(changed, of, strict=True):
                one[window] = blurred[window]
            lost = whole - self._embed(changed) @ target
            for (row, column, _), drop in zip(of, lost, strict=True):
                heat[row, column] = drop
        return heat


def _window(at: int, side: int) -> slice:
    middle, half = (at + 0.5) * side / GRID, WINDOW * side / 2
    return slice(max(0, round(middle - half)), min(side, round(middle + half)))
