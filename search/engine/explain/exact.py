"""Exact division of a similarity for encoders that average a map and project it affinely.

With e the mean of the projected cells c_i, and t a vector of length 1, cos(e, t) is the sum over
the cells of c_i . t / (n |e|): nothing is estimated (Stylianou, Souvenir and Pless, "Visualizing
deep similarity networks", WACV 2019; Zhu, Yang and Chen, "Visual explanation for deep metric
learning", 2019). For two pictures the same holds of every pair of their cells.
"""

from typing import Any, Protocol

import numpy as np

from search.engine.explain.types import Bytes, Floats

TINY = np.float32(1e-12)


class MapEncoder(Protocol):
    """An encoder that hands out the map its embedding is made of.

    `features_project` (..., f) -> (..., d), affine, has the embedding before its length is made 1
    as its mean over a map; without one the map is that already. `features_along` is the same
    towards one target: (..., f), (d,) -> (...).
    """

    def maps_embed(self, pictures: Bytes) -> tuple[Floats, Floats]:
        """(n, s, s, 3) -> embeddings (n, d) of length 1, maps (n, g, g, f)."""
        ...


class ExactExplainer:
    """Cells that add up to the cosine. One encoding explains every target."""

    method = "exact"

    def __init__(self, encoder: MapEncoder) -> None:
        self._encoder = encoder

    def heat(self, pictures: Bytes, target: Floats) -> Floats:
        _, maps = self._encoder.maps_embed(pictures)
        if np.ndim(target) > 1 or not hasattr(self._encoder, "features_along"):
            return cells_heat(_projected(self._encoder, maps), target)
        # Towards one target a cell needs one product, not the whole projection.
        along = target / max(float(np.linalg.norm(target)), 1e-12)
        means = _projected(self._encoder, maps.mean(axis=(1, 2)))
        lengths = np.maximum(np.linalg.norm(means, axis=1), TINY)[:, None, None]
        count = maps.shape[1] * maps.shape[2]
        found: Floats = self._encoder.features_along(maps, along) / (count * lengths)
        return found

    def patches(self, pictures: Bytes) -> Floats:
        """The maps as they are: before the projection, neighbours differ more."""
        _, maps = self._encoder.maps_embed(pictures)
        return maps


def _projected(encoder: Any, maps: Floats) -> Floats:
    """As the encoder projects; what it does not project is the embedding already (ResNet50)."""
    if not hasattr(encoder, "features_project"):
        return maps
    found: Floats = encoder.features_project(maps)
    return found


def cells_heat(cells: Floats, target: Floats) -> Floats:
    """Projected cells (..., g, h, d), target (d,) or (..., d) -> (..., g, h); the sum over a map
    is the cosine of its mean and the target."""
    along = np.asarray(target, np.float32)
    along = along / np.maximum(np.linalg.norm(along, axis=-1, keepdims=True), TINY)
    lengths = np.linalg.norm(cells.mean(axis=(-3, -2)), axis=-1)
    count = cells.shape[-3] * cells.shape[-2]
    parts = (cells * along[..., None, None, :]).sum(axis=-1)
    found: Floats = parts / (count * np.maximum(lengths, TINY))[..., None, None]
    return found


def pairs_heat(first: Floats, second: Floats) -> Floats:
    """Projected cells (g, h, d) and (k, l, d) -> (g, h, k, l): what each pair of cells adds to the
    cosine of the two pictures, which is the sum of all."""
    one, two = first.reshape(-1, first.shape[-1]), second.reshape(-1, second.shape[-1])
    lengths = np.linalg.norm(one.mean(axis=0)) * np.linalg.norm(two.mean(axis=0))
    shares = one @ two.T / (len(one) * len(two) * np.maximum(lengths, TINY))
    found: Floats = shares.reshape(*first.shape[:2], *second.shape[:2])
    return found
