"""What a collection hands out: parts with their words, split by name. Knows no collection."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from catalog.families.types import Phrases

Split = Literal["train", "validation", "test"]
Triangles = NDArray[np.float32]


class Words(NamedTuple):
    """How a part may be called: plainly first; by its category; by hints that are no name."""

    captions: Phrases
    broader: Phrases
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class CollectionPart:
    """A part of a collection. `key` names it there for good; `read` gives its triangles as filed.

    `name` is the plain English name in lower case, which alone decides the split. `others` are
    its names in languages besides English and Chinese, by language code.
    """

    key: str
    name: str
    words: Words
    read: Callable[[], NDArray[np.floating]] = field(repr=False)
    others: Mapping[str, str] = field(default_factory=dict)

    @property
    def captions(self) -> Phrases:
        return self.words.captions

    @property
    def split(self) -> Split:
        return split_of(self.name)

    def triangles(self) -> Triangles:
        """(n, 3, 3) upright (z up), centred on the bounding box, inside the unit sphere.

        ValueError or OSError when the file cannot be read.
        """
        return unit_sphere(self.read())


def split_of(name: str) -> Split:
    """46 % of names always train, 27 % validate, 27 % test; a name is wholly in one, for ever.

    Weights that are judged on one of the two last splits learn from the other.
    """
    share = hashlib.sha256(f"words:{name.strip().lower()}".encode()).digest()[0] / 256
    return "train" if share < 0.46 else "validation" if share < 0.73 else "test"


def unit_sphere(triangles: NDArray[np.floating]) -> Triangles:
    """(n, 3, 3) centred on the bounding box, the farthest corner at distance 1.

    ValueError when there is nothing, or nothing but one point.
    """
    corners = triangles.reshape(-1, 3).astype(np.float64)
    if not len(corners):
        raise ValueError("no triangles")
    corners -= (corners.min(axis=0) + corners.max(axis=0)) / 2
    radius = np.linalg.norm(corners, axis=1).max()
    if not radius > 0:
        raise ValueError("all corners are one point")
    return np.ascontiguousarray((corners / radius).reshape(-1, 3, 3), dtype=np.float32)
