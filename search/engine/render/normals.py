"""Normals of faces, and normals of corners that shade a coarse cylinder round and a cube flat.

Each corner takes the mean of the faces around its vertex that its own face meets at less than
the crease angle. Winding is not trusted: a neighbour that faces the other way counts with its
normal turned round.
"""

import numpy as np
from numba import njit

from search.engine.render.types import KERNEL, Flags, Floats, Ints, Number

# Above this, a face is about a pixel and smoothing would cost more than the picture.
SMOOTH_FACES = 400_000
# A vertex with more faces than this (the pole of a fan) is averaged over an even sample of them.
FAN = 32
# Faces that meet flatter than this (0.25 degrees) leave each other flat.
FLAT = np.float32(0.99999)


def face_normals(vertices: Floats, faces: Ints) -> Floats:
    """(n, 3) float32 unit normals by the right-hand rule, zero for faces without area."""
    normals = np.empty((len(faces), 3), np.float32)
    _face_normals(vertices, faces, normals)
    return normals


def corner_normals(
    vertices: Floats, faces: Ints, normals: Floats, *, crease: float
) -> tuple[Floats, Flags]:
    """(n, 3, 3) float32 unit normals of the corners, and (n,) bool: which faces they bend.

    normals: (n, 3) of the faces; crease in degrees. O(n). Where no face bends, or there are more
    than SMOOTH_FACES, the corners are (0, 3, 3).
    """
    bent = np.zeros(len(faces), np.bool_)
    none = np.empty((0, 3, 3), np.float32)
    if crease <= 0 or len(faces) > SMOOTH_FACES:
        return none, bent
    starts = np.zeros(len(vertices) + 1, np.int32)
    np.cumsum(np.bincount(faces.reshape(-1), minlength=len(vertices)), out=starts[1:])
    corners = np.empty((len(faces), 3, 3), np.float32)
    limit = np.float32(np.cos(np.radians(crease)))
    _corner_normals(vertices, faces, normals, starts, limit, corners, bent)
    return (corners if bent.any() else none), bent


@njit(**KERNEL)
def _face_normals(vertices: Floats, faces: Ints, normals: Floats) -> None:
    for i in range(faces.shape[0]):
        i0, i1, i2 = faces[i, 0], faces[i, 1], faces[i, 2]
        # float64: the square of a tiny face's area leaves float32.
        ax = np.float64(vertices[i1, 0]) - vertices[i0, 0]
        ay = np.float64(vertices[i1, 1]) - vertices[i0, 1]
        az = np.float64(vertices[i1, 2]) - vertices[i0, 2]
        bx = np.float64(vertices[i2, 0]) - vertices[i0, 0]
        by = np.float64(vertices[i2, 1]) - vertices[i0, 1]
        bz = np.float64(vertices[i2, 2]) - vertices[i0, 2]
        nx, ny, nz = ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx
        length = np.sqrt(nx * nx + ny * ny + nz * nz)
        inverse = 1.0 / length if length > 0.0 else 0.0
        normals[i, 0], normals[i, 1], normals[i, 2] = nx * inverse, ny * inverse, nz * inverse


@njit(**KERNEL)
def _corner_angle(vertices: Floats, here: int, one: int, two: int) -> Number:
    """About the angle at vertex `here`: a corner's weight, so that a quad's diagonal is unseen."""
    dot, ones, twos = np.float32(0), np.float32(0), np.float32(0)
    for axis in range(3):
        a = vertices[one, axis] - vertices[here, axis]
        b = vertices[two, axis] - vertices[here, axis]
        dot += a * b
        ones += a * a
        twos += b * b
    if not ones * twos > 0:
        return np.float32(0)
    cosine = max(np.float32(-1), min(np.float32(1), dot / np.sqrt(ones * twos)))
    # acos within 0.01 rad, after Abramowitz and Stegun 4.4.45.
    size = abs(cosine)
    angle = np.sqrt(np.float32(1) - size) * (np.float32(1.5708) - np.float32(0.1566) * size)
    return angle if cosine >= 0 else np.float32(np.pi) - angle


@njit(**KERNEL)
def _corner_normals(
    vertices: Floats,
    faces: Ints,
    normals: Floats,
    starts: Ints,
    limit: float,
    corners: Floats,
    bent: Flags,
) -> None:
    around = np.empty(starts[-1], np.int32)
    weights = np.empty(starts[-1], np.float32)
    filled = starts[:-1].copy()
    for face in range(faces.shape[0]):
        for k in range(3):
            vertex = faces[face, k]
            at = filled[vertex]
            around[at] = face
            weights[at] = _corner_angle(
                vertices, vertex, faces[face, (k + 1) % 3], faces[face, (k + 2) % 3]
            )
            filled[vertex] = at + 1
    for face in range(faces.shape[0]):
        for k in range(3):
            nx, ny, nz = normals[face, 0], normals[face, 1], normals[face, 2]
            begin, end = starts[faces[face, k]], starts[faces[face, k] + 1]
            sx, sy, sz = np.float32(0), np.float32(0), np.float32(0)
            turned = False
            for at in range(begin, end, 1 + (end - begin - 1) // FAN):
                other = around[at]
                ox, oy, oz = normals[other, 0], normals[other, 1], normals[other, 2]
                cosine = nx * ox + ny * oy + nz * oz
                if abs(cosine) >= limit:
                    weight = weights[at] if cosine > 0 else -weights[at]
                    sx += weight * ox
                    sy += weight * oy
                    sz += weight * oz
                    turned |= abs(cosine) < FLAT
            square = sx * sx + sy * sy + sz * sz
            if turned and square > np.float32(1e-12):
                bent[face] = True
                inverse = np.float32(1) / np.sqrt(square)
                nx, ny, nz = sx * inverse, sy * inverse, sz * inverse
            corners[face, k, 0], corners[face, k, 1], corners[face, k, 2] = nx, ny, nz
