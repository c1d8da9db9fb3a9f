"""The room's main door: is the piece in these photos that part, and where does it differ?

    part = part_prepare(triangles)                        # once a part; keep part.to_bytes()
    photo = inspection_photo_read(data)                   # bytes of a file
    seen = photo_inspect(photo, part)                     # one photo, about half a second
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

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from search.engine.errors import InspectionError
from search.engine.qc.box import Box, mask_boxed
from search.engine.qc.fit import Canvas, Fit, Window, fit_refine, window_make
from search.engine.qc.gate import object_count, photo_reasons
from search.engine.qc.judge import Calibration, calibration_shipped, probability
from search.engine.qc.mask import mask_first, mask_guided, mask_refine
from search.engine.qc.measures import SIDE, Comparison, piece_compare
from search.engine.qc.part import PreparedPart, part_prepare
from search.engine.qc.pose import fit_score, pose_find
from search.engine.qc.read import inspection_photo_read
from search.engine.qc.scale import Scale, field_box, size_factor
from search.engine.qc.types import (
    Blob,
    InspectionPhoto,
    Measures,
    Pose,
    QcLimits,
    Reason,
    Rival,
    Stage,
    VerdictName,
)
from search.engine.render.raster import faces_raster, vertices_project
from search.engine.render.types import Camera

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from search.engine.render.types import Bytes, Floats

__all__ = [
    "MOST_PHOTOS", "InspectionPhoto", "PhotoInspection", "PreparedPart", "QcLimits", "Verdict",
    "inspection_fuse", "inspection_photo_read", "part_prepare", "photo_inspect",
]  # fmt: skip

MOST_PHOTOS = 4
# Photos are worked on with the piece at most this long, in pixels.
WORKING_PIECE = 560
# Below this overlap the piece is no such part at all; below the other, the pose is in doubt.
NO_FIT, DOUBTFUL_FIT = 0.45, 0.86
# Less contrast than this, in the colours' own spreads, is no outline to judge by.
LEAST_CONTRAST = 1.2
# A rival this much better makes the piece another part; this near, the parts cannot be told apart.
RIVAL_WINS, RIVAL_NEAR = 0.02, 0.0
GUIDED_ROUNDS = 2
# A deviation so many tolerances wide, which the photo's colours speak for, never passes.
VETO = 2.0
DEVIATIONS = {
    "other_part", "size_deviation", "local_deviation", "surface_deviation", "edges_missing",
    "unlike",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class PhotoInspection:
    """One photo against one part.

    verdict, p_good 0..1, similarity 0..1 (monotone in p_good; 0.9 at the limit of passing),
    reasons, the worst first. mask (h, w) uint8 of the photo, 255 on the piece; pose; `ambiguous`:
    another pose is about as good. measures; blobs, the worst first; coverage 0..1, the share of
    the part's surface the photo shows; `seen` (k,) bool, which of the part's sample points.
    rivals, the best first. odds: log odds that the piece is good. For pictures of it: `window`,
    the square about the piece at SIDE pixels, `drawn` (s, s) the part's mask there, `surface`
    (s, s) float32 how far the light is off, in its own spreads. size beside the part's, where a
    sheet tells it. took_ms by stage.
    """

    verdict: VerdictName
    p_good: float
    similarity: float
    reasons: tuple[Reason, ...]
    mask: Bytes
    pose: Pose
    ambiguous: bool
    measures: Measures
    max_dev_mm: float
    blobs: tuple[Blob, ...]
    coverage: float
    seen: NDArray[np.bool_]
    rivals: tuple[Rival, ...]
    odds: float
    window: Window
    drawn: Bytes
    surface: Floats
    size: float | None
    took_ms: dict[str, float]


@dataclass(frozen=True, eq=False)
class Verdict:
    """One to four photos of one piece: verdict, p_good, similarity and reasons as of one photo;
    coverage of all together; `worst` is the photo that speaks most against the piece."""

    verdict: VerdictName
    p_good: float
    similarity: float
    reasons: tuple[Reason, ...]
    coverage: float
    worst: int


class _Clock:
    """Stage times, and the end of patience."""

    def __init__(self, seconds: float, stage: Stage | None) -> None:
        self._began = self._since = time.monotonic()
        self._seconds, self._stage, self._name = seconds, stage, ""
        self.took_ms: dict[str, float] = {}

    def begin(self, name: str) -> None:
        self.check()
        now = time.monotonic()
        if self._name:
            self.took_ms[self._name] = round((now - self._since) * 1000, 1)
        self._since, self._name = now, name
        if self._stage and name:
            self._stage(name)

    def check(self) -> None:
        if time.monotonic() - self._began > self._seconds:
            raise InspectionError(
                "inspection_too_long",
                f"The inspection takes longer than {self._seconds:g} seconds.",
                seconds=self._seconds,
            )


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
) -> PhotoInspection:
    """Compare a photo with a part, and with `rivals`, other parts it might be, by their keys.

    `sheet` is the printed sheet of markers the piece stands on, as `scale_find` found it. A
    `mask` (h, w) or a `pose` that a person corrected is taken as it is; a `box` that a person drew
    is where the piece is looked for, and nowhere else. Raises InspectionError, see above.
    """
    limits, calibration = limits or QcLimits(), calibration or calibration_shipped()
    clock = _Clock(limits.seconds, stage)
    clock.begin("mask")
    found, reasons = _mask_of(photo, mask, box, sheet)
    scale = _working_scale(found)
    rgb, small = _scaled(photo.rgb, found, scale)
    focal = None if photo.focal is None else photo.focal * scale
    if mask is None:
        small = mask_refine(rgb, small)
    clock.begin("pose")
    fit, score, ambiguous = _fit_of(part, rgb, small, focal, pose, scale, clock)
    if fit.overlap < NO_FIT and pose is None:
        raise InspectionError("no_fit", "The piece does not look like this part from anywhere.")
    clock.begin("measures")
    guided = small
    if mask is None:
        guided, fit = _guided(part, rgb, small, focal, fit, hold=pose is not None)
    window = window_make(rgb, guided, SIDE, focal=focal)
    if pose is None:
        fit = fit_refine(part.light, window, fit, Canvas(SIDE), steps=4, reaches=(3.0, 1.2))
    compared = piece_compare(part, window, fit)
    reasons += photo_reasons(rgb, guided)
    objects = object_count(small)
    if objects > max(1, object_count(part_drawn(part, fit, rgb.shape[:2]))):
        reasons.append(Reason("several_objects", {"found": objects}))
    seen, coverage = part.seen_from(fit.rotation, fit.translation, fit.focal, rgb.shape[:2])
    clock.begin("competition")
    others = _rivals_fit(rivals or {}, rgb, small, focal, score, clock)
    clock.begin("")
    odds = calibration.odds(compared.measures)
    p_good = probability(odds)
    deviation = max(limits.tolerance, limits.tolerance_mm / part.diagonal_mm)
    name, why = _verdict(
        p_good, compared, ambiguous, others, reasons, calibration, deviation, part, limits
    )
    out = _pose_out(part, fit, scale)
    size = None
    if sheet is not None:
        corners = part.surface.vertices.astype(np.float64) * part.diagonal_mm + part.middle
        height, width = photo.rgb.shape[:2]
        size = size_factor(sheet, corners, out, (height, width))
        name, why = _sized(size, limits, name, why)
    return PhotoInspection(
        name,
        p_good,
        calibration.similarity(p_good),
        why,
        _mask_back(guided, photo.rgb.shape[:2]),
        out,
        ambiguous,
        compared.measures,
        compared.measures.thickness * part.diagonal_mm,
        tuple(_blob_out(blob, scale) for blob in compared.blobs),
        coverage,
        seen,
        others,
        odds,
        _window_out(window, scale),
        compared.drawn,
        compared.surface,
        size,
        clock.took_ms,
    )


def inspection_fuse(
    photos: Sequence[PhotoInspection], *, calibration: Calibration | None = None
) -> Verdict:
    """One verdict of one to MOST_PHOTOS photos of one piece. Raises InspectionError photos_count.

    A defect shows from some sides only, and photos of one piece err alike: the log odds are mixed
    of their mean and their lowest, and grow with the root of how many there are.
    """
    if not 1 <= len(photos) <= MOST_PHOTOS:
        raise InspectionError(
            "photos_count",
            f"An inspection takes 1 to {MOST_PHOTOS} photos, not {len(photos)}.",
            found=len(photos),
            limit=MOST_PHOTOS,
        )
    calibration = calibration or calibration_shipped()
    odds = np.array([photo.odds for photo in photos])
    p_good = probability(calibration.fused_odds(odds))
    names = [photo.verdict for photo in photos]
    worst = int(odds.argmin())
    reasons = _reasons_joined(photos)
    telling = [photo for photo in photos if photo.verdict == "fail"]
    if telling and (p_good < calibration.fail_under or any(_is_other(p) for p in telling)):
        name: VerdictName = "fail"
    elif p_good >= calibration.pass_at and "pass" in names and not _spoken_against(photos):
        name = "pass"
    else:
        name = "review"
    coverage = float(np.mean(np.any([photo.seen for photo in photos], axis=0)))
    return Verdict(name, p_good, calibration.similarity(p_good), reasons, coverage, worst)


def _spoken_against(photos: Sequence[PhotoInspection]) -> bool:
    """Whether any of them shows a deviation: no number of other sides makes up for it."""
    return any(
        photo.verdict != "pass" and DEVIATIONS & {reason.code for reason in photo.reasons}
        for photo in photos
    )


def _is_other(photo: PhotoInspection) -> bool:
    return any(reason.code == "other_part" for reason in photo.reasons)


def _reasons_joined(photos: Sequence[PhotoInspection]) -> tuple[Reason, ...]:
    """Each code once, as the photo that speaks most against the piece says it."""
    joined: dict[str, Reason] = {}
    for photo in sorted(photos, key=lambda photo: photo.odds):
        for reason in photo.reasons:
            joined.setdefault(reason.code, reason)
    return tuple(joined.values())


# --- the stages ---------------------------------------------------------------------------------


def _mask_of(
    photo: InspectionPhoto, mask: Bytes | None, drawn: Box | None, sheet: Scale | None
) -> tuple[Bytes, list[Reason]]:
    """The piece's mask in the photo's own pixels, and what speaks against it."""
    if mask is not None:
        if mask.shape != photo.rgb.shape[:2] or not mask.any() or mask.all():
            raise InspectionError("bad_mask", "The corrected mask is not one of this photo.")
        return np.where(mask > 0, 255, 0).astype(np.uint8), []
    if drawn is not None:
        boxed = mask_boxed(photo.rgb, drawn, alpha=photo.alpha)
        if boxed is None:
            raise InspectionError("no_object", "Nothing in the rectangle stands out.")
        return boxed, []
    height, width = photo.rgb.shape[:2]
    box = (0, 0, width, height) if sheet is None else field_box(sheet, (height, width))
    left, top, right, bottom = box
    field = np.s_[top:bottom, left:right]
    alpha = None if photo.alpha is None else photo.alpha[field]
    seen = mask_first(np.ascontiguousarray(photo.rgb[field]), alpha=alpha)
    found = np.zeros((height, width), np.uint8)
    if seen is not None:
        found[field] = seen
    else:
        raise InspectionError("no_object", "Nothing in the photo stands out from the ground.")
    return found, []


def _working_scale(mask: Bytes) -> float:
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return min(1.0, WORKING_PIECE / (max(np.ptp(rows), np.ptp(columns)) + 1))


def _scaled(rgb: Bytes, mask: Bytes, scale: float) -> tuple[Bytes, Bytes]:
    if scale >= 1:
        return np.ascontiguousarray(rgb), mask
    size = max(1, round(rgb.shape[1] * scale)), max(1, round(rgb.shape[0] * scale))
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    cover = cv2.resize(mask, size, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8), np.where(cover > 127, 255, 0).astype(np.uint8)


def _fit_of(
    part: PreparedPart,
    rgb: Bytes,
    mask: Bytes,
    focal: float | None,
    pose: Pose | None,
    scale: float,
    clock: _Clock,
) -> tuple[Fit, float, bool]:
    if pose is None:
        return pose_find(part, rgb, mask, focal=focal, check=clock.check)
    moved = (pose.translation + pose.rotation @ part.middle) / part.diagonal_mm
    fit = Fit(np.asarray(pose.rotation, float), moved, pose.focal * scale, 1.0)
    return fit, fit_score(part, window_make(rgb, mask, SIDE, focal=focal), fit), False


def _guided(
    part: PreparedPart, rgb: Bytes, mask: Bytes, focal: float | None, fit: Fit, *, hold: bool
) -> tuple[Bytes, Fit]:
    """The mask and the pose, each made better by the other."""
    canvas = Canvas(SIDE)
    for _ in range(GUIDED_ROUNDS):
        mask = mask_guided(rgb, mask, part_drawn(part, fit, rgb.shape[:2]))
        if not hold:
            window = window_make(rgb, mask, SIDE, focal=focal)
            fit = fit_refine(part.light, window, fit, canvas, steps=3, reaches=(4.0, 1.5))
    return mask, fit


def part_drawn(part: PreparedPart, fit: Fit, shape: tuple[int, ...]) -> Bytes:
    """The part's mask (h, w) in the whole photo."""
    height, width = shape[:2]
    camera = Camera(
        fit.rotation, fit.translation, fit.focal, (width / 2, height / 2), width, height
    )
    nearness, ids = np.empty((height, width), np.float32), np.empty((height, width), np.int32)
    projected = vertices_project(part.light.vertices, camera)
    faces_raster(projected, part.light.faces, inverse_depth=nearness, face_ids=ids)
    return np.where(ids >= 0, 255, 0).astype(np.uint8)


