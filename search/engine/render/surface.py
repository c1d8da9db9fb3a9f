"""A soup of triangles made ready to draw: welded, cleaned of what cannot be drawn, with normals.

A stray vertex far away must not shrink the part to a dot, and numbers that are not finite must
not reach the rasteriser: both are found and their faces dropped here, whatever the file said.
"""

from dataclasses import dataclass
from math import frexp

import numpy as np
from numba import njit

from search.engine.errors import RenderError
from search.engine.render.normals import corner_normals, face_normals
from search.engine.render.types import KERNEL, Doubles, Flags, Floats, Ints, Number

# Faces are strays when they reach STRAY_REACH times farther than the rest, are few, and are thin:
# a needle on a ball is few and thin too, but is rarely eight times longer than its ball.
STRAY_REACH = 8.0
STRAY_SHARE, STRAY_FACES = 0.005, 8
STRAY_WEIGHT = 0.05
# Reaches are counted by octave, 2**-150 .. 2**149: all that float32 can hold.
OCTAVES, MIDDLE = 300, 150
FARTHEST = 1e18
# Vertices whose median tells where the midst of a part is.
MIDST_VERTICES = 4096


@dataclass(frozen=True, slots=True)
class Surface:
    """vertices (m, 3) float32, faces (n, 3) int32 with the ids of the input's triangles; dropped
    faces have no area. normals (n, 3) of the faces; corners (n, 3, 3) and bent (n,) as in
    normals.py. centre and radius of the sphere about the drawable vertices.
    """

    vertices: Floats
    faces: Ints
    normals: Floats
    corners: Floats
    bent: Flags
    centre: Doubles
    radius: float


def surface_make(triangles: Floats, *, crease: float = 0.0) -> Surface:
    """Surface of (n, 3, 3) float32 triangles in any units; crease in degrees, 0: flat faces.

    Raises RenderError("blank_picture") when no face has a finite extent, ValueError on a shape
    that is not (n, 3, 3).
    """
    triangles = np.require(triangles, np.float32, ["C", "W"])
    if triangles.ndim != 3 or triangles.shape[1:] != (3, 3):
        raise ValueError(f"triangles must be (n, 3, 3), not {triangles.shape}")
    vertices, faces = soup_weld(triangles)
    # NaN compares false; beyond FARTHEST squares leave float32.
    keep = np.asarray((np.abs(vertices) < FARTHEST).all(axis=1))
    if keep.any():
        keep = _strays_drop(vertices, faces, keep)
    if not keep.all():
        vertices, faces = _dropped(vertices, faces, keep)
    low, high = _box(vertices)
    if not np.any(high > low):
        raise RenderError("blank_picture", "The mesh has no surface to draw.")
    centre = (low + high) / 2
    normals = face_normals(vertices, faces)
    corners, bent = corner_normals(vertices, faces, normals, crease=crease)
    return Surface(vertices, faces, normals, corners, bent, centre, _reach(vertices, centre))


def soup_weld(triangles: Floats) -> tuple[Floats, Ints]:
    """Vertices (m, 3) and faces (n, 3) int32: corners with equal coordinates become one. O(n)."""
    corners = triangles.reshape(-1, 3)
    vertex_ids, vertex_corners = _weld(corners.view(np.uint32))
    return corners[vertex_corners], vertex_ids.reshape(-1, 3)


@njit(**KERNEL)
def _weld(bits: np.ndarray) -> tuple[Ints, Ints]:
    """A vertex number for each corner by its coordinates' bits; each vertex's first corner."""
    count = bits.shape[0]
    size = 16
    while size < 2 * count:
        size *= 2
    slots = np.full(size, -1, np.int32)
    first = np.empty(count, np.int32)
    ids = np.empty(count, np.int32)
    vertices = 0
    for i in range(count):
        x, y, z = _bits(bits[i, 0]), _bits(bits[i, 1]), _bits(bits[i, 2])
        # Spatial hashing of Teschner et al. 2003; the product's high bits are its best mixed.
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
            if _bits(bits[j, 0]) == x and _bits(bits[j, 1]) == y and _bits(bits[j, 2]) == z:
                ids[i] = vertex
                break
            slot = (slot + 1) & (size - 1)
    return ids, first[:vertices].copy()


