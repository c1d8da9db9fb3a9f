"""Division of a similarity to a text, where a head of several layers stands on a mean of cells.

The head is not affine, so its similarity is divided along the straight way from an empty picture
to this one: each cell gets its step times the mean slope (integrated gradients, Sundararajan, Taly
and Yan, 2017; for a function of a mean, the cells' Aumann-Shapley values). What the empty picture
already has is shared out evenly, so the cells add up to the similarity but for the error of
`STEPS` slopes, which is below 1e-3 for the mini encoder.
"""

from typing import Protocol

import numpy as np

from search.engine.explain.types import Bytes, Floats

STEPS = 24


class HeadEncoder(Protocol):
    """An encoder whose words' space is a head over the mean of a map."""

    def maps_embed(self, pictures: Bytes) -> tuple[Floats, Floats]: ...

    def features_words(self, features: Floats) -> Floats:
        """(..., f) -> (..., dw), of length 1."""
        ...

    def words_slope(self, features: Floats, target: Floats) -> Floats:
        """(n, f), (dw,) -> (n, f): the slope of the cosine with the target."""
        ...


class WordsExplainer:
    method = "integrated"

    def __init__(self, encoder: HeadEncoder) -> None:
        self._encoder = encoder
        self._empty: Floats | None = None

    def heat(self, pictures: Bytes, target: Floats) -> Floats:
        _, maps = self._encoder.maps_embed(pictures)
        return self.maps_heat(maps, target)

    def maps_heat(self, maps: Floats, target: Floats) -> Floats:
        """The same of maps (n, g, h, f) that are at hand, target (dw,) of length 1."""
        empty = self._empty_map(maps.shape)
        start = empty.mean(axis=(0, 1))
        base = float(self._encoder.features_words(start) @ target)
        nodes, weights = np.polynomial.legendre.leggauss(STEPS)
        along = ((nodes + 1) / 2).astype(np.float32)[:, None]
        count = maps.shape[1] * maps.shape[2]
        heats = []
        for one in maps:
            way = start + along * (one.mean(axis=(0, 1)) - start)
            slopes = self._encoder.words_slope(way, target)
            slope = (weights / 2).astype(np.float32) @ slopes
            heats.append(((one - empty) @ slope + base) / count)
        return np.stack(heats)

    def patches(self, pictures: Bytes) -> Floats:
        _, maps = self._encoder.maps_embed(pictures)
        return maps

    def _empty_map(self, shape: tuple[int, ...]) -> Floats:
        if self._empty is None or self._empty.shape != shape[1:]:
            from search.engine.encoders.base import PICTURE_SIZE

            white = np.full((1, PICTURE_SIZE, PICTURE_SIZE, 3), 255, np.uint8)
            self._empty = self._encoder.maps_embed(white)[1][0]
        return self._empty
