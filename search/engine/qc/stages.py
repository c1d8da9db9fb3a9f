"""The stages of one photo's inspection, each a function; `photo_inspect` calls them in turn.

Photos are worked on at the size `working_scale` gives; the last section goes back to their own.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from search.engine.errors import InspectionError
from search.engine.qc.box import Box, mask_boxed
from search.engine.qc.fit import Canvas, Fit, Window, fit_refine, window_make
from search.engine.qc.mask import Seen, mask_first, mask_guided, mask_leaning
from search.engine.qc.measures import SIDE
from search.engine.qc.pose import fit_score, pose_find
from search.engine.qc.scale import Scale, field_box
from search.engine.qc.types import Blob, InspectionPhoto, Pose, Rival, Stage
from search.engine.render.raster import faces_raster, vertices_project
from search.engine.render.types import Camera

if TYPE_CHECKING:
    from collections.abc import Mapping

    from search.engine.qc.part import PreparedPart
    from search.engine.qc.segmenter import Segmenter
    from search.engine.render.types import Bytes

# Photos are worked on with the piece at most this long, in pixels.
WORKING_PIECE = 560
GUIDED_ROUNDS = 2


class Clock:
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


def mask_of(
    photo: InspectionPhoto,
    mask: Bytes | None,
    drawn: Box | None,
    sheet: Scale | None,
    segmenter: Segmenter | None,
) -> Seen:
    """Where the piece is, in the photo's own pixels."""
    if mask is not None:
        if mask.shape != photo.rgb.shape[:2] or not mask.any() or mask.all():
            raise InspectionError("bad_mask", "The corrected mask is not one of this photo.")
        return Seen(np.where(mask > 0, 255, 0).astype(np.uint8), None)
    if drawn is not None:
        boxed = mask_boxed(photo.rgb, drawn, alpha=photo.alpha)
        if boxed is None:
            raise InspectionError("no_object", "Nothing in the rectangle stands out.")
        return boxed
    height, width = photo.rgb.shape[:2]
    box = (0, 0, width, height) if sheet is None else field_box(sheet, (height, width))
    left, top, right, bottom = box
    field = np.s_[top:bottom, left:right]
    alpha = None if photo.alpha is None else photo.alpha[field]
    within = mask_first(np.ascontiguousarray(photo.rgb[field]), alpha=alpha, segmenter=segmenter)
    if within is None:
        raise InspectionError("no_object", "Nothing in the photo stands out from the ground.")
    return within.placed(field, (height, width))


def working_scale(mask: Bytes) -> float:
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return min(1.0, WORKING_PIECE / (max(np.ptp(rows), np.ptp(columns)) + 1))


def scaled(rgb: Bytes, seen: Seen, scale: float) -> tuple[Bytes, Seen]:
    if scale >= 1:
        return np.ascontiguousarray(rgb), seen
    size = max(1, round(rgb.shape[1] * scale)), max(1, round(rgb.shape[0] * scale))

    def shrunk(plane: Bytes) -> Bytes:
        return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), np.uint8)

    mask = np.where(shrunk(seen.mask) > 127, 255, 0).astype(np.uint8)
    return shrunk(rgb), Seen(mask, None if seen.cover is None else shrunk(seen.cover))


def fit_of(
    part: PreparedPart,
    rgb: Bytes,
    mask: Bytes,
    focal: float | None,
    pose: Pose | None,
    scale: float,
    clock: Clock,
) -> tuple[Fit, float, bool]:
    if pose is None:
        return pose_find(part, rgb, mask, focal=focal, check=clock.check)
    moved = (pose.translation + pose.rotation @ part.middle) / part.diagonal_mm
    fit = Fit(np.asarray(pose.rotation, float), moved, pose.focal * scale, 1.0)
    return fit, fit_score(part, window_make(rgb, mask, SIDE, focal=focal), fit), False


def mask_and_pose_settle(
    part: PreparedPart, rgb: Bytes, seen: Seen, focal: float | None, fit: Fit, *, hold: bool
) -> tuple[Bytes, Fit]:
    """The mask and the pose, each made better by the other."""
    canvas, mask = Canvas(SIDE), seen.mask
    for _ in range(GUIDED_ROUNDS):
        drawn = part_drawn(part, fit, rgb.shape[:2])
        if seen.cover is None:
            mask = mask_guided(rgb, mask, drawn)
        else:
            mask = mask_leaning(seen.cover, drawn)
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


def rivals_fit(
    rivals: Mapping[str, PreparedPart],
    rgb: Bytes,
    mask: Bytes,
    focal: float | None,
    score: float,
    clock: Clock,
) -> tuple[Rival, ...]:
    fitted = []
    for key, rival in rivals.items():
        clock.check()
        _, other, _ = pose_find(rival, rgb, mask, focal=focal, check=clock.check)
        fitted.append(Rival(key, other - score))
    return tuple(sorted(fitted, key=lambda rival: -rival.margin))


# --- back into the photo's own frame ------------------------------------------------------------


def mask_back(mask: Bytes, shape: tuple[int, ...]) -> Bytes:
    if mask.shape == shape[:2]:
        return mask
    grown = cv2.resize(mask, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR)
    return np.where(grown > 127, 255, 0).astype(np.uint8)


def pose_out(part: PreparedPart, fit: Fit, scale: float) -> Pose:
    translation = fit.translation * part.diagonal_mm - fit.rotation @ part.middle
    return Pose(fit.rotation, translation, fit.focal / scale)


def blob_out(blob: Blob, scale: float) -> Blob:
    left, top, right, bottom = (value / scale for value in blob.box)
    place = blob.place[0] / scale, blob.place[1] / scale
    return replace(blob, box=(left, top, right, bottom), place=place)


def window_out(window: Window, scale: float) -> Window:
    corner = window.corner[0] / scale, window.corner[1] / scale
    shape = round(window.shape[0] / scale), round(window.shape[1] / scale)
    focal = window.focal / scale
    return replace(window, scale=window.scale * scale, corner=corner, shape=shape, focal=focal)
