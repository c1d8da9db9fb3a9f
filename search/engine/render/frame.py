"""Where a part is, and the camera that fills the picture with it.

A stray vertex far away must not shrink the part to a dot, and a face with numbers that are not
finite must not reach the rasteriser: `part_frame` finds and drops both.
"""

from dataclasses import dataclass
from math import frexp

import numpy as np
from numba import njit

from search.engine.errors import RenderError
from search.engine.render.raster import KERNEL
from search.engine.render.types import Camera, Doubles, Flags, Floats, Number
from search.engine.render.viewpoints import viewpoint_rotation

FIELD_OF_VIEW = 25.0
# The whole part fits the field of view from here, whatever the viewpoint (in radii).
DISTANCE = 1.02 / np.sin(np.radians(FIELD_OF_VIEW / 2))

# Faces are outliers when they reach OUTLIER_REACH times farther than the rest, are few, and are
# thin: a needle on a ball is few and thin too, but rarely eight times longer than its ball.
OUTLIER_REACH = 8.0
OUTLIER_SHARE = 0.005
OUTLIER_FACES = 8
OUTLIER_WEIGHT = 0.05
# Reaches are counted in bins of a factor of two, 2**-150 .. 2**149: all that float32 can hold.
BINS, MIDDLE = 300, 150


@dataclass(frozen=True, slots=True)
class Frame:
    """The drawable faces of a part and the sphere about them.

    triangles: (n, 3, 3) float32, same ids as the input; dropped faces have no area any more.
    """

    triangles: Floats
    centre: Doubles
    radius: float


def part_frame(triangles: Floats) -> Frame:
    """Frame of (n, 3, 3) float32 triangles; RenderError("blank_picture") when none has an extent.

    Outliers are told by area percentile, with the inscribed circle's area as a face's weight: the
    fan around a stray vertex has much area but is thin.
    """
    triangles = np.require(triangles, np.float32, ["C", "W"])
    if triangles.ndim != 3 or triangles.shape[1:] != (3, 3):
        raise ValueError(f"triangles must be (n, 3, 3), not {triangles.shape}")
    drawable = np.empty(len(triangles), np.bool_)
    low, high = np.empty(3, np.float64), np.empty(3, np.float64)
    _survey(triangles, np.zeros(3), np.inf, drawable, low, high)
    kept = int(drawable.sum())
    if kept == 0 or not np.any(high > low):
        raise RenderError("blank_picture", "The mesh has no surface to draw.")
    reach = _outlier_reach(triangles, drawable, kept)
    if reach[1] < np.inf:
        _survey(triangles, reach[0], reach[1], drawable, low, high)
        kept = int(drawable.sum())
    if kept < len(triangles):
        dropped = ~drawable
        triangles = triangles.copy()
        triangles[dropped] = triangles[np.argmax(drawable), 0]
    centre = (low + high) / 2
    radius = _reach_from(triangles, centre)
    return Frame(triangles, centre, radius)


