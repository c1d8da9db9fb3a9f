"""The camera that fills the picture with a part."""

import numpy as np
from numba import njit

from search.engine.render.surface import Surface
from search.engine.render.types import KERNEL, Camera, Doubles, Floats, Number
from search.engine.render.viewpoints import Z_UP, viewpoint_rotation

FIELD_OF_VIEW = 25.0
# The whole part fits the field of view from here, whatever the viewpoint (in radii).
DISTANCE = 1.02 / np.sin(np.radians(FIELD_OF_VIEW / 2))


def camera_fit(
    surface: Surface,
    viewpoint: Doubles,
    *,
    size: int,
    margin: float,
    up: tuple[float, float, float] = Z_UP,
) -> Camera:
    """The camera at `viewpoint` whose square picture of `size` pixels the part fills.

    The distance is that of the field of view for the whole sphere, so that perspective is the
    same from everywhere; the picture is then cropped (an off-centre principal point) and
    enlarged to the projected box of the vertices, less `margin` of the side all around.
    """
    rotation = viewpoint_rotation(viewpoint, up=up)
    translation = np.array([0.0, 0.0, DISTANCE * surface.radius]) - rotation @ surface.centre
    pose = np.column_stack([rotation, translation]).astype(np.float32)
    left, right, top, bottom = _projected_box(surface.vertices, pose)
    focal = size * (1.0 - 2.0 * margin) / max(right - left, bottom - top, 1e-12)
    principal = (size - focal * (left + right)) / 2, (size - focal * (top + bottom)) / 2
    return Camera(rotation, translation, float(focal), principal, size, size)


@njit(**KERNEL)
def _projected_box(vertices: Floats, pose: Floats) -> tuple[Number, Number, Number, Number]:
    """Least and greatest x / z and y / z of all vertices."""
    left, top = np.float32(np.inf), np.float32(np.inf)
    right, bottom = np.float32(-np.inf), np.float32(-np.inf)
    r00, r01, r02, t0 = pose[0, 0], pose[0, 1], pose[0, 2], pose[0, 3]
    r10, r11, r12, t1 = pose[1, 0], pose[1, 1], pose[1, 2], pose[1, 3]
    r20, r21, r22, t2 = pose[2, 0], pose[2, 1], pose[2, 2], pose[2, 3]
    for i in range(vertices.shape[0]):
        x, y, z = vertices[i, 0], vertices[i, 1], vertices[i, 2]
        q = np.float32(1.0) / (r20 * x + r21 * y + r22 * z + t2)
        u = (r00 * x + r01 * y + r02 * z + t0) * q
        v = (r10 * x + r11 * y + r12 * z + t1) * q
        left, right = min(left, u), max(right, u)
        top, bottom = min(top, v), max(bottom, v)
    return left, right, top, bottom
