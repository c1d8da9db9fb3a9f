"""From a picture's features to the space it shares with words.

Two classifiers look at the same features: one knows the names of the parts that were learnt from,
the other the classes of ImageNet. The embedding is the mean of all those names' vectors, weighed
by how surely each is seen, so a part of a name nobody taught lands between the names it looks
like. How: training/README.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.engine.encoders.layers import Float, Linear, gelu, gelu_slope, softmax, unit

LAYERS = ("inner", "outer", "classes", "names")


@dataclass(frozen=True)
class PictureHead:
    """inner (w, f) and outer (c, w) see the parts' names, classes (k, f) ImageNet's; names
    (d, c + k) are the vectors of both."""

    inner: Linear
    outer: Linear
    classes: Linear
    names: Linear

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> "PictureHead":
        """KeyError when a layer is missing."""
        return cls(**{name: Linear.read(arrays, name) for name in LAYERS})

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What `from_arrays` reads."""
        found: dict[str, NDArray[Any]] = {}
        for name in LAYERS:
            found |= getattr(self, name).arrays(name)
        return found

    def shares(self, features: Float) -> tuple[Float, Float]:
        """(..., f) -> how surely each name (..., c) and each class (..., k) is seen."""
        return softmax(self.outer(gelu(self.inner(features)))), softmax(self.classes(features))

    def embed(self, features: Float) -> Float:
        """(..., f) -> (..., d), L2-normalised."""
        return unit(self.names(np.concatenate(self.shares(features), axis=-1)))

    def slope(self, features: Float, towards: Float) -> Float:
        """(n, f), (d,) of length 1 -> (n, f): how the cosine of `embed` and `towards` changes."""
        inner = self.inner(features)
        seen = [softmax(self.outer(gelu(inner))), softmax(self.classes(features))]
        mean = self.names(np.concatenate(seen, axis=-1))
        length = np.maximum(np.linalg.norm(mean, axis=-1, keepdims=True), np.float32(1e-12))
        embedding = mean / length
        back = (towards - (embedding @ towards)[:, None] * embedding) / length @ self.names.weight
        outer, classes = (
            shares * (of - (shares * of).sum(axis=-1, keepdims=True))
            for shares, of in zip(seen, np.split(back, [seen[0].shape[-1]], axis=-1), strict=True)
        )
        through = (outer @ self.outer.weight) * gelu_slope(inner)
        found: Float = through @ self.inner.weight + classes @ self.classes.weight
        return found
