"""One pose made better: rendered and photographed outline paired both ways, robust Gauss-Newton.

The inner loop of the pose search. A fit is a pose in the part's diagonals; a window is the square
of the photo about the piece, at the size the loop works at.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np
from numba import njit

from search.engine.qc.outline import border_points, masks_overlap, outward_normals
from search.engine.render.raster import faces_raster, vertices_project
from search.engine.render.types import KERNEL, Camera

if TYPE_CHECKING:
    from search.engine.render.surface import Surface
    from search.engine.render.types import Bytes, Doubles, Floats, Ints

# Of the piece's longer side, left free around it.
MARGIN = 0.11
# The focal length is held near what the camera says, or phones usually have, by a normal prior of
# this deviation (log); without it the fit would hide a stretched part in a longer lens.
FOCAL_DEVIATION_KNOWN, FOCAL_DEVIATION = 0.03, 0.15
# The usual phone: 26 mm on a 36 mm frame gives 0.72, in portrait of a 4:3 picture 0.9; crops and
# zooms lengthen it.
USUAL_FOCAL = 1.1
# A step turns at most so far (radians) and zooms at most so much (log).
MOST_TURN, MOST_ZOOM = 0.35, 0.1
_UNKNOWNS = 7


class Fit(NamedTuple):
    """rotation (3, 3), translation (3,) diagonals, focal in the photo's pixels; the overlap it
    reached in the window it was made in."""

    rotation: Doubles
    translation: Doubles
    focal: float
    overlap: float


@dataclass(frozen=True, eq=False)
class Window:
    """The square of the photo about the piece, `size` pixels wide.

    scale     window pixels a photo pixel
    corner    (x, y) of the window's corner in the photo
    shape     (height, width) of the photo
    focal     what the camera's is thought to be, in the photo's pixels, and its deviation (log)
    rgb       (size, size, 3), mask (size, size) 0 or 255
    border    (m, 2) int32 rows and columns, normals (m, 2) float32 x, y
    nearest   (size, size) int32: which border point is nearest
    """

    size: int
    scale: float
    corner: tuple[float, float]
    shape: tuple[int, int]
    focal: float
    focal_deviation: float
    rgb: Bytes
    mask: Bytes
    border: Ints
    normals: Floats
    nearest: Ints

    def camera(self, fit: Fit) -> Camera:
        height, width = self.shape
        principal = (
            (width / 2 - self.corner[0]) * self.scale,
            (height / 2 - self.corner[1]) * self.scale,
        )
        return Camera(
            fit.rotation, fit.translation, fit.focal * self.scale, principal, self.size, self.size
        )

    def in_photo(self, x: float, y: float) -> tuple[float, float]:
        """A place of the window in the photo's pixels."""
        return x / self.scale + self.corner[0], y / self.scale + self.corner[1]


def focal_guess(shape: tuple[int, int], focal: float | None) -> tuple[float, float]:
    """Focal length in pixels and its deviation (log) of a photo of `shape` (height, width)."""
    if focal is not None:
        return focal, FOCAL_DEVIATION_KNOWN
    return USUAL_FOCAL * max(shape), FOCAL_DEVIATION