@njit(**KERNEL)
def _bits(bits: np.uint32) -> np.uint32:
    """-0.0 is 0.0."""
    return np.uint32(0) if bits == np.uint32(0x80000000) else bits


def _strays_drop(vertices: Floats, faces: Ints, keep: Flags) -> Flags:
    """`keep` without the vertices of stray faces, told by area percentile.

    A face weighs as its inscribed circle: the fan around a stray vertex has much area, but thin.
    """
    finite = vertices if keep.all() else vertices[keep]
    sample = finite[:: 1 + len(finite) // MIDST_VERTICES].astype(np.float64)
    midst = np.median(sample, axis=0)
    typical = np.median(np.linalg.norm(sample - midst, axis=1))
    if _reach(finite, midst) < STRAY_REACH * typical:
        return keep
    counts, weights = np.zeros(OCTAVES, np.int64), np.zeros(OCTAVES, np.float64)
    _reach_histogram(vertices, faces, keep, midst, counts, weights)
    counts, weights = np.cumsum(counts[::-1])[::-1], np.cumsum(weights[::-1])[::-1]
    few = counts <= min(max(STRAY_SHARE * counts[0], STRAY_FACES), counts[0] // 4)
    rest = int(np.argmax(few & (weights <= STRAY_WEIGHT * weights[0])))
    farthest = int(np.count_nonzero(counts)) - 1
    if farthest - rest < np.log2(STRAY_REACH):
        return keep
    reach = 2.0 ** (rest - MIDDLE)
    near: Flags = np.linalg.norm(vertices.astype(np.float64) - midst, axis=1) < reach
    return keep & near


def _dropped(vertices: Floats, faces: Ints, keep: Flags) -> tuple[Floats, Ints]:
    """Faces with a vertex not kept collapse into a kept vertex; so do the vertices."""
    refuge = int(np.argmax(keep))
    faces = np.where(keep[faces].all(axis=1, keepdims=True), faces, np.int32(refuge))
    used = np.zeros(len(vertices), np.bool_)
    used[faces] = True
    return np.where(used[:, None], vertices, vertices[refuge]), faces


@njit(**KERNEL)
def _reach_histogram(
    vertices: Floats, faces: Ints, keep: Flags, midst: Doubles, counts: Ints, weights: Doubles
) -> None:
    """Faces, and their inscribed circles' areas / pi, by the octave of their farthest vertex."""
    edges = np.empty((3, 3), np.float64)
    for i in range(faces.shape[0]):
        if not (keep[faces[i, 0]] and keep[faces[i, 1]] and keep[faces[i, 2]]):
            continue
        farthest, around = 0.0, 0.0
        for k in range(3):
            here, there = faces[i, k], faces[i, (k + 1) % 3]
            reach, edge = 0.0, 0.0
            for axis in range(3):
                place = np.float64(vertices[here, axis])
                reach += (place - midst[axis]) ** 2
                edges[k, axis] = vertices[there, axis] - place
                edge += edges[k, axis] ** 2
            farthest = max(farthest, reach)
            around += np.sqrt(edge)
        octave = max(0, min(OCTAVES - 1, frexp(np.sqrt(farthest))[1] + MIDDLE))
        counts[octave] += 1
        if around > 0.0:
            # The radius is the doubled area over the length around.
            doubled = 0.0
            for axis in range(3):
                u, v = (axis + 1) % 3, (axis + 2) % 3
                doubled += (edges[0, u] * edges[1, v] - edges[0, v] * edges[1, u]) ** 2
            weights[octave] += doubled / (around * around)


@njit(**KERNEL)
def _box(vertices: Floats) -> tuple[Doubles, Doubles]:
    low, high = np.full(3, np.inf), np.full(3, -np.inf)
    for axis in range(3):
        least, greatest = vertices[0, axis], vertices[0, axis]
        for i in range(vertices.shape[0]):
            least, greatest = min(least, vertices[i, axis]), max(greatest, vertices[i, axis])
        low[axis], high[axis] = least, greatest
    return low, high


@njit(**KERNEL)
def _reach(vertices: Floats, centre: Doubles) -> Number:
    farthest = 0.0
    for i in range(vertices.shape[0]):
        dx = vertices[i, 0] - centre[0]
        dy = vertices[i, 1] - centre[1]
        dz = vertices[i, 2] - centre[2]
        farthest = max(farthest, dx * dx + dy * dy + dz * dz)
    return np.sqrt(farthest)
