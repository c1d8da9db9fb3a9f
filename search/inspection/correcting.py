"""What people correct in a photo: where the piece is, and how it lies. The inspection runs again.

A mask and a pose are taken as they are given; a rectangle says where the piece is looked for. What
comes is checked as hostile; what is kept was written by us.
"""

import hashlib
import io
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from django.db import transaction
from django.utils import timezone
from PIL import Image

from catalog.errors import ServiceError
from catalog.models import Part
from search import engines
from search.inspection.running import folder_of, photo_read
from search.inspection.services import inspection_again, part_checked, storage_save
from search.models import Inspection, InspectionPhoto

MASK_FORMATS = ("PNG", "WEBP")
MASK_BYTES = 8 * 1024 * 1024
LEAST_SIDE = 16  # pixels of a rectangle
# A rotation may be off by what rounding to two decimals does, not by more.
ROTATION_OFF = 0.05
FOCAL_MOST, AWAY_MOST = 1e6, 1e7
LEAST_SHOWN = 8  # pixels that the part's diagonal must make


def photo_correct(
    inspection: Inspection,
    place: int,
    *,
    mask: bytes | None = None,
    rectangle: Any = None,
    pose: Any = None,
    reset: bool = False,
    by: Any = None,
) -> None:
    """Keep a correction of one photo and run the inspection again. `reset` takes earlier ones back.

    A mask or a rectangle takes the place of an earlier one of either; both together are the mask
    within the rectangle. Raises `ServiceError`: photo_unknown (404), correction_missing, bad_mask,
    bad_rectangle, bad_pose, and what `inspection_again` does.
    """
    part_checked(inspection.part)
    photo = inspection.photos.filter(place=place).first()
    if photo is None:
        raise ServiceError("photo_unknown", status=404)
    if mask is None and rectangle is None and pose is None and not reset:
        raise ServiceError("correction_missing")
    size = photo_size(photo)
    fields: dict[str, Any] = {"mask_given": "", "box_given": None, "pose_given": None}
    if not reset:
        fields = {}
    if rectangle is not None:
        fields |= {"mask_given": "", "box_given": rectangle_checked(rectangle, size)}
    if mask is not None:
        pixels = mask_checked(mask, size, within=fields.get("box_given"))
        fields |= {"mask_given": mask_keep(inspection, place, pixels), "box_given": None}
    if pose is not None:
        fields["pose_given"] = pose_checked(pose, size, inspection.part)
    person = by if getattr(by, "pk", None) else None
    fields |= {"corrected_by": person, "corrected_at": timezone.now()}
    with transaction.atomic():
        InspectionPhoto.objects.filter(pk=photo.pk).update(**fields)
        inspection_again(inspection)


def photo_size(photo: InspectionPhoto) -> tuple[int, int]:
    """(width, height) of the upright photo as it is inspected; read when no run did so yet."""
    if photo.width and photo.height:
        return photo.width, photo.height
    with engines.engine_errors():
        height, width = photo_read(photo).rgb.shape[:2]
    return width, height


# --- the mask -----------------------------------------------------------------------------------


def mask_checked(
    data: bytes, size: tuple[int, int], *, within: Mapping[str, int] | None = None
) -> np.ndarray:
    """(h, w) uint8, 255 on the piece: what is light and opaque in a PNG or WebP of this size.

    Raises `ServiceError` bad_mask, before a pixel is decoded when the size is another.
    """
    if not data or len(data) > MASK_BYTES:
        raise ServiceError("bad_mask")
    try:
        with Image.open(io.BytesIO(data), formats=MASK_FORMATS) as image:
            if image.size != size:
                raise ServiceError("bad_mask")
            painted = np.asarray(image.convert("RGBA").convert("LA"))
    except ServiceError:
        raise
    except Exception as error:  # Pillow's plugins raise a dozen kinds on hostile bytes
        raise ServiceError("bad_mask") from error
    piece = (painted[..., 0] > 127) & (painted[..., 1] > 127)
    if within is not None:
        allowed = np.zeros_like(piece)
        left, top = within["x"], within["y"]
        allowed[top : top + within["height"], left : left + within["width"]] = True
        piece &= allowed
    if not piece.any() or piece.all():
        raise ServiceError("bad_mask")
    return np.where(piece, 255, 0).astype(np.uint8)


