"""The first plan of the product: one cosine between a photo and 25 views of the part, by gradients.

What `bench.qc` measures inspections against. Knows no pose and no mask.
"""

import cv2
import numpy as np
from numpy.typing import NDArray


def hog(grey: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Oriented gradients (Dalal and Triggs 2005): 8 x 8 cells of 9 directions, of length 1."""
    small = cv2.resize(grey, (64, 64), interpolation=cv2.INTER_AREA).astype(np.float32)
    across, down = cv2.Sobel(small, cv2.CV_32F, 1, 0), cv2.Sobel(small, cv2.CV_32F, 0, 1)
    strength = np.hypot(across, down)
    direction = (np.arctan2(down, across) % np.pi / np.pi * 9).astype(int) % 9
    cell = (np.arange(64) // 8)[:, None] * 8 + np.arange(64)[None] // 8
    bins = np.bincount((cell * 9 + direction).ravel(), strength.ravel(), minlength=64 * 9)
    cells = bins.reshape(64, 9)
    cells = cells / (np.linalg.norm(cells, axis=1, keepdims=True) + 10)
    return np.asarray(cells.ravel() / (np.linalg.norm(cells) + 1e-9))


def hog_views(triangles: NDArray[np.float32]) -> NDArray[np.float64]:
    from search.engine.render.viewpoints import viewpoints_fibonacci
    from search.engine.render.views import views_render

    views = views_render(triangles, viewpoints=viewpoints_fibonacci(25), size=96)
    return np.stack([hog(cv2.cvtColor(view, cv2.COLOR_RGB2GRAY)) for view in views.rgb])


def hog_cosine(
    rgb: NDArray[np.uint8], truth: NDArray[np.bool_], views: NDArray[np.float64]
) -> float:
    """The best of the views for the photo about the piece (whose true place is given to it)."""
    rows, columns = np.flatnonzero(truth.any(1)), np.flatnonzero(truth.any(0))
    cut = rgb[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return float((views @ hog(cv2.cvtColor(np.ascontiguousarray(cut), cv2.COLOR_RGB2GRAY))).max())
