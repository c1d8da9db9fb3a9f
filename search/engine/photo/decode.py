"""Bytes that somebody sent -> an upright sRGB picture of modest size, or a reason why not.

The only module which looks inside picture files. It knows nothing of parts, masks or encoders.
Colour profiles are ignored: the encoder's answer moves less with a wide-gamut profile than with
the room's light.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PIL import Image

from search.engine.errors import PictureError
from search.engine.photo.types import Decoded, PhotoLimits

if TYPE_CHECKING:
    from numpy.typing import NDArray

# An explicit list: Pillow would otherwise also open formats that run interpreters (EPS) or whose
# readers few people test.
FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF")

_MAGIC = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8", b"BM", b"II*\0", b"MM\0*", b"RIFF")
_ORIENTATION = 0x0112  # the EXIF tag
# Each scan of a progressive JPEG walks the whole picture again, and an empty one costs ten bytes:
# a 2 MB file can hold a minute of work. Cameras and optimisers write at most about 20.
_MOST_SCANS = 64
# Levels between the darkest and the lightest 1/128 of the picture. A photo of an empty, evenly
# lit wall has more than this; a failed upload or a white canvas has none.
_BLANK_RANGE = 5


def picture_decode(data: bytes, *, limits: PhotoLimits | None = None) -> Decoded:
    """The first frame of a JPEG, PNG, WebP, BMP, TIFF or GIF file, turned upright.

    Scaled down by area averaging to `limits.longest_side`, never up. Raises PictureError:
    empty_file, too_many_bytes (found_mb, limit_mb), not_a_picture, truncated_picture,
    too_many_pixels (found where known, limit), too_small (width, height, limit),
    blank_picture (level).
    """
    limits = limits or PhotoLimits()
    if not data:
        raise PictureError("empty_file", "The file is empty.")
    if len(data) > limits.megabytes * 1_000_000:
        raise PictureError(
            "too_many_bytes",
            f"The picture is larger than {limits.megabytes} MB.",
            found_mb=round(len(data) / 1e6, 1),
            limit_mb=limits.megabytes,
        )
    decoded = _on_white(_pixels_read(data, limits))
    _blank_refuse(decoded)
    return decoded


def _pixels_read(data: bytes, limits: PhotoLimits) -> NDArray[np.uint8]:
    """(h, w, 3 or 4) uint8, upright, already small."""
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_many_pixels(limits) from error
    except Exception as error:  # plugins raise a dozen kinds on hostile bytes
        if data.startswith(_MAGIC):
            raise _truncated() from error
        raise PictureError(
            "not_a_picture",
            f"The file is not a picture of a known kind ({', '.join(FORMATS)}).",
            formats=", ".join(FORMATS),
        ) from error
    with image:
        _size_check(image, data, limits)
        try:
            size = _fitted(image.size, limits.longest_side)
            image.draft(None, size)  # JPEG decodes at 1/2, 1/4 or 1/8 for a fraction of the cost
            image.load()
            colour = _eight_bit(image)
            if colour.width > size[0]:  # Pillow weighs colours by alpha: no fringe appears
                colour = colour.resize(size, Image.Resampling.BOX)
            return _turned(np.asarray(colour), _orientation(image))
        except Exception as error:
            raise _truncated() from error


def _size_check(image: Image.Image, data: bytes, limits: PhotoLimits) -> None:
    """Raise before a single pixel is decoded."""
    width, height = image.size
    if width * height > limits.pixels:
        raise _too_many_pixels(limits, found=width * height)
    if image.format in {"JPEG", "MPO"} and data.count(b"\xff\xda") > _MOST_SCANS:
        raise PictureError("not_a_picture", "The JPEG has more scans than any camera writes.")
    if min(_fitted(image.size, limits.longest_side)) < limits.shortest_side:
        raise PictureError(
            "too_small",
            f"The picture needs at least {limits.shortest_side} pixels each way.",
            width=width,
            height=height,
            limit=limits.shortest_side,
        )


def _fitted(size: tuple[int, int], longest: int) -> tuple[int, int]:
    """(width, height) shrunk, never stretched, to at most `longest`."""
    scale = min(1.0, longest / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _eight_bit(image: Image.Image) -> Image.Image:
    """Any of Pillow's modes as RGB, or RGBA where the file may be see-through."""
    if image.mode.startswith(("I", "F")):
        deep = np.nan_to_num(np.asarray(image, np.float32), posinf=0.0, neginf=0.0)
        # 16-bit files hold 16, 14, 12 or 10 bits and do not say which: full white is 65535 when
        # the file reaches that range, else the brightest value found. Floats have no white at all.
        whole = image.mode.startswith("I;16")
        low = 0.0 if whole else float(deep.min())
        white = 65535.0 if whole and deep.max() > 16383 else float(deep.max())
        grey = np.clip((deep - low) * (255.0 / max(white - low, 1e-9)), 0, 255)
        return Image.fromarray(grey.astype(np.uint8)).convert("RGB")
    see_through = image.mode in {"RGBA", "LA", "PA", "La", "RGBa"} or "transparency" in image.info
    return image.convert("RGBA" if see_through else "RGB")


def _orientation(image: Image.Image) -> int:
    try:
        turn = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # a broken EXIF block is no reason to refuse the picture
        return 1
    return turn if isinstance(turn, int) and 1 <= turn <= 8 else 1


def _turned(pixels: NDArray[np.uint8], turn: int) -> NDArray[np.uint8]:
    """Undo an EXIF orientation (Exif 2.32, 4.6.4): 5 to 8 swap the sides."""
    if turn >= 5:
        pixels = pixels.transpose(1, 0, 2)
    # After the swap, what is left of each orientation is a flip of the rows, the columns or both.
    rows, columns = {
        1: (1, 1), 2: (1, -1), 3: (-1, -1), 4: (-1, 1),
        5: (1, 1), 6: (1, -1), 7: (-1, -1), 8: (-1, 1),
    }[turn]  # fmt: skip
    return np.ascontiguousarray(pixels[::rows, ::columns])


def _on_white(pixels: NDArray[np.uint8]) -> Decoded:
    if pixels.shape[2] == 3:
        return Decoded(picture=pixels, alpha=None)
    alpha = pixels[..., 3]
    if alpha.min() == 255:
        return Decoded(picture=np.ascontiguousarray(pixels[..., :3]), alpha=None)
    part = alpha[..., None].astype(np.float32) / 255
    laid = pixels[..., :3] * part + 255 * (1 - part)
    return Decoded(picture=(laid + 0.5).astype(np.uint8), alpha=np.ascontiguousarray(alpha))


def _blank_refuse(decoded: Decoded) -> None:
    picture = decoded.picture if decoded.alpha is None else np.dstack(
        [decoded.picture, decoded.alpha]
    )  # fmt: skip
    height, width = picture.shape[:2]
    size = (min(width, 128), min(height, 128))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA).reshape(-1, picture.shape[2])
    if int((small.max(0).astype(int) - small.min(0)).max()) < _BLANK_RANGE:
        level = int(small.mean())
        raise PictureError("blank_picture", "The picture is one even colour.", level=level)


def _truncated() -> PictureError:
    return PictureError("truncated_picture", "The picture is cut short or damaged.")


def _too_many_pixels(limits: PhotoLimits, found: int | None = None) -> PictureError:
    return PictureError(
        "too_many_pixels",
        f"The picture has more than {limits.pixels / 1e6:g} megapixels.",
        limit=limits.pixels,
        **({} if found is None else {"found": found}),
    )
