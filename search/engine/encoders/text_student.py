"""Words to embeddings in microseconds: a table of hashed pieces and three small layers.

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
    """codes (r, m) uint8 into books (m, 256, h / m): row i of the table is the books' entries that
    its codes name, side by side; importance (r,) a logit each; inner (w, h), outer (h, w),
    last (d, h).

    For pieces x_i with importances a_i: m = sum softmax(a)_i x_i; the embedding is
    last(m + outer(gelu(inner(m)))), divided by its length.
    """

    codes: NDArray[np.uint8]
    books: Float
    importance: Float
    inner: Linear
    outer: Linear
    last: Linear

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> "TextStudent":
        """KeyError when an array is missing."""
        return cls(
            codes=arrays["codes"],
            books=arrays["books"].astype(np.float32),
            importance=arrays["importance"].astype(np.float32),
            **{name: Linear.read(arrays, name) for name in LAYERS},
        )

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What `from_arrays` reads."""
        found: dict[str, NDArray[Any]] = {
            "codes": self.codes,
            "books": self.books.astype(np.float16),
            "importance": self.importance.astype(np.float16),
        }
        for name in LAYERS:
            found |= getattr(self, name).arrays(name)
        return found

    def embed(self, texts: Sequence[str]) -> Float:
        """(n, d) float32, L2-normalised."""
        book = np.arange(len(self.books))
        means = np.empty((len(texts), len(self.books) * self.books.shape[2]), np.float32)
        for place, text in enumerate(texts):
            rows = buckets(text, count=len(self.codes))
            weights = np.exp(self.importance[rows])
            table = self.books[book, self.codes[rows]].reshape(len(rows), -1)
            means[place] = weights @ table / weights.sum()
        return unit(self.last(means + self.outer(gelu(self.inner(means)))))