def mask_keep(inspection: Inspection, place: int, pixels: np.ndarray) -> str:
    """Keep a mask beside the photo, named by what it holds: an earlier one stays."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", optimize=True)
    data = file.getvalue()
    digest = hashlib.sha256(data).hexdigest()[:16]
    return storage_save(f"{folder_of(inspection)}/{place}-given-{digest}.png", data)


# --- the rectangle and the pose -----------------------------------------------------------------


def rectangle_checked(given: Any, size: tuple[int, int]) -> dict[str, int]:
    """{"x", "y", "width", "height"}, whole pixels within the photo. Raises bad_rectangle."""
    width, height = size
    refused = ServiceError("bad_rectangle", width=width, height=height, least=LEAST_SIDE)
    if not isinstance(given, dict):
        raise refused
    numbers = [number(given.get(name)) for name in ("x", "y", "width", "height")]
    if None in numbers:
        raise refused
    x, y, wide, high = (float(value) for value in numbers if value is not None)
    left, top = max(0, math.floor(x)), max(0, math.floor(y))
    right, bottom = min(width, math.ceil(x + wide)), min(height, math.ceil(y + high))
    if right - left < LEAST_SIDE or bottom - top < LEAST_SIDE:
        raise refused
    return {"x": left, "y": top, "width": right - left, "height": bottom - top}


def pose_checked(given: Any, size: tuple[int, int], part: Part) -> dict[str, Any]:
    """{"rotation", "translation", "focal", "mm"}, its rotation made one of right angles.

    Raises `ServiceError` bad_pose for what is no pose, and for one by which the camera is within
    the part's ball, or the part's middle is outside of the photo.
    """
    refused = ServiceError("bad_pose")
    if not isinstance(given, dict):
        raise refused
    rotation = numbers_read(given.get("rotation"), (3, 3))
    translation = numbers_read(given.get("translation"), (3,))
    focal = number(given.get("focal"))
    if rotation is None or translation is None or focal is None:
        raise refused
    turn = rotation_nearest(rotation)
    if turn is None or not 0 < focal <= FOCAL_MOST:
        raise refused
    x, y, z = (float(value) for value in translation)
    diagonal = math.hypot(*(part.bbox_mm or (0.0, 0.0, 0.0)))
    width, height = size
    if not diagonal / 2 < z <= AWAY_MOST or focal * diagonal / z < LEAST_SHOWN:
        raise refused
    if abs(focal * x / z) > width / 2 or abs(focal * y / z) > height / 2:
        raise refused
    return {
        "rotation": turn.round(8).tolist(),
        "translation": [x, y, z],
        "focal": focal,
        "mm": Part.UNIT_MM[Part.Unit(part.unit)],
    }


def rotation_nearest(given: np.ndarray) -> np.ndarray | None:
    """The rotation (3, 3) nearest to a matrix (Schönemann 1966); None when it is none nearly."""
    left, spread, right = np.linalg.svd(given)
    turn = left @ right
    if np.linalg.det(turn) < 0 or np.abs(spread - 1).max() > ROTATION_OFF:
        return None
    return np.asarray(turn)


def number(value: Any) -> float | None:
    """A finite number of JSON; None for anything else, true and false too."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) else None


def numbers_read(value: Any, shape: tuple[int, ...]) -> np.ndarray | None:
    """Nested lists of finite numbers as an array of this shape; None for anything else."""
    if len(shape) == 1:
        if not isinstance(value, list) or len(value) != shape[0]:
            return None
        row = [number(each) for each in value]
        return None if None in row else np.array(row, float)
    if not isinstance(value, list) or len(value) != shape[0]:
        return None
    rows = [numbers_read(each, shape[1:]) for each in value]
    return None if any(row is None for row in rows) else np.array(rows, float)
