"""The words of the explanation room: what an explainer promises, pairs, faithfulness.

Heat is what each cell of a picture adds to a similarity. Arrays and frozen dataclasses only.
"""

from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float32]
Bytes: TypeAlias = NDArray[np.uint8]
Ints: TypeAlias = NDArray[np.int64]
Doubles: TypeAlias = NDArray[np.float64]
Flags: TypeAlias = NDArray[np.bool_]


class Explainer(Protocol):
    """Divides similarities among the cells of pictures. One for each kind of encoder."""

    @property
    def method(self) -> str:
        """How: "exact", "integrated", "legrad", "gradcam" or "occlusion"."""
        ...

    def heat(self, pictures: Bytes, target: Floats) -> Floats:
        """(n, s, s, 3) uint8 RGB on white, target (d,) or (n, d) of length 1 -> (n, g, g): what
        each cell adds to the cosine of its picture and the target."""
        ...


class PatchEncoder(Protocol):
    """Says what is seen at each place of a picture."""

    def patches(self, pictures: Bytes) -> Floats:
        """(n, s, s, 3) -> (n, g, g, f): what places of two pictures are compared by."""
        ...


@dataclass(frozen=True)
class Pair:
    """Two places that match: (x, y) of the first picture, (u, v) of the second, in fractions of
    their sides; `similarity` is the cosine of what is seen there."""

    x: float
    y: float
    u: float
    v: float
    similarity: float


@dataclass(frozen=True)
class Faithfulness:
    """Areas under the curves of a similarity while a picture is blurred away (deletion: lower is
    better) or comes back (insertion: higher is better), hottest first, beside two orders that
    know nothing of the match."""

    deletion: float
    insertion: float
    deletion_random: float
    insertion_random: float
    deletion_silhouette: float
    insertion_silhouette: float
