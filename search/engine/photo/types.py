"""The frozen values this room hands out: boxes, limits, prepared photos. Knows no decoder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from search.engine.errors import PictureError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Box:
    """A rectangle in fractions of the picture's sides: 0 is left or top, 1 right or bottom."""

    left: float
    top: float
    right: float
    bottom: float

    def __post_init__(self) -> None:
        """Raise PictureError bad_box unless the corners are ordered and inside the picture."""
        if not (0 <= self.left < self.right <= 1 and 0 <= self.top < self.bottom <= 1):
            raise PictureError(
                "bad_box",
                "A crop box needs 0 <= left < right <= 1 and 0 <= top < bottom <= 1.",
            )

    def pixels(self, height: int, width: int) -> tuple[int, int, int, int]:
        """(left, top, right, bottom) in whole pixels, at least one pixel each way."""
        left = min(int(self.left * width), width - 1)
        top = min(int(self.top * height), height - 1)
        right = max(left + 1, min(round(self.right * width), width))
        bottom = max(top + 1, min(round(self.bottom * height), height))
        return left, top, right, bottom


WHOLE = Box(0.0, 0.0, 1.0, 1.0)


@dataclass(frozen=True)
class PhotoLimits:
    """What a photo may cost. A phone's largest mode gives 50 megapixels and about 25 MB."""

    megabytes: int = 40
    pixels: int = 50_000_000
    shortest_side: int = 16
    longest_side: int = 800


@dataclass(frozen=True)
class Decoded:
    """An upright sRGB picture and, when the file carried a telling one, its alpha."""

    picture: NDArray[np.uint8]
    """(h, w, 3), laid on white where the file was transparent"""
    alpha: NDArray[np.uint8] | None
    """(h, w); None when the file has none or is opaque everywhere"""


@dataclass(frozen=True)
class Photo:
    """A photo ready for an encoder, and what the page needs to show how it was read."""

    picture: NDArray[np.uint8]
    """(224, 224, 3), the part on white, centred"""
    variants: NDArray[np.uint8]
    """(m, 224, 224, 3), m 4 or 8: `picture` and its quarter turns, then, where the part was cut
    out of a ground, the box around it with the ground left in, and its quarter turns"""
    original: NDArray[np.uint8]
    """(h, w, 3), upright, at most `PhotoLimits.longest_side` long"""
    mask: NDArray[np.uint8]
    """(h, w), 255 on the part, 0 on the ground"""
    box: Box
    """the rectangle of `original` that `picture` shows"""
    part: tuple[int, int, int, int]
    """the same in its pixels: left, top, right, bottom, the last two exclusive"""
    around: tuple[int, int, int, int] | None
    """in pixels, the larger rectangle that keeps some ground; None where it is no look of its
    own: nothing was cut out, or the file said itself what is ground"""
    cut: bool
    """False when no believable mask was found and the whole crop stands for the part"""
