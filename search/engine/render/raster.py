"""The z-buffer: triangles and a projection become face ids and inverse depths.

Knows no light, no style and no files. Every kernel releases the GIL and is cached on disk; none
may assume finite numbers, since meshes come from strangers: hence no `nnan` among the fast-math
flags. A pixel belongs to the first of its nearest faces, so the same input gives the same picture.
"""

from math import ceil, floor
from typing import Any

import numpy as np
from numba import njit

from search.engine.render.types import Camera, Floats, Ints

KERNEL: dict[str, Any] = {
    "nogil": True,
    "cache": True,
    "error_model": "numpy",
    "fastmath": {"nsz", "arcp", "contract", "reassoc"},
}
# A face that reaches nearer than this is behind or inside the camera and is not drawn.
NEAR = np.float32(1e-30)
FAR = np.float32(1e30)
# Barycentric slack: a pixel's centre on a shared edge must belong to one of the two faces.
SLACK = np.float32(1e-6)


def faces_raster(triangles: Floats, camera: Camera) -> tuple[Floats, Ints]:
    """Inverse depth (h, w) float32, 0 where empty, and face ids (h, w) int32, -1 where empty.

    triangles: (n, 3, 3) float32, C-contiguous, writable (Numba compiles read-only arrays anew).
    Faces are drawn whichever way they wind; those with a number that is not finite are not.
    """
    inverse_depth = np.zeros((camera.height, camera.width), np.float32)
    face_ids = np.full((camera.height, camera.width), -1, np.int32)
    _raster(triangles, camera.projection, inverse_depth, face_ids)
    return inverse_depth, face_ids


@njit(**KERNEL)
def _raster(triangles: Floats, projection: Floats, inverse_depth: Floats, face_ids: Ints) -> None:
    height, width = face_ids.shape
    half, one, zero = np.float32(0.5), np.float32(1.0), np.float32(0.0)
    last_x, last_y = np.float32(width - 1), np.float32(height - 1)
    p = projection
    for i in range(triangles.shape[0]):
        t = triangles[i]
        z0 = p[2, 0] * t[0, 0] + p[2, 1] * t[0, 1] + p[2, 2] * t[0, 2] + p[2, 3]
        z1 = p[2, 0] * t[1, 0] + p[2, 1] * t[1, 1] + p[2, 2] * t[1, 2] + p[2, 3]
        z2 = p[2, 0] * t[2, 0] + p[2, 1] * t[2, 1] + p[2, 2] * t[2, 2] + p[2, 3]
        if not (z0 > NEAR and z1 > NEAR and z2 > NEAR and z0 < FAR and z1 < FAR and z2 < FAR):
            continue
        q0, q1, q2 = one / z0, one / z1, one / z2
        x0 = (p[0, 0] * t[0, 0] + p[0, 1] * t[0, 1] + p[0, 2] * t[0, 2] + p[0, 3]) * q0
        x1 = (p[0, 0] * t[1, 0] + p[0, 1] * t[1, 1] + p[0, 2] * t[1, 2] + p[0, 3]) * q1
        x2 = (p[0, 0] * t[2, 0] + p[0, 1] * t[2, 1] + p[0, 2] * t[2, 2] + p[0, 3]) * q2
        left = ceil(max(min(x0, x1, x2) - half, zero))
        right = floor(min(max(x0, x1, x2) - half, last_x))
        if left > right:
            continue
        y0 = (p[1, 0] * t[0, 0] + p[1, 1] * t[0, 1] + p[1, 2] * t[0, 2] + p[1, 3]) * q0
        y1 = (p[1, 0] * t[1, 0] + p[1, 1] * t[1, 1] + p[1, 2] * t[1, 2] + p[1, 3]) * q1
        y2 = (p[1, 0] * t[2, 0] + p[1, 1] * t[2, 1] + p[1, 2] * t[2, 2] + p[1, 3]) * q2
        top = ceil(max(min(y0, y1, y2) - half, zero))
        bottom = floor(min(max(y0, y1, y2) - half, last_y))
        if top > bottom:
            continue
        doubled_area = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
        if not abs(doubled_area) > zero:
            continue
        per_area = one / doubled_area
        a0, b0 = (y1 - y2) * per_area, (x2 - x1) * per_area
        a1, b1 = (y2 - y0) * per_area, (x0 - x2) * per_area
        q02, q12 = q0 - q2, q1 - q2
        for y in range(int(top), int(bottom) + 1):
            py = np.float32(y) + half - y2
            was_inside = False
            for x in range(int(left), int(right) + 1):
                px = np.float32(x) + half - x2
                w0 = a0 * px + b0 * py
                w1 = a1 * px + b1 * py
                if w0 >= -SLACK and w1 >= -SLACK and w0 + w1 <= one + SLACK:
                    was_inside = True
                    q = q2 + w0 * q02 + w1 * q12
                    if q > inverse_depth[y, x]:
                        inverse_depth[y, x] = q
                        face_ids[y, x] = i
                elif was_inside:
                    break
