"""What every encoder promises, whichever network is inside."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from search.engine.calibration import Logistic
from search.engine.encoders.space import Space

PICTURE_SIZE = 224  # of most networks; each encoder says its own


class PictureEncoder(Protocol):
    """Maps pictures to embeddings of one space. Safe to call from several threads."""

    @property
    def space(self) -> Space: ...

    @property
    def picture_size(self) -> int:
        """Pixels each way of the pictures it wants: whoever has a larger one draws it anew."""
        ...

    def pictures_embed(self, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(n, size, size, 3) uint8 RGB on a white ground -> (n, d) float32, L2-normalised."""
        ...


class WordEncoder(PictureEncoder, Protocol):
    """Knows words too: a space in which texts and pictures meet, which may be `space` itself."""

    @property
    def words_space(self) -> Space: ...

    @property
    def calibration(self) -> Mapping[str, Logistic]:
        """By kind of query ("image", "text", "mesh"), what a similarity is worth; may lack some."""
        ...

    def texts_embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """(n, dw) float32, L2-normalised, in the words' space. Traditional and simplified Chinese
        of the same text give the same."""
        ...

    def pictures_embed_both(
        self, pictures: NDArray[np.uint8]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """One pass: as pictures_embed, and (n, dw) in the words' space."""
        ...