def _rivals_fit(
    rivals: Mapping[str, PreparedPart],
    rgb: Bytes,
    mask: Bytes,
    focal: float | None,
    score: float,
    clock: _Clock,
) -> tuple[Rival, ...]:
    fitted = []
    for key, rival in rivals.items():
        clock.check()
        _, other, _ = pose_find(rival, rgb, mask, focal=focal, check=clock.check)
        fitted.append(Rival(key, other - score))
    return tuple(sorted(fitted, key=lambda rival: -rival.margin))


def _verdict(
    p_good: float,
    compared: Comparison,
    ambiguous: bool,
    rivals: tuple[Rival, ...],
    doubts: list[Reason],
    calibration: Calibration,
    tolerance: float,
    part: PreparedPart,
    limits: QcLimits,
) -> tuple[VerdictName, tuple[Reason, ...]]:
    """A deviation that can be shown fails a piece; doubt calls for another look."""
    measures = compared.measures
    against = _deviations(compared, tolerance, part)
    if rivals and rivals[0].margin > RIVAL_WINS:
        best = rivals[0]
        other = Reason("other_part", {"part": best.key, "margin": round(best.margin, 3)})
        return "fail", (other, *against, *doubts)
    if measures.iou < DOUBTFUL_FIT:
        doubts = [Reason("pose_doubtful", {"overlap": round(measures.iou, 2)}), *doubts]
    if measures.contrast < LEAST_CONTRAST:
        doubts = [*doubts, Reason("low_contrast")]
    if ambiguous:
        doubts = [*doubts, Reason("pose_ambiguous")]
    if rivals and rivals[0].margin > RIVAL_NEAR:
        doubts = [*doubts, Reason("rival_near", {"part": rivals[0].key})]
    grave = [reason for reason in doubts if reason.code != "pose_ambiguous"]
    pass_at = calibration.pass_at if limits.pass_at is None else limits.pass_at
    fail_under = calibration.fail_under if limits.fail_under is None else limits.fail_under
    if p_good < fail_under and against and not grave:
        return "fail", (*against, *doubts)
    plain = measures.weighed > VETO * tolerance
    if p_good >= pass_at and not grave and not plain:
        return "pass", tuple(doubts)
    if p_good < pass_at and not against:
        against = [Reason("unlike", {"p_good": round(p_good, 3)})]
    return "review", (*(against if p_good < pass_at or plain else []), *doubts)


