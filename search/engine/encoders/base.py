"""What every encoder promises, whichever network is inside."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from search.engine.encoders.space import Space

PICTURE_SIZE = 224


class PictureEncoder(Protocol):
    """Maps pictures to embeddings of one space. Safe to call from several threads."""

    @property
    def space(self) -> Space: ...

    def pictures_embed(self, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(n, 224, 224, 3) uint8 RGB on a white ground -> (n, d) float32, L2-normalised."""
        ...
