"""What a person is shown: the photo with the part's outline over it, and the deviation in 3D."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from search.engine.qc.part import points_seen
from search.engine.render.pose import pose_render
from search.engine.render.raster import faces_raster, vertices_project
from search.engine.render.types import Camera

if TYPE_CHECKING:
    from search.engine.qc.inspect import PhotoInspection
    from search.engine.qc.part import PreparedPart
    from search.engine.qc.types import Pose
    from search.engine.render.types import Bytes, Floats

# Colours, RGB. Told apart by lightness too, for those who see fewer colours.
OUTLINE, MISSING, EXTRA, WORST = (60, 220, 110), (225, 40, 40), (50, 90, 255), (255, 210, 0)
FILL = 0.55
# A patch of surface is marked from so many spreads of the light on.
PATCH = 2.5
# Values of the heat: deviations of the outline count whole from this (diagonals) on, those of
# light from this many of its spreads.
WHOLE_THICKNESS, WHOLE_SPREADS = 0.05, 8.0


def overlay_draw(
    rgb: Bytes, inspection: PhotoInspection, *, worst: bool = True, fills: bool = True
) -> Bytes:
    """(h, w, 3) sRGB of the photo inspected: the part's outline in green, what is missing in red,
    what is extra in blue, the worst point circled."""
    height, width = rgb.shape[:2]
    drawn = _in_photo(inspection.drawn, inspection, (height, width))
    picture = rgb.copy()
    if fills:
        window = inspection.window.mask > 0
        part = inspection.drawn > 0
        for region, colour in ((part & ~window, MISSING), (~part & window, EXTRA)):
            # One pixel of the window is the outlines' own grain, no deviation.
            kept = cv2.morphologyEx(region.astype(np.uint8), cv2.MORPH_OPEN, np.ones((2, 2)))
            where = (
                _in_photo(np.asarray(kept, np.uint8) * np.uint8(255), inspection, (height, width))
                > 0
            )
            mixed = picture[where] * (1 - FILL) + np.array(colour) * FILL
            picture[where] = mixed.astype(np.uint8)
    thick = max(1, round(max(height, width) / 500))
    outlines, _ = cv2.findContours(drawn, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(picture, outlines, -1, OUTLINE, thick, cv2.LINE_AA)
    if worst and inspection.blobs:
        blob = inspection.blobs[0]
        left, top, right, bottom = blob.box
        radius = max(10 * thick, round(0.6 * max(right - left, bottom - top)))
        radius = min(radius, round(0.12 * max(height, width)))
        at = round(blob.place[0]), round(blob.place[1])
        cv2.circle(picture, at, radius, WORST, 2 * thick, cv2.LINE_AA)
    return picture


def _in_photo(mask: Bytes, inspection: PhotoInspection, shape: tuple[int, int]) -> Bytes:
    """A mask (s, s) of the window laid into the whole photo (h, w), 0 or 255."""
    window = inspection.window
    to_window = np.array(
        [
            [window.scale, 0, -window.corner[0] * window.scale + (window.scale - 1) / 2],
            [0, window.scale, -window.corner[1] * window.scale + (window.scale - 1) / 2],
        ]
    )
    laid = cv2.warpAffine(
        mask, to_window, shape[::-1], flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    )
    return np.where(laid > 127, 255, 0).astype(np.uint8)


def deviation_on_mesh(
    triangles: Floats, part: PreparedPart, inspection: PhotoInspection
) -> tuple[Floats, Floats]:
    """Heat for the part's own (n, 3, 3) triangles in mm: how much each corner deviates, 0..1, and
    whether the photo shows it (1) or not (0); both (n, 3) float32, 0 where it is not seen.

    What is missing marks the surface that should be there; what is extra, the surface beside it.
    """
    edges = triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]
    normals = np.repeat(np.cross(*edges), 3, axis=0)
    values, seen = deviation_at(triangles.reshape(-1, 3), normals, part, inspection)
    return values.reshape(triangles.shape[:2]), seen.reshape(triangles.shape[:2])


def deviation_at(
    points: Floats, normals: Floats, part: PreparedPart, inspection: PhotoInspection
) -> tuple[Floats, Floats]:
    """The same for points (k, 3) in mm of the part's surface and normals (k, 3) of any length:
    two (k,) float32."""
    corners = ((points - part.middle) / part.diagonal_mm).astype(np.float32)
    normals = normals / (np.linalg.norm(normals, axis=1, keepdims=True) + 1e-30)
    pose = inspection.pose
    moved = (pose.translation + pose.rotation @ part.middle) / part.diagonal_mm
    window = inspection.window
    middle = (
        (window.shape[1] / 2 - window.corner[0]) * window.scale,
        (window.shape[0] / 2 - window.corner[1]) * window.scale,
    )
    size = window.size
    camera = Camera(pose.rotation, moved, pose.focal * window.scale, middle, size, size)
    nearness, ids = np.empty((size, size), np.float32), np.empty((size, size), np.int32)
    projected = vertices_project(part.surface.vertices, camera)
    faces_raster(projected, part.surface.faces, inverse_depth=nearness, face_ids=ids)
    seen, _ = points_seen(corners, normals, camera, nearness)
    # A point on the outline lies between what is hot and the ground: the hottest beside it counts.
    heat = cv2.dilate(deviation_map(inspection), np.ones((5, 5), np.uint8))
    placed = corners @ camera.rotation.T + camera.translation
    column = placed[:, 0] / placed[:, 2] * camera.focal + middle[0]
    row = placed[:, 1] / placed[:, 2] * camera.focal + middle[1]
    column, row = np.clip(column, 0, size - 1), np.clip(row, 0, size - 1)
    values = np.where(seen, heat[row.astype(int), column.astype(int)], 0)
    return values.astype(np.float32), seen.astype(np.float32)


def part_picture(part: PreparedPart, pose: Pose, shape: tuple[int, ...]) -> Bytes:
    """The part alone as a camera at `pose` sees it: (h, w, 4) sRGB and alpha, lit from the camera,
    its inner edges darker."""
    height, width = shape[:2]
    moved = (pose.translation + pose.rotation @ part.middle) / part.diagonal_mm
    camera = Camera(pose.rotation, moved, pose.focal, (width / 2, height / 2), width, height)
    drawn = pose_render(part.surface, camera)
    facing = np.clip(np.abs(drawn.normals[..., 2]), 0, 1)
    light = 70 + 165 * facing
    edges = cv2.Laplacian(light.astype(np.float32), cv2.CV_32F, ksize=3)
    light = np.clip(light - 0.5 * np.abs(edges), 25, 255).astype(np.uint8)
    alpha = np.where(drawn.mask > 0, 255, 0).astype(np.uint8)
    return np.dstack([light, light, light, alpha])


def deviation_map(inspection: PhotoInspection) -> Floats:
    """(s, s) float32 0..1 over the inspection's window: how much the piece deviates there."""
    part, piece = inspection.drawn > 0, inspection.window.mask > 0
    unit = inspection.measures.pixel
    heat = np.clip((np.abs(inspection.surface) - PATCH) / WHOLE_SPREADS, 0, 1).astype(np.float32)
    for region in (part & ~piece, ~part & piece):
        depth = cv2.distanceTransform(region.astype(np.uint8), cv2.DIST_L2, 5)
        # Each pixel of a region is as bad as the region is wide there.
        reach = max(3, round(WHOLE_THICKNESS / 2 / unit)) | 1
        wide = cv2.dilate(depth, np.ones((reach, reach), np.uint8))
        spread = np.clip(2 * (wide - 1) * unit / WHOLE_THICKNESS, 0, 1)
        heat = np.maximum(heat, spread.astype(np.float32))
    return np.asarray(cv2.GaussianBlur(heat, (0, 0), 1.0), np.float32)
