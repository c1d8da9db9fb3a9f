"""Words to embeddings in microseconds: a table of hashed pieces and two small layers.

The pieces of a text (search.engine.text.grams) name rows of the table; their mean, each weighed by
what the table says of its importance, goes through a residual layer and a linear map. Taught by a
large multilingual encoder, then by parts and their captions (training/README.md).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.engine.encoders.layers import Float, Linear, gelu, unit
from search.engine.text.grams import buckets

LAYERS = ("inner", "outer", "last")


@dataclass(frozen=True)
class TextStudent:
    """table (r, h) int8 times scale (h,); importance (r,) a logit each; inner (w, h), outer (h, w),
    last (d, h).

    For pieces x_i with importances a_i: m = sum softmax(a)_i x_i; the embedding is
    last(m + outer(gelu(inner(m)))), divided by its length.
    """

    table: NDArray[np.int8]
    scale: Float
    importance: Float
    inner: Linear
    outer: Linear
    last: Linear

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> "TextStudent":
        """KeyError when an array is missing."""
        return cls(
            table=arrays["table"],
            scale=arrays["scale"].astype(np.float32),
            importance=arrays["importance"].astype(np.float32),
            **{name: Linear.read(arrays, name) for name in LAYERS},
        )

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What `from_arrays` reads."""
        found: dict[str, NDArray[Any]] = {
            "table": self.table,
            "scale": self.scale,
            "importance": self.importance.astype(np.float16),
        }
        for name in LAYERS:
            found |= getattr(self, name).arrays(name)
        return found

    def embed(self, texts: Sequence[str]) -> Float:
        """(n, d) float32, L2-normalised."""
        means = np.empty((len(texts), len(self.scale)), np.float32)
        for place, text in enumerate(texts):
            rows = buckets(text, count=len(self.table))
            weights = np.exp(self.importance[rows])
            means[place] = weights @ self.table[rows].astype(np.float32) / weights.sum()
        means *= self.scale
        return unit(self.last(means + self.outer(gelu(self.inner(means)))))
