"""Normals of faces, and normals of corners that shade a coarse cylinder round and a cube flat.

Triangles come as a soup: corners are welded by equal coordinates, then each corner takes the mean
of the faces around its vertex that its own face meets at less than the crease angle. Winding is
not trusted: a neighbour that faces the other way counts with its normal turned round.
"""

import numpy as np
from numba import njit

from search.engine.render.raster import KERNEL
from search.engine.render.types import Flags, Floats, Ints, Number

# Above this, a face is about a pixel and smoothing would cost more than the picture.
SMOOTH_FACES = 400_000
# A vertex with more faces than this (the pole of a fan) is averaged over an even sample of them.
FAN = 32


def face_normals(triangles: Floats) -> Floats:
    """(n, 3) float32 unit normals by the right-hand rule, zero for faces without area."""
    normals = np.empty((len(triangles), 3), np.float32)
    _face_normals(triangles, normals)
    return normals


def corner_normals(triangles: Floats, normals: Floats, *, crease: float) -> tuple[Floats, Flags]:
    """(n, 3, 3) float32 unit normals of the corners, and (n,) bool: which faces they bend.

    normals: (n, 3) of the faces; crease in degrees. O(n): a hash welds, and fans are sampled.
    Where no face bends, or there are more than SMOOTH_FACES, the corners are (0, 3, 3).
    """
    bent = np.zeros(len(triangles), np.bool_)
    if crease <= 0 or len(triangles) > SMOOTH_FACES:
        return np.empty((0, 3, 3), np.float32), bent
    vertex_ids, vertices = _weld(triangles.reshape(-1, 3).view(np.uint32))
    starts = np.zeros(vertices + 1, np.int32)
    np.cumsum(np.bincount(vertex_ids, minlength=vertices), out=starts[1:])
    corners = np.empty_like(triangles)
    limit = np.float32(np.cos(np.radians(crease)))
    _corner_normals(triangles, normals, vertex_ids, starts, limit, corners, bent)
    return (corners if bent.any() else corners[:0]), bent


@njit(**KERNEL)
def _face_normals(triangles: Floats, normals: Floats) -> None:
    for i in range(triangles.shape[0]):
        t = triangles[i]
        ax, ay, az = t[1, 0] - t[0, 0], t[1, 1] - t[0, 1], t[1, 2] - t[0, 2]
        bx, by, bz = t[2, 0] - t[0, 0], t[2, 1] - t[0, 1], t[2, 2] - t[0, 2]
        # float64: the square of a tiny face's area leaves float32.
        nx = np.float64(ay) * bz - np.float64(az) * by
        ny = np.float64(az) * bx - np.float64(ax) * bz
        nz = np.float64(ax) * by - np.float64(ay) * bx
        length = np.sqrt(nx * nx + ny * ny + nz * nz)
        inverse = 1.0 / length if length > 0.0 else 0.0
        normals[i, 0], normals[i, 1], normals[i, 2] = nx * inverse, ny * inverse, nz * inverse


@njit(**KERNEL)
def _weld(bits: np.ndarray) -> tuple[Ints, int]:
    """A vertex number for each corner by its coordinates' bits, and how many there are."""
    count = bits.shape[0]
    size = 16
    while size < 2 * count:
        size *= 2
    slots = np.full(size, -1, np.int32)
    first = np.empty(count, np.int32)
    ids = np.empty(count, np.int32)
    minus_zero = np.uint32(0x80000000)
    vertices = 0
    for i in range(count):
        x, y, z = bits[i, 0], bits[i, 1], bits[i, 2]
        x = np.uint32(0) if x == minus_zero else x
        y = np.uint32(0) if y == minus_zero else y
        z = np.uint32(0) if z == minus_zero else z
        # Teschner et al. 2003, spatial hashing; the final mix spreads the high bits downwards.
        mixed = (
            np.uint64(x) * np.uint64(73856093)
            ^ np.uint64(y) * np.uint64(19349663)
            ^ np.uint64(z) * np.uint64(83492791)
        ) * np.uint64(0x9E3779B97F4A7C15)
        slot = np.int64((mixed >> np.uint64(20)) & np.uint64(size - 1))
        while True:
            vertex = slots[slot]
            if vertex < 0:
                slots[slot] = vertices
                first[vertices] = i
                ids[i] = vertices
                vertices += 1
                break
            j = first[vertex]
            u, v, w = bits[j, 0], bits[j, 1], bits[j, 2]
            if (
                (u == x or (u == minus_zero and x == 0))
                and (v == y or (v == minus_zero and y == 0))
                and (w == z or (w == minus_zero and z == 0))
            ):
                ids[i] = vertex
                break
            slot = (slot + 1) & (size - 1)
    return ids, vertices


@njit(**KERNEL)
def _corner_angle(triangle: Floats, k: int) -> Number:
    """About the angle at corner k: its weight in the mean, so that a quad's diagonal is unseen."""
    dot, one, two = np.float32(0), np.float32(0), np.float32(0)
    for axis in range(3):
        a = triangle[(k + 1) % 3, axis] - triangle[k, axis]
        b = triangle[(k + 2) % 3, axis] - triangle[k, axis]
        dot += a * b
        one += a * a
        two += b * b
    if not one * two > 0:
        return np.float32(0)
    cosine = max(np.float32(-1), min(np.float32(1), dot / np.sqrt(one * two)))
    # acos within 0.01 rad (Abramowitz and Stegun 4.4.45, two terms).
    size = abs(cosine)
    angle = np.sqrt(np.float32(1) - size) * (np.float32(1.5708) - np.float32(0.1566) * size)
    return angle if cosine >= 0 else np.float32(3.14159265) - angle


@njit(**KERNEL)
def _corner_normals(
    triangles: Floats,
    normals: Floats,
    vertex_ids: Ints,
    starts: Ints,
    limit: float,
    corners: Floats,
    bent: Flags,
) -> None:
    around = np.empty(len(vertex_ids), np.int32)
    weights = np.empty(len(vertex_ids), np.float32)
    filled = starts[:-1].copy()
    for corner in range(len(vertex_ids)):
        vertex = vertex_ids[corner]
        around[filled[vertex]] = corner // 3
        weights[filled[vertex]] = _corner_angle(triangles[corner // 3], corner % 3)
        filled[vertex] += 1
    for corner in range(len(vertex_ids)):
        face, k = corner // 3, corner % 3
        nx, ny, nz = normals[face, 0], normals[face, 1], normals[face, 2]
        begin, end = starts[vertex_ids[corner]], starts[vertex_ids[corner] + 1]
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
                turned |= abs(cosine) < np.float32(0.99999)
        square = sx * sx + sy * sy + sz * sz
        if turned and square > np.float32(1e-12):
            bent[face] = True
            inverse = np.float32(1) / np.sqrt(square)
            nx, ny, nz = sx * inverse, sy * inverse, sz * inverse
        corners[face, k, 0], corners[face, k, 1], corners[face, k, 2] = nx, ny, nz
