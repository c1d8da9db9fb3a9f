"""How much light from all around reaches each point: shadow maps from many directions.

Each light is a direction; the part is drawn from it without perspective by the same rasteriser,
and a point is lit when nothing lies before it there. Screen-space occlusion knows only what the
camera sees and darkens the edges of every step; this one sees the whole part and its ground.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit

from search.engine.render.raster import faces_raster, vertices_transform
from search.engine.render.surface import Surface
from search.engine.render.types import KERNEL, Doubles, Floats
from search.engine.render.viewpoints import viewpoint_rotation

MAP = 160
# A point is lifted off its surface by this many texels, against shadowing itself.
LIFT = 1.8
# A point is looked up this many texels off at most: the blur that follows makes soft borders.
DITHER = 0.5


@dataclass(frozen=True, slots=True)
class Lights:
    """directions (k, 3) float64 unit, towards the lights; strengths (k,) float64."""

    directions: Doubles
    strengths: Doubles


def light_share(surface: Surface, points: Floats, normals: Floats, lights: Lights) -> Floats:
    """(p,) float32 0..1: the share of `lights`, by cosine, that reaches points (p, 3).

    points in the triangles' units, normals (p, 3) unit, both in the triangles' axes. A point
    that faces no light gets 1.
    """
    arrived, sent = np.zeros(len(points), np.float32), np.zeros(len(points), np.float32)
    nearness, face_ids = np.empty((MAP, MAP), np.float32), np.empty((MAP, MAP), np.int32)
    for number, (direction, strength) in enumerate(
        zip(lights.directions, lights.strengths, strict=True)
    ):
        matrix = _light_matrix(surface, direction)
        projected = vertices_transform(surface.vertices, matrix)
        faces_raster(projected, surface.faces, inverse_depth=nearness, face_ids=face_ids)
        _light_add(
            points,
            normals,
            matrix.astype(np.float32),
            direction.astype(np.float32),
            np.float32(strength),
            np.float32(LIFT * 2 * surface.radius / MAP),
            number,
            nearness,
            arrived,
            sent,
        )
    return np.divide(arrived, sent, out=np.ones_like(arrived), where=sent > 0)


def _light_matrix(surface: Surface, direction: Doubles) -> Doubles:
    """(3, 4): a point to column and row of the map, and nearness to the light 1..3."""
    rotation = viewpoint_rotation(direction)
    scale = np.array([MAP / 2 - 1, MAP / 2 - 1, -1.0]) / surface.radius
    linear = rotation * scale[:, None]
    offset = np.array([MAP / 2, MAP / 2, 2.0]) - linear @ surface.centre
    return np.column_stack([linear, offset])


@njit(**KERNEL)
def _light_add(
    points: Floats,
    normals: Floats,
    m: Floats,
    direction: Floats,
    strength: float,
    lift: float,
    number: int,
    nearness: Floats,
    arrived: Floats,
    sent: Floats,
) -> None:
    height, width = nearness.shape
    zero = np.float32(0.0)
    per_noise, most = np.float32(2.0 * DITHER / 4294967296.0), np.float32(DITHER)
    dx, dy, dz = direction[0], direction[1], direction[2]
    m00, m01, m02, m03 = m[0, 0], m[0, 1], m[0, 2], m[0, 3]
    m10, m11, m12, m13 = m[1, 0], m[1, 1], m[1, 2], m[1, 3]
    m20, m21, m22, m23 = m[2, 0], m[2, 1], m[2, 2], m[2, 3]
    for i in range(points.shape[0]):
        nx, ny, nz = normals[i, 0], normals[i, 1], normals[i, 2]
        cosine = nx * dx + ny * dy + nz * dz
        if cosine <= zero:
            continue
        energy = cosine * strength
        sent[i] += energy
        x, y, z = points[i, 0] + lift * nx, points[i, 1] + lift * ny, points[i, 2] + lift * nz
        noise = np.uint32(i * 747796405 + number * 277803737 + 2891336453)
        noise = np.uint32((noise ^ (noise >> np.uint32(15))) * np.uint32(2246822519))
        other = np.uint32((noise ^ (noise >> np.uint32(13))) * np.uint32(3266489917))
        u = m00 * x + m01 * y + m02 * z + m03 + np.float32(noise) * per_noise - most
        v = m10 * x + m11 * y + m12 * z + m13 + np.float32(other) * per_noise - most
        w = m20 * x + m21 * y + m22 * z + m23
        column, row = int(u), int(v)
        outside = column < 0 or row < 0 or column >= width or row >= height
        if outside or nearness[row, column] <= w:
            arrived[i] += energy
