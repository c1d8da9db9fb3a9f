"""Pieces that came out wrong, made from a part: broken, grown, plugged, stretched, bent, twisted.

Solids by manifold3d; sizes are shares of the part's diagonal. Knows no photo. Everything follows
from the generator of random numbers it is given.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from manifold3d import Error, Manifold, Mesh

from search.engine.errors import InspectionError
from search.engine.mesh.weld import vertices_weld

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Doubles = NDArray[np.float64]
    Rng = np.random.Generator

KINDS = ("broken", "grown", "plugged", "scaled", "bent", "twisted")

BREAK_OUT, BLOB = 0.085, 0.05  # radii
# A break-out takes at least and at most this share of the volume.
LEAST_LOSS, MOST_LOSS = 0.006, 0.12
BEND = 0.07  # of the longest side, at its ends
TWIST = np.radians(14.0)  # at either end
SCALES = (0.9, 1.1)
# A hole is an opposite wall this near, met head-on.
WIDEST_HOLE, HEAD_ON = 0.25, 0.9
TRIES, RAYS = 40, 400
_FINE = 1 / 18  # of the diagonal: edges before a solid is bent


@dataclass(frozen=True)
class Defect:
    """triangles (n, 3, 3) float32 in the part's own frame and unit; `place` (3,) is the middle of
    what changed, None where all of the piece did."""

    kind: str
    triangles: NDArray[np.float32]
    place: Doubles | None


def defect_make(triangles: NDArray[np.float32], kind: str, rng: Rng) -> Defect:
    """A piece with one defect of `kind`, of (n, 3, 3) triangles.

    Raises InspectionError: not_solid where the surface is not closed, no_place where the part
    offers none (a plug without a hole). ValueError on an unknown kind.
    """
    solid = solid_of(triangles)
    low, high = np.array(solid.bounding_box()).reshape(2, 3)
    diagonal = float(np.linalg.norm(high - low))
    place: Doubles | None = None
    match kind:
        case "broken":
            made, place = _broken(solid, triangles, diagonal, rng)
        case "grown":
            point, normal = _surface_point(triangles, rng)
            place = point + normal * 0.02 * diagonal
            made = solid + Manifold.sphere(BLOB * diagonal, 24).translate(place.tolist())
        case "plugged":
            place, radius = hole_find(triangles, diagonal, rng)
            made = solid + Manifold.sphere(1.15 * radius, 24).translate(place.tolist())
        case "scaled":
            factors = np.ones(3)
            factors[rng.integers(3)] = rng.choice(SCALES)
            middle = (low + high) / 2
            made = solid.translate(tuple(-middle)).scale(tuple(factors)).translate(tuple(middle))
        case "bent" | "twisted":
            made = _warped(solid, low, high, rng, twist=kind == "twisted")
        case _:
            raise ValueError(f"no kind of defect is called {kind!r}")
    return Defect(kind, _triangles_of(made), place)


def solid_of(triangles: NDArray[np.float32]) -> Manifold:
    """Raises InspectionError not_solid where the triangles do not close."""
    vertices, faces = vertices_weld(triangles)
    solid = Manifold(Mesh(vertices, faces.astype(np.uint32)))
    if solid.status() != Error.NoError or solid.is_empty():
        raise InspectionError("not_solid", "The part's surface is not closed.")
    return solid


def _triangles_of(solid: Manifold) -> NDArray[np.float32]:
    mesh = solid.to_mesh()
    vertices = np.asarray(mesh.vert_properties, np.float32)[:, :3]
    return np.ascontiguousarray(vertices[mesh.tri_verts])


def _broken(
    solid: Manifold, triangles: NDArray[np.float32], diagonal: float, rng: Rng
) -> tuple[Manifold, Doubles]:
    for _ in range(TRIES):
        place, _ = _surface_point(triangles, rng)
        made = solid - Manifold.sphere(BREAK_OUT * diagonal, 24).translate(tuple(place))
        if LEAST_LOSS < 1 - made.volume() / solid.volume() < MOST_LOSS:
            return made, place
    raise _no_place()


def _surface_point(triangles: NDArray[np.float32], rng: Rng) -> tuple[Doubles, Doubles]:
    """A point (3,) of the surface, all places alike, and its outward normal."""
    corners = triangles.astype(np.float64)
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    areas = np.linalg.norm(cross, axis=1)
    face = int(rng.choice(len(areas), p=areas / areas.sum()))
    root, along = np.sqrt(rng.random()), rng.random()
    weights = np.array([1 - root, root * (1 - along), root * along])
    return weights @ corners[face], cross[face] / areas[face]


def hole_find(triangles: NDArray[np.float32], diagonal: float, rng: Rng) -> tuple[Doubles, float]:
    """The middle (3,) and half width of a hole or slot: where the way out meets another wall soon
    and head-on. Raises InspectionError no_place."""
    corners = triangles.astype(np.float64)
    for _ in range(RAYS):
        point, normal = _surface_point(triangles, rng)
        reach, face = ray_first(corners, point + normal * 1e-5 * diagonal, normal)
        if not 0.01 * diagonal < reach < WIDEST_HOLE * diagonal:
            continue
        a, b, c = corners[face]
        wall = np.cross(b - a, c - a)
        if wall @ normal < -HEAD_ON * np.linalg.norm(wall):
            return point + normal * reach / 2, reach / 2
    raise _no_place()


def ray_first(corners: Doubles, origin: Doubles, towards: Doubles) -> tuple[float, int]:
    """How far a ray runs to the first of (n, 3, 3) triangles, inf if to none, and which it is.

    Moeller and Trumbore, "Fast, minimum storage ray/triangle intersection" (1997).
    """
    edge_1, edge_2 = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    across = np.cross(towards, edge_2)
    with np.errstate(divide="ignore", invalid="ignore"):
        inverse = 1 / (edge_1 * across).sum(axis=1)
        away = origin - corners[:, 0]
        u = (away * across).sum(axis=1) * inverse
        turned = np.cross(away, edge_1)
        v = (turned @ towards) * inverse
        reach = (turned * edge_2).sum(axis=1) * inverse
        meets = (u >= 0) & (v >= 0) & (u + v <= 1) & (reach > 0)
    reach = np.where(meets, reach, np.inf)
    face = int(reach.argmin())
    return float(reach[face]), face


def _warped(solid: Manifold, low: Doubles, high: Doubles, rng: Rng, *, twist: bool) -> Manifold:
    """Bent along the longest side, or twisted about it."""
    extent, middle = high - low, (low + high) / 2
    axis = int(extent.argmax())
    i, j = rng.permutation([k for k in range(3) if k != axis])

    def warp(given: Any) -> Doubles:
        points: Doubles = np.array(given, np.float64)
        along = (points[:, axis] - middle[axis]) / (extent[axis] / 2)
        if not twist:
            points[:, i] += BEND * extent[axis] * along**2
            return points
        cos, sin = np.cos(TWIST * along), np.sin(TWIST * along)
        u, v = points[:, i] - middle[i], points[:, j] - middle[j]
        points[:, i], points[:, j] = middle[i] + u * cos - v * sin, middle[j] + u * sin + v * cos
        return points

    return solid.refine_to_length(float(np.linalg.norm(extent)) * _FINE).warp_batch(warp)


def _no_place() -> InspectionError:
    return InspectionError("no_place", "The part has no place for this defect.")
