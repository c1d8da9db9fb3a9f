"""A photo as somebody took it -> the picture an encoder compares with our views.

Decode, find the part, cut it out, lay it centred on the views' white ground. Knows no encoder,
no gallery and no page; it hands back what the page needs to show how the photo was read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from search.engine.photo.decode import picture_decode
from search.engine.photo.mask import mask_find
from search.engine.photo.types import WHOLE, Box, Photo, PhotoLimits

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIDE = 224
MARGIN = 0.04  # of the side, around the part


def photo_prepare(
    data: bytes, *, crop: Box | None = None, limits: PhotoLimits | None = None
) -> Photo:
    """Read a picture file and cut the part out of it.

    The part is looked for inside `crop` (fractions of the upright picture) when the user chose
    one. Without a believable mask the whole crop stands for the part. Raises PictureError with
    the codes of `picture_decode`, or bad_box from `Box`.
    """
    decoded = picture_decode(data, limits=limits)
    original, alpha = decoded.picture, decoded.alpha
    height, width = original.shape[:2]
    left, top, right, bottom = (crop or WHOLE).pixels(height, width)
    window = np.s_[top:bottom, left:right]
    found = mask_find(original[window], alpha=None if alpha is None else alpha[window])
    mask = np.zeros((height, width), np.uint8)
    mask[window] = 255 if found is None else found
    picture, box = picture_centred(original, mask)
    return Photo(
        picture=picture,
        variants=picture[None],
        penalties=np.zeros(1, np.float32),
        original=original,
        mask=mask,
        box=box,
        cut=found is not None,
    )


def picture_centred(
    original: NDArray[np.uint8], mask: NDArray[np.uint8]
) -> tuple[NDArray[np.uint8], Box]:
    """(224, 224, 3) the masked part on white, and the rectangle of the original it spans."""
    height, width = mask.shape
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    top, bottom = int(rows[0]), int(rows[-1]) + 1
    left, right = int(columns[0]), int(columns[-1]) + 1
    cut = original[top:bottom, left:right]
    cover = mask[top:bottom, left:right]
    inner = round(SIDE * (1 - 2 * MARGIN))
    scale = inner / max(cut.shape[:2])
    size = (max(1, round(cut.shape[1] * scale)), max(1, round(cut.shape[0] * scale)))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    colour = cv2.resize(cut, size, interpolation=how).astype(np.float32)
    share = cv2.resize(cover, size, interpolation=how).astype(np.float32)[..., None] / 255
    laid = np.full((SIDE, SIDE, 3), 255, np.uint8)
    y, x = (SIDE - size[1]) // 2, (SIDE - size[0]) // 2
    laid[y : y + size[1], x : x + size[0]] = colour * share + 255 * (1 - share) + 0.5
    box = Box(left / width, top / height, right / width, bottom / height)
    return laid, box


def cutout_png(photo: Photo, *, longest: int = 480) -> bytes:
    """The part alone on a transparent ground, at most `longest` pixels: for the page to show."""
    height, width = photo.mask.shape
    left, top, right, bottom = photo.box.pixels(height, width)
    cut = np.dstack([photo.original, photo.mask])[top:bottom, left:right]
    scale = longest / max(cut.shape[:2])
    if scale < 1:
        size = (max(1, round(cut.shape[1] * scale)), max(1, round(cut.shape[0] * scale)))
        cut = np.asarray(cv2.resize(cut, size, interpolation=cv2.INTER_AREA), np.uint8)
    _, png = cv2.imencode(".png", cv2.cvtColor(cut, cv2.COLOR_RGBA2BGRA))
    return bytes(png)
