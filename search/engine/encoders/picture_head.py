"""From a picture's features to the space it shares with words.

Two looks at the same features are added: what a head has learnt of parts, and what ImageNet's
classifier sees in them, which knows things that no part has taught. How: training/README.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.engine.encoders.layers import Float, Linear, gelu, softmax, unit

LAYERS = ("linear", "inner", "outer", "classes", "seen")


@dataclass(frozen=True)
class PictureHead:
    """linear (d, f), inner (w, f), outer (d, w), classes (c, f), seen (d, c)."""

    linear: Linear
    inner: Linear
    outer: Linear
    classes: Linear
    seen: Linear

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

    def embed(self, features: Float) -> Float:
        """(..., f) -> (..., d), L2-normalised."""
        learnt = self.linear(features) + self.outer(gelu(self.inner(features)))
        return unit(np.asarray(learnt + self.seen(softmax(self.classes(features))), np.float32))
