"""The room's main door: is the piece in these photos that part, and where does it differ?

    part = part_prepare(triangles)                        # once a part; keep part.to_bytes()
    photo = inspection_photo_read(data)                   # bytes of a file
    seen = photo_inspect(photo, part)                     # one photo, under a second
    verdict = inspection_fuse([seen, ...])                # one to four photos of one piece

Arrays in, frozen dataclasses out. A photo that cannot be judged gives the verdict "review" with
its reasons; only what is no photo of a piece at all raises InspectionError:

    no_object         nothing stands out from the ground
    no_fit            what stands out has no pose at which the part looks anything like it
    bad_mask          a corrected mask is empty, full or of another shape
    inspection_too_long  the time limit of `QcLimits.seconds` ran out
    photos_count      none or more than MOST_PHOTOS to fuse
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from search.engine.errors import InspectionError
from search.engine.qc.fit import Canvas, fit_refine, window_make
from search.engine.qc.gate import object_count, photo_reasons
from search.engine.qc.judge import Calibration, calibration_shipped, probability
from search.engine.qc.mask import Seen, mask_refine
from search.engine.qc.measures import SIDE, piece_compare
from search.engine.qc.part import PreparedPart, part_prepare
from search.engine.qc.read import inspection_photo_read
from search.engine.qc.scale import Scale, size_factor
from search.engine.qc.segmenter import OnnxSegmenter, Segmenter
from search.engine.qc.stages import (
    Clock,
    blob_out,
    fit_of,
    mask_and_pose_settle,
    mask_back,
    mask_of,
    part_drawn,
    pose_out,
    rivals_fit,
    scaled,
    window_out,
    working_scale,
)
from search.engine.qc.types import InspectionPhoto, Pose, QcLimits, Reason, Stage
from search.engine.qc.verdict import (
    MOST_PHOTOS,
    PhotoInspection,
    Verdict,
    inspection_fuse,
    verdict_of,
    verdict_sized,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from search.engine.qc.box import Box
    from search.engine.render.types import Bytes

__all__ = [
    "MOST_PHOTOS", "InspectionPhoto", "OnnxSegmenter", "PhotoInspection", "PreparedPart",
    "QcLimits", "Verdict", "inspection_fuse", "inspection_photo_read", "part_prepare",
    "photo_inspect",
]  # fmt: skip

# Below this overlap the piece is no such part at all.
NO_FIT = 0.45


def photo_inspect(
    photo: InspectionPhoto,
    part: PreparedPart,
    *,
    rivals: Mapping[str, PreparedPart] | None = None,
    calibration: Calibration | None = None,
    limits: QcLimits | None = None,
    mask: Bytes | None = None,
    box: Box | None = None,
    pose: Pose | None = None,
    sheet: Scale | None = None,
    stage: Stage | None = None,
    segmenter: Segmenter | None = None,
) -> PhotoInspection:
    """Compare a photo with a part, and with `rivals`, other parts it might be, by their keys.

    `sheet` is the printed sheet of markers the piece stands on, as `scale_find` found it. A
    `mask` (h, w) or a `pose` that a person corrected is taken as it is; a `box` that a person drew
    is where the piece is looked for, and nowhere else. `segmenter` finds the piece instead of the
    shipped network. Raises InspectionError, see above.
    """
    limits, calibration = limits or QcLimits(), calibration or calibration_shipped()
    clock = Clock(limits.seconds, stage)
    clock.begin("mask")
    seen = mask_of(photo, mask, box, sheet, segmenter)
    scale = working_scale(seen.mask)
    rgb, seen = scaled(photo.rgb, seen, scale)
    focal = None if photo.focal is None else photo.focal * scale
    small = seen.mask
    if mask is None and seen.cover is None:
        small = mask_refine(rgb, small)
        seen = Seen(small, None)
    clock.begin("pose")
    fit, score, ambiguous = fit_of(part, rgb, small, focal, pose, scale, clock)
    if fit.overlap < NO_FIT and pose is None:
        raise InspectionError("no_fit", "The piece does not look like this part from anywhere.")
    clock.begin("measures")
    guided = small
    if mask is None:
        guided, fit = mask_and_pose_settle(part, rgb, seen, focal, fit, hold=pose is not None)
    window = window_make(rgb, guided, SIDE, focal=focal)
    if pose is None:
        fit = fit_refine(part.light, window, fit, Canvas(SIDE), steps=4, reaches=(3.0, 1.2))
    compared = piece_compare(part, window, fit)
    reasons = photo_reasons(rgb, guided)
    objects = object_count(small)
    if objects > max(1, object_count(part_drawn(part, fit, rgb.shape[:2]))):
        reasons.append(Reason("several_objects", {"found": objects}))
    sides, coverage = part.seen_from(fit.rotation, fit.translation, fit.focal, rgb.shape[:2])
    clock.begin("competition")
    others = rivals_fit(rivals or {}, rgb, small, focal, score, clock)
    clock.begin("")
    odds = calibration.odds(compared.measures)
    p_good = probability(odds)
    deviation = max(limits.tolerance, limits.tolerance_mm / part.diagonal_mm)
    name, why = verdict_of(
        p_good, compared, ambiguous, others, reasons, calibration, deviation, part, limits
    )
    out = pose_out(part, fit, scale)
    size = None
    if sheet is not None:
        corners = part.surface.vertices.astype(np.float64) * part.diagonal_mm + part.middle
        height, width = photo.rgb.shape[:2]
        size = size_factor(sheet, corners, out, (height, width))
        name, why = verdict_sized(size, limits, name, why)
    return PhotoInspection(
        name,
        p_good,
        calibration.similarity(p_good),
        why,
        mask_back(guided, photo.rgb.shape[:2]),
        out,
        ambiguous,
        compared.measures,
        compared.measures.thickness * part.diagonal_mm,
        tuple(blob_out(blob, scale) for blob in compared.blobs),
        coverage,
        sides,
        others,
        odds,
        window_out(window, scale),
        compared.drawn,
        compared.surface,
        size,
        clock.took_ms,
    )