def window_make(rgb: Bytes, mask: Bytes, size: int, *, focal: float | None = None) -> Window:
    """Of a photo (h, w, 3) and its mask (h, w), not empty."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    middle = np.array([columns[0] + columns[-1] + 1, rows[0] + rows[-1] + 1]) / 2
    side = float(max(np.ptp(columns), np.ptp(rows)) + 1) * (1 + 2 * MARGIN)
    scale = size / side
    corner = middle - side / 2
    to_window = np.array([[scale, 0, -corner[0] * scale], [0, scale, -corner[1] * scale]])
    # OpenCV's pixel centres are whole numbers, ours halves.
    to_window[:, 2] += (scale - 1) / 2
    # Shrinking by more than two must average, not skip.
    step = min(1.0, scale)
    cover = mask
    if step < 0.75:
        sigma = 0.42 / step
        cover = np.asarray(cv2.GaussianBlur(mask, (0, 0), 0.6 * sigma), np.uint8)
        rgb = np.asarray(cv2.GaussianBlur(rgb, (0, 0), sigma), np.uint8)
    cover = np.asarray(cv2.warpAffine(cover, to_window, (size, size)), np.uint8)
    picture = cv2.warpAffine(rgb, to_window, (size, size), borderMode=cv2.BORDER_REPLICATE)
    cut = np.where(cover > 127, 255, 0).astype(np.uint8)
    border = border_points(cut)
    shape = mask.shape[0], mask.shape[1]
    return Window(
        size,
        float(scale),
        (float(corner[0]), float(corner[1])),
        shape,
        *focal_guess(shape, focal),
        np.asarray(picture, np.uint8),
        cut,
        border,
        outward_normals(cut, border),
        _nearest_border(cut.shape[0], border),
    )


def _nearest_border(size: int, border: Ints) -> Ints:
    ground = np.ones((size, size), np.uint8)
    ground[border[:, 0], border[:, 1]] = 0
    _, labels = cv2.distanceTransformWithLabels(
        ground, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    which = np.zeros(int(labels.max()) + 1, np.int32)
    which[labels[border[:, 0], border[:, 1]]] = np.arange(len(border), dtype=np.int32)
    return np.asarray(which[labels], np.int32)


class Canvas:
    """Where a surface is drawn again and again: inverse depth, face ids and mask, (s, s)."""

    def __init__(self, size: int) -> None:
        self.nearness = np.empty((size, size), np.float32)
        self.ids = np.empty((size, size), np.int32)

    def draw(self, surface: Surface, camera: Camera) -> Bytes:
        """The mask (s, s) uint8, 0 or 255."""
        projected = vertices_project(surface.vertices, camera)
        faces_raster(projected, surface.faces, inverse_depth=self.nearness, face_ids=self.ids)
        return np.where(self.ids >= 0, 255, 0).astype(np.uint8)


def fit_refine(
    surface: Surface,
    window: Window,
    fit: Fit,
    canvas: Canvas,
    *,
    steps: int,
    reaches: tuple[float, float],
    points: int = 260,
) -> Fit:
    """The best by overlap of `fit` and what `steps` Gauss-Newton steps make of it.

    `reaches`: how far off, in 1/128 of the window, a pair still counts half, at the first and the
    last step (Cauchy weights).
    """
    best = fit._replace(overlap=-1.0)
    focal = fit.focal
    now = fit
    for step in range(steps + 1):
        camera = window.camera(now)
        drawn = canvas.draw(surface, camera)
        overlap = masks_overlap(drawn, window.mask)
        if overlap > best.overlap:
            best = now._replace(overlap=overlap)
        if step == steps or overlap == 0:
            break
        reach = reaches[0] * (reaches[1] / reaches[0]) ** (step / max(1, steps - 1))
        normal, gradient, count = _normal_equations(
            border_points(drawn),
            canvas.nearness,
            window.border,
            window.normals,
            window.nearest,
            np.asarray(now.translation, np.float64),
            camera.focal,
            np.asarray(camera.principal, np.float64),
            reach * window.size / 128,
            points,
        )
        now = _stepped(now, window, normal, gradient, count, focal)
    return best


def _stepped(
    fit: Fit, window: Window, normal: Doubles, gradient: Doubles, count: int, focal: float
) -> Fit:
    """One damped step: rotation vector, translation in units of the distance, log focal."""
    diagonal = np.diag_indices(_UNKNOWNS)
    normal[diagonal] *= 1.01
    normal[diagonal] += 1e-3 * count
    # The prior weighs like a hundredth of the pairs, each a 64th of the window off.
    hold = 0.01 * count * (window.size / 64) ** 2 / window.focal_deviation**2
    normal[6, 6] += hold
    gradient[6] += hold * np.log(fit.focal / window.focal)
    try:
        change = -np.linalg.solve(normal, gradient)
    except np.linalg.LinAlgError:
        return fit
    if not np.isfinite(change).all():
        return fit
    angle = float(np.linalg.norm(change[:3]))
    if angle > MOST_TURN:
        change *= MOST_TURN / angle
    turn, _ = cv2.Rodrigues(change[:3])
    distance = fit.translation[2]
    return Fit(
        turn @ fit.rotation,
        fit.translation + change[3:6] * distance,
        fit.focal * float(np.exp(np.clip(change[6], -MOST_ZOOM, MOST_ZOOM))),
        fit.overlap,
    )


@njit(**KERNEL)
def _normal_equations(
    drawn: Ints,
    nearness: Floats,
    border: Ints,
    normals: Floats,
    nearest: Ints,
    translation: Doubles,
    focal: float,
    principal: Doubles,
    reach: float,
    points: int,
) -> tuple[Doubles, Doubles, int]:
    """J'WJ (7, 7), J'Wr (7,) and the number of pairs of both outlines' points.

    Each drawn border point is paired with the photo's nearest, and each of (at most `points`) of
    the photo's with the nearest drawn one; the residual is along the photo's normal.
    """
    normal = np.zeros((7, 7))
    gradient = np.zeros(7)
    row = np.empty(7)
    count = 0
    if len(drawn) == 0 or len(border) == 0:
        return normal, gradient, count
    stride = 1 + (len(drawn) - 1) // points
    stride_back = 1 + (len(border) - 1) // points
    forward = (len(drawn) + stride - 1) // stride
    back = (len(border) + stride_back - 1) // stride_back
    for k in range(forward + back):
        if k < forward:
            i = k * stride
            j = nearest[drawn[i, 0], drawn[i, 1]]
        else:
            j = (k - forward) * stride_back
            i, least = 0, np.int64(1 << 60)
            for m in range(len(drawn)):
                dy = np.int64(drawn[m, 0]) - border[j, 0]
                dx = np.int64(drawn[m, 1]) - border[j, 1]
                if dx * dx + dy * dy < least:
                    least = dx * dx + dy * dy
                    i = m
        y, x = drawn[i, 0], drawn[i, 1]
        off_x, off_y = float(x - border[j, 1]), float(y - border[j, 0])
        nx, ny = float(normals[j, 0]), float(normals[j, 1])
        residual = off_x * nx + off_y * ny
        weight = 1.0 / (1.0 + (off_x * off_x + off_y * off_y) / (reach * reach))
        inverse = float(nearness[y, x])
        depth = 1.0 / inverse
        px = (x + 0.5 - principal[0]) / focal * depth
        py = (y + 0.5 - principal[1]) / focal * depth
        # How the residual changes as the point moves: du = f/z dx - f x/z^2 dz, dv alike.
        gx, gy = nx * focal * inverse, ny * focal * inverse
        gz = -(nx * px + ny * py) * focal * inverse * inverse
        rx, ry, rz = px - translation[0], py - translation[1], depth - translation[2]
        row[0] = ry * gz - rz * gy
        row[1] = rz * gx - rx * gz
        row[2] = rx * gy - ry * gx
        row[3], row[4], row[5] = gx * translation[2], gy * translation[2], gz * translation[2]
        row[6] = (nx * px + ny * py) * inverse * focal
        for a in range(7):
            gradient[a] += weight * row[a] * residual
            for b in range(7):
                normal[a, b] += weight * row[a] * row[b]
        count += 1
    return normal, gradient, count
