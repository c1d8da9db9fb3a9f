"""The z-buffer: a surface's vertices and faces and a camera become inverse depths and face ids.

Knows no light, no style and no files. A sample belongs to the first of its nearest faces: the
same input gives the same picture.
"""

from math import ceil, floor

import numpy as np
from numba import njit

from search.engine.render.types import KERNEL, Camera, Doubles, Floats, Ints

# Barycentric slack: a sample on a shared edge must belong to one of the two faces.
SLACK = np.float32(1e-6)
# Faces smaller than this many square samples are drawn by no sample's centre worth having.
LEAST_AREA = np.float32(1e-12)
# Spans at least this wide are worth vector instructions.
WIDE = 16
HUGE = np.float32(1e9)
TINY = np.float32(1e-20)


def vertices_project(vertices: Floats, camera: Camera) -> Floats:
    """(m, 3) float32: column and row in pixels, and inverse depth (0: not before the camera)."""
    projected = np.empty_like(vertices)
    _project(vertices, camera.projection, projected)
    return projected


def vertices_transform(vertices: Floats, matrix: Doubles) -> Floats:
    """(m, 3) float32: vertices by a (3, 4) affine matrix, to draw without perspective: column,
    row, and a positive number that is greater nearer to the viewer.
    """
    linear, offset = matrix[:, :3].astype(np.float32), matrix[:, 3].astype(np.float32)
    return np.ascontiguousarray(vertices @ linear.T + offset)


def faces_raster(projected: Floats, faces: Ints, *, inverse_depth: Floats, face_ids: Ints) -> None:
    """Fill inverse_depth (h, w) float32, 0 where empty, and face_ids (h, w) int32, -1 where empty.

    projected: (m, 3) of `vertices_project`; faces: (n, 3) int32. All C-contiguous and writable
    (Numba compiles other layouts anew). Faces are drawn whichever way they wind, except those
    with a vertex that is not before the camera.
    """
    inverse_depth.fill(0)
    face_ids.fill(-1)
    _raster(projected, faces, inverse_depth, face_ids)


@njit(**KERNEL)
def _project(vertices: Floats, projection: Floats, projected: Floats) -> None:
    p00, p01, p02, p03 = projection[0, 0], projection[0, 1], projection[0, 2], projection[0, 3]
    p10, p11, p12, p13 = projection[1, 0], projection[1, 1], projection[1, 2], projection[1, 3]
    p20, p21, p22, p23 = projection[2, 0], projection[2, 1], projection[2, 2], projection[2, 3]
    zero, one = np.float32(0.0), np.float32(1.0)
    for i in range(vertices.shape[0]):
        x, y, z = vertices[i, 0], vertices[i, 1], vertices[i, 2]
        inverse = one / (p20 * x + p21 * y + p22 * z + p23)
        projected[i, 0] = (p00 * x + p01 * y + p02 * z + p03) * inverse
        projected[i, 1] = (p10 * x + p11 * y + p12 * z + p13) * inverse
        projected[i, 2] = inverse if inverse < np.float32(np.inf) else zero


@njit(**KERNEL)
def _raster(projected: Floats, faces: Ints, inverse_depth: Floats, face_ids: Ints) -> None:
    """Span by span: in a row of samples each edge of a face bounds the span from one side."""
    height, width = face_ids.shape
    depths, ids = inverse_depth.reshape(-1), face_ids.reshape(-1)
    half, one, zero = np.float32(0.5), np.float32(1.0), np.float32(0.0)
    last_x, last_y = np.float32(width - 1), np.float32(height - 1)
    for i in range(faces.shape[0]):
        i0, i1, i2 = faces[i, 0], faces[i, 1], faces[i, 2]
        x0, x1, x2 = projected[i0, 0], projected[i1, 0], projected[i2, 0]
        left = ceil(max(min(x0, x1, x2) - half, zero))
        right = floor(min(max(x0, x1, x2) - half, last_x))
        if not left <= right:
            continue
        y0, y1, y2 = projected[i0, 1], projected[i1, 1], projected[i2, 1]
        top = ceil(max(min(y0, y1, y2) - half, zero))
        bottom = floor(min(max(y0, y1, y2) - half, last_y))
        if not top <= bottom:
            continue
        area = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
        q0, q1, q2 = projected[i0, 2], projected[i1, 2], projected[i2, 2]
        nearest, farthest = max(q0, q1, q2), min(q0, q1, q2)
        if not (abs(area) > LEAST_AREA and farthest > zero):
            continue
        # Barycentric weights about vertex 2 at (x, y): w0 = a0 x + b0 y, w1 = a1 x + b1 y.
        inverse = one / area
        a0, b0 = (y1 - y2) * inverse, (x2 - x1) * inverse
        a1, b1 = (y2 - y0) * inverse, (x0 - x2) * inverse
        qx = a0 * (q0 - q2) + a1 * (q1 - q2)
        qy = b0 * (q0 - q2) + b1 * (q1 - q2)
        # w > -SLACK solved for x: a bound affine in y, from the left where a > 0.
        e0 = a0 if abs(a0) > TINY else TINY
        e1 = a1 if abs(a1) > TINY else TINY
        e2 = -a0 - a1 if abs(a0 + a1) > TINY else TINY
        m0, m1, m2 = -b0 / e0, -b1 / e1, (b0 + b1) / e2
        origin = x2 - half
        c0, c1, c2 = origin - SLACK / e0, origin - SLACK / e1, origin - (one + SLACK) / e2
        l0, l1, l2 = e0 > zero, e1 > zero, e2 > zero
        lm0, lc0 = (m0 if l0 else zero), (c0 if l0 else -HUGE)
        lm1, lc1 = (m1 if l1 else zero), (c1 if l1 else -HUGE)
        lm2, lc2 = (m2 if l2 else zero), (c2 if l2 else -HUGE)
        rm0, rc0 = (zero if l0 else m0), (HUGE if l0 else c0)
        rm1, rc1 = (zero if l1 else m1), (HUGE if l1 else c1)
        rm2, rc2 = (zero if l2 else m2), (HUGE if l2 else c2)
        for y in range(int(top), int(bottom) + 1):
            py = np.float32(y) + half - y2
            begin = max(max(lm0 * py + lc0, lm1 * py + lc1), max(lm2 * py + lc2, left))
            end = min(min(rm0 * py + rc0, rm1 * py + rc1), min(rm2 * py + rc2, right))
            # Over a sliver the bounds may be beyond any integer; as integers they would wrap.
            if not begin <= end:
                continue
            q_row = q2 + qy * py - qx * origin
            first, last = int(ceil(begin)), int(floor(end))
            if last - first < WIDE:
                for x in range(first, last + 1):
                    # Clamped: over a sliver the gradient is noise.
                    q = min(max(q_row + qx * np.float32(x), farthest), nearest)
                    if q > inverse_depth[y, x]:
                        inverse_depth[y, x] = q
                        face_ids[y, x] = i
                continue
            # Unsigned: Numba need not ask whether an index counts from the end, LLVM vectorises.
            number = np.int32(i)
            q_first = q_row + qx * np.float32(first)
            base = np.uint64(y * width + first)
            for k in range(np.uint64(last - first + 1)):
                q = min(max(q_first + qx * np.float32(np.int32(k)), farthest), nearest)
                before = depths[base + k]
                depths[base + k] = max(q, before)
                ids[base + k] = number if q > before else ids[base + k]
