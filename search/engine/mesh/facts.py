"""Geometry facts of a mesh. Units: the file's unit is taken for a millimetre."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from search.engine.mesh.types import Mesh
from search.engine.mesh.weld import vertices_weld

# Rows taken at once: the float64 temporaries of one block stay in the cache.
BLOCK = 1 << 14


@dataclass(frozen=True)
class Facts:
    """What the part page shows. `volume_mm3` is only a solid's volume when `watertight`."""

    bbox_mm: tuple[float, float, float]
    volume_mm3: float
    area_mm2: float
    watertight: bool
    components: int
    triangle_count: int
    centroid_mm: tuple[float, float, float]


@dataclass(frozen=True)
class _Sums:
    """Integrals over the normalised triangles."""

    area: float
    area_moment: NDArray[np.float64]
    volume: float
    volume_moment: NDArray[np.float64]


def _integrate(triangles: NDArray[np.float32]) -> _Sums:
    """Area, signed volume about the centre and their first moments.

    Each triangle spans a tetrahedron with the centre: volume a.(b x c) / 6, centroid
    (a + b + c) / 4 (Zhang and Chen, "Efficient feature extraction for 2D/3D objects in mesh
    representation", 2001). float64 throughout.
    """
    area = volume = 0.0
    area_moment, volume_moment = np.zeros(3), np.zeros(3)
    for at in range(0, len(triangles), BLOCK):
        # Coordinates first: whole rows are multiplied, and NumPy's cross is slow on short axes.
        a, b, c = triangles[at : at + BLOCK].astype(np.float64).transpose(1, 2, 0).copy()
        total = a + b + c
        areas = np.sqrt(sum(row * row for row in _cross(b - a, c - a))) / 2
        volumes = sum(x * y for x, y in zip(a, _cross(b, c), strict=True)) / 6
        area += areas.sum()
        volume += volumes.sum()
        area_moment += total @ areas / 3
        volume_moment += total @ volumes / 4
    return _Sums(float(area), area_moment, float(volume), volume_moment)


def _cross(p: NDArray[np.float64], q: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """Cross products of columns: (3, n) and (3, n) -> three rows of n."""
    return [
        p[1] * q[2] - p[2] * q[1],
        p[2] * q[0] - p[0] * q[2],
        p[0] * q[1] - p[1] * q[0],
    ]


def _is_watertight(faces: NDArray[np.int32], vertices: int) -> bool:
    """Every edge belongs to exactly two faces, which run along it in opposite directions.

    So each directed edge occurs once, and the set of them equals the set of the reversed ones.
    """
    start = faces.astype(np.int64)
    end = np.roll(start, -1, axis=1)
    forward = np.sort((start * vertices + end).ravel())
    if (forward[1:] == forward[:-1]).any():
        return False
    backward = np.sort((end * vertices + start).ravel())
    return bool(np.array_equal(forward, backward))


def _components_count(faces: NDArray[np.int32], vertices: int) -> int:
    """Pieces of surface that share no vertex."""
    start, end = faces[:, :2].ravel(), faces[:, 1:].ravel()
    links = coo_matrix((np.ones(len(start), dtype=np.int8), (start, end)), (vertices, vertices))
    _, labels = connected_components(links, directed=False)
    return len(np.unique(labels[faces[:, 0]]))


def facts_measure(mesh: Mesh) -> Facts:
    """Measure a mesh. Lengths in mm, taking the file's unit for one.

    The centroid is the solid's when the mesh is watertight, else the surface's.
    """
    triangles, scale = mesh.triangles, mesh.scale
    points = triangles.reshape(-1, 3)
    extent = (points.max(axis=0).astype(np.float64) - points.min(axis=0)) * scale
    sums = _integrate(triangles)

    vertices, faces = vertices_weld(triangles)
    # A face that collapsed to an edge or a point bounds nothing and joins nothing.
    whole = (faces != np.roll(faces, 1, axis=1)).all(axis=1)
    faces = faces if whole.all() else faces[whole]
    watertight = len(faces) > 0 and _is_watertight(faces, len(vertices))
    components = _components_count(faces, len(vertices)) if len(faces) else 0

    solid = watertight and abs(sums.volume) > 1e-12
    # A far outlier can leave the rest too small for float32: no area, the centre stands in.
    surface = sums.area_moment / sums.area if sums.area > 0 else np.zeros(3)
    centroid = sums.volume_moment / sums.volume if solid else surface
    x, y, z = (centroid * scale + mesh.centre).tolist()
    width, depth, height = extent.tolist()
    return Facts(
        bbox_mm=(width, depth, height),
        volume_mm3=abs(sums.volume) * scale**3,
        area_mm2=sums.area * scale**2,
        watertight=watertight,
        components=components,
        triangle_count=len(triangles),
        centroid_mm=(x, y, z),
    )