def _sized(
    size: float, limits: QcLimits, name: VerdictName, why: tuple[Reason, ...]
) -> tuple[VerdictName, tuple[Reason, ...]]:
    """The verdict with the size taken into account; it fails only a piece whose pose is sure."""
    if abs(size - 1) <= limits.size:
        return name, why
    reason = Reason("size_deviation", {"factor": round(size, 3), "limit": limits.size})
    return ("review" if name == "review" else "fail"), (reason, *why)


def _deviations(compared: Comparison, tolerance: float, part: PreparedPart) -> list[Reason]:
    """What can be shown: outlines apart, the surface unlike, edges too many or too few."""
    found = []
    for blob in compared.blobs:
        if blob.thickness > tolerance:
            params: dict[str, float | str] = {
                "kind": blob.kind,
                "value_mm": round(blob.thickness * part.diagonal_mm, 2),
                "limit_mm": round(tolerance * part.diagonal_mm, 2),
            }
            found.append(Reason("local_deviation", params))
            break
    measures = compared.measures
    if measures.surface > tolerance**2 and measures.strength > 4:
        found.append(Reason("surface_deviation", {"strength": round(measures.strength, 1)}))
    if measures.unsupported > 0.5:
        found.append(Reason("edges_missing", {"share": round(measures.unsupported, 2)}))
    return found


# --- back into the photo's own frame ------------------------------------------------------------


def _mask_back(mask: Bytes, shape: tuple[int, ...]) -> Bytes:
    if mask.shape == shape[:2]:
        return mask
    grown = cv2.resize(mask, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR)
    return np.where(grown > 127, 255, 0).astype(np.uint8)


def _pose_out(part: PreparedPart, fit: Fit, scale: float) -> Pose:
    translation = fit.translation * part.diagonal_mm - fit.rotation @ part.middle
    return Pose(fit.rotation, translation, fit.focal / scale)


def _blob_out(blob: Blob, scale: float) -> Blob:
    left, top, right, bottom = (value / scale for value in blob.box)
    place = blob.place[0] / scale, blob.place[1] / scale
    return replace(blob, box=(left, top, right, bottom), place=place)


def _window_out(window: Window, scale: float) -> Window:
    corner = window.corner[0] / scale, window.corner[1] / scale
    shape = round(window.shape[0] / scale), round(window.shape[1] / scale)
    focal = window.focal / scale
    return replace(window, scale=window.scale * scale, corner=corner, shape=shape, focal=focal)
