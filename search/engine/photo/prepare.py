"""A photo as somebody took it -> the pictures an encoder compares with our views, and one answer.

Decode, find the part, show it to the encoder in several ways, join what the encoder says. Knows
no gallery and no page; it hands back what the page needs to show how the photo was read.

Why these ways, by choosing photos of `python -m bench.quality_photos --choose` and 250 more of that
half (500 parts, mini encoder, best of 12 views; R@1 / R@5 / R@10):

    cut out on white, quarter turns, best of the 4       .613 / .793 / .840  (150 photos)
    cut out and box, best of the 8                       .625 / .828 / .895
    cut out and box, mean of each pair, best of the 4    .613 / .843 / .902
    the same and eighth turns, best of the 8             .613 / .827 / .880  (150 photos)
    (the true mask cut out, quarter turns                .693 / .887 / .920  (150 photos))

The rows of 150 photos are of a projection fitted on half as many scenes; its mean of each pair
gave .607 / .827 / .880 on them.

Cut and box fail on different photos: a wrong cut loses a limb, a box keeps the ground. Their mean
forgives either. Earlier, a handicap for turned pictures (0.90 to 0.98 of their similarity) moved
nothing beyond noise, grey levels stretched did not help, and the whole picture found half as many.
The 300 reporting photos: `python -m bench.quality_photos`, in models/README.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from search.engine.photo.decode import picture_decode
from search.engine.photo.mask import mask_find
from search.engine.photo.types import WHOLE, Box, Photo, PhotoLimits
from search.engine.render.types import RenderStyle

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from search.engine.encoders.base import PictureEncoder

Rect = tuple[int, int, int, int]  # left, top, right, bottom in pixels, the last two exclusive

SIDE = 224
MARGIN = RenderStyle().margin  # of the side, around the part: as in our views
TURNS = 4
BOX_PAD = 0.05  # of the part's longer side, around the box that keeps the ground


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
    box = _bounding_box(mask)
    around = None
    if found is not None and alpha is None:
        pad = round(BOX_PAD * max(box[2] - box[0], box[3] - box[1]))
        around = (
            max(left, box[0] - pad),
            max(top, box[1] - pad),
            min(right, box[2] + pad),
            min(bottom, box[3] + pad),
        )
    variants = _variants(original, mask, box, around, SIDE)
    return Photo(
        picture=variants[0],
        variants=variants,
        original=original,
        mask=mask,
        box=Box(box[0] / width, box[1] / height, box[2] / width, box[3] / height),
        part=box,
        around=around,
        cut=found is not None,
    )


def photo_variants(photo: Photo, size: int) -> NDArray[np.uint8]:
    """(m, size, size, 3): the photo's variants, laid anew from the original at another size."""
    if size == SIDE:
        return photo.variants
    return _variants(photo.original, photo.mask, photo.part, photo.around, size)


def photo_embed(photo: Photo, encoder: PictureEncoder) -> NDArray[np.float32]:
    """(4, d) query vectors, L2-normalised, one a quarter turn; search takes the best of them."""
    embeddings = encoder.pictures_embed(photo_variants(photo, encoder.picture_size))
    joined = embeddings.reshape(-1, TURNS, embeddings.shape[1]).sum(axis=0)
    lengths = np.linalg.norm(joined, axis=1, keepdims=True)
    return np.asarray(joined / np.maximum(lengths, 1e-12), np.float32)


def _variants(
    original: NDArray[np.uint8], mask: NDArray[np.uint8], part: Rect, around: Rect | None, size: int
) -> NDArray[np.uint8]:
    """The part cut out, and the rectangle around it as it is, each in quarter turns."""
    left, top, right, bottom = part
    inside = np.s_[top:bottom, left:right]
    shown = [_laid(original[inside], mask[inside], margin=MARGIN, size=size)]
    if around is not None:
        left, top, right, bottom = around
        shown.append(_laid(original[top:bottom, left:right], None, margin=0.0, size=size))
    return np.stack([np.rot90(way, turn) for way in shown for turn in range(TURNS)])


def _bounding_box(mask: NDArray[np.uint8]) -> tuple[int, int, int, int]:
    """(left, top, right, bottom) in pixels, the last two exclusive."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _laid(
    cut: NDArray[np.uint8], cover: NDArray[np.uint8] | None, *, margin: float, size: int
) -> NDArray[np.uint8]:
    """(h, w, 3) -> (size, size, 3): as large as fits inside the margin, on white; `cover` (h, w)
    is what of it to show, all when None."""
    scale = round(size * (1 - 2 * margin)) / max(cut.shape[:2])
    width, height = (max(1, round(side * scale)) for side in (cut.shape[1], cut.shape[0]))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    colour = np.asarray(cv2.resize(cut, (width, height), interpolation=how), np.float32)
    if cover is not None:
        small = cv2.resize(cover, (width, height), interpolation=how)
        share = np.asarray(small, np.float32)[..., None] / 255
        colour = np.asarray(colour * share + 255 * (1 - share), np.float32)
    laid = np.full((size, size, 3), 255, np.uint8)
    y, x = (size - height) // 2, (size - width) // 2
    laid[y : y + height, x : x + width] = colour + 0.5
    return laid


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