def _outlier_reach(triangles: Floats, drawable: Flags, kept: int) -> tuple[Doubles, float]:
    """A point in the midst of the faces, and the distance from it beyond which faces are strays."""
    stride = max(1, len(triangles) // 20_000)
    sample = triangles[::stride][drawable[::stride]]
    if len(sample) == 0:
        return np.zeros(3), np.inf
    midst = np.median(sample.mean(axis=1, dtype=np.float64), axis=0)
    counts, weights = np.zeros(BINS, np.int64), np.zeros(BINS, np.float64)
    _reach_histogram(triangles, drawable, midst, counts, weights)
    beyond_counts = np.cumsum(counts[::-1])[::-1]
    beyond_weights = np.cumsum(weights[::-1])[::-1]
    few = beyond_counts <= min(max(OUTLIER_SHARE * kept, OUTLIER_FACES), kept // 4)
    thin = beyond_weights <= OUTLIER_WEIGHT * beyond_weights[0]
    rest = int(np.argmax(few & thin))  # first bin whose faces, and all farther ones, are strays
    farthest = int(np.flatnonzero(counts)[-1])
    if farthest - rest < np.log2(OUTLIER_REACH):
        return midst, np.inf
    return midst, float(2.0 ** (rest - MIDDLE))


@njit(**KERNEL)
def _survey(
    triangles: Floats,
    midst: Doubles,
    reach: float,
    drawable: Flags,
    low: Doubles,
    high: Doubles,
) -> None:
    """Which faces are finite and within `reach` of `midst`, and the box of their vertices."""
    low[:], high[:] = np.inf, -np.inf
    for i in range(triangles.shape[0]):
        farthest, total = 0.0, np.float32(0.0)
        for k in range(3):
            x, y, z = triangles[i, k, 0], triangles[i, k, 1], triangles[i, k, 2]
            total += abs(x) + abs(y) + abs(z)
            dx, dy, dz = x - midst[0], y - midst[1], z - midst[2]
            farthest = max(farthest, dx * dx + dy * dy + dz * dz)
        drawable[i] = total < np.float32(1e30) and farthest <= reach * reach
        if not drawable[i]:
            continue
        for k in range(3):
            for axis in range(3):
                low[axis] = min(low[axis], triangles[i, k, axis])
                high[axis] = max(high[axis], triangles[i, k, axis])


@njit(**KERNEL)
def _reach_histogram(
    triangles: Floats,
    drawable: Flags,
    midst: Doubles,
    counts: np.ndarray,
    weights: Doubles,
) -> None:
    """Faces, and their inscribed circles' areas / pi, by the octave of their farthest vertex."""
    for i in range(triangles.shape[0]):
        if not drawable[i]:
            continue
        farthest, around, squares, fourths = 0.0, 0.0, 0.0, 0.0
        for k in range(3):
            square, edge = 0.0, 0.0
            for axis in range(3):
                here = np.float64(triangles[i, k, axis])
                square += (here - midst[axis]) ** 2
                edge += (here - triangles[i, (k + 1) % 3, axis]) ** 2
            farthest = max(farthest, square)
            around += np.sqrt(edge)
            squares += edge
            fourths += edge * edge
        # Heron: 16 area^2 = (a^2 + b^2 + c^2)^2 - 2 (a^4 + b^4 + c^4); inradius = 2 area / around.
        sixteen = max(squares * squares - 2.0 * fourths, 0.0)
        octave = max(0, min(BINS - 1, frexp(np.sqrt(farthest))[1] + MIDDLE))
        counts[octave] += 1
        if around > 0.0:
            weights[octave] += sixteen / (4.0 * around * around)


@njit(**KERNEL)
def _reach_from(triangles: Floats, centre: Doubles) -> Number:
    farthest = 0.0
    for i in range(triangles.shape[0]):
        for k in range(3):
            dx = triangles[i, k, 0] - centre[0]
            dy = triangles[i, k, 1] - centre[1]
            dz = triangles[i, k, 2] - centre[2]
            farthest = max(farthest, dx * dx + dy * dy + dz * dz)
    return np.sqrt(farthest)


def camera_fit(frame: Frame, viewpoint: Doubles, *, size: int, margin: float) -> Camera:
    """The camera at `viewpoint` whose square picture of `size` pixels the part fills.

    The distance is that of the field of view for the whole sphere, so that perspective is the
    same from everywhere; the picture is then cropped (an off-centre principal point) and
    enlarged to the projected box of the vertices, less `margin` of the side all around.
    """
    rotation = viewpoint_rotation(viewpoint)
    translation = np.array([0.0, 0.0, DISTANCE * frame.radius]) - rotation @ frame.centre
    pose = np.column_stack([rotation, translation]).astype(np.float32)
    left, right, top, bottom = _projected_box(frame.triangles, pose)
    focal = size * (1.0 - 2.0 * margin) / max(right - left, bottom - top, 1e-12)
    principal = (size - focal * (left + right)) / 2, (size - focal * (top + bottom)) / 2
    return Camera(rotation, translation, float(focal), principal, size, size)


@njit(**KERNEL)
def _projected_box(triangles: Floats, pose: Floats) -> tuple[Number, Number, Number, Number]:
    """Least and greatest x / z and y / z of all vertices."""
    left, top = np.float32(np.inf), np.float32(np.inf)
    right, bottom = np.float32(-np.inf), np.float32(-np.inf)
    r00, r01, r02, t0 = pose[0, 0], pose[0, 1], pose[0, 2], pose[0, 3]
    r10, r11, r12, t1 = pose[1, 0], pose[1, 1], pose[1, 2], pose[1, 3]
    r20, r21, r22, t2 = pose[2, 0], pose[2, 1], pose[2, 2], pose[2, 3]
    for i in range(triangles.shape[0]):
        for k in range(3):
            x, y, z = triangles[i, k, 0], triangles[i, k, 1], triangles[i, k, 2]
            q = np.float32(1.0) / (r20 * x + r21 * y + r22 * z + t2)
            u = (r00 * x + r01 * y + r02 * z + t0) * q
            v = (r10 * x + r11 * y + r12 * z + t1) * q
            left, right = min(left, u), max(right, u)
            top, bottom = min(top, v), max(bottom, v)
    return left, right, top, bottom
