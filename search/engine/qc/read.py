"""Bytes that somebody sent -> a photo to inspect: upright sRGB, and the lens it tells of."""

from __future__ import annotations

import io
import math

from PIL import Image

from search.engine.photo.decode import picture_decode
from search.engine.photo.types import PhotoLimits
from search.engine.qc.types import InspectionPhoto

LONGEST_SIDE = 1600
_EXIF_IFD, _FOCAL_35MM = 0x8769, 0xA405
# 35 mm equivalents compare diagonals (CIPA DCG-001): that of a 36 x 24 mm frame.
_FRAME_DIAGONAL = math.hypot(36, 24)


def inspection_photo_read(data: bytes, *, limits: PhotoLimits | None = None) -> InspectionPhoto:
    """Raises PictureError as `picture_decode` does; shrunk to LONGEST_SIDE."""
    limits = limits or PhotoLimits(longest_side=LONGEST_SIDE)
    decoded = picture_decode(data, limits=limits)
    height, width = decoded.picture.shape[:2]
    equivalent = _focal_35mm(data)
    focal = equivalent * math.hypot(width, height) / _FRAME_DIAGONAL if equivalent else None
    return InspectionPhoto(decoded.picture, focal, decoded.alpha)


def _focal_35mm(data: bytes) -> float | None:
    """mm; None where the file does not tell, or tells what no lens has."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            value = image.getexif().get_ifd(_EXIF_IFD).get(_FOCAL_35MM)
        focal = float(value)  # type: ignore[arg-type]  # None and words are caught below
    except Exception:  # a broken EXIF block is no reason to refuse the photo
        return None
    return focal if 8 <= focal <= 1200 else None
