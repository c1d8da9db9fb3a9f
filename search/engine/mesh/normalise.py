"""Triangles as a file gives them -> a `Mesh`: bad numbers out, centred, inside the unit sphere."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.engine.errors import MeshError
from search.engine.mesh.types import Mesh

# Nothing beyond float32's range can be drawn; below it, squares and cubes are finite in float64.
LARGEST = float(np.finfo(np.float32).max)

# A triangle whose height is under a millionth of its longest edge covers no pixel; float32 files
# place collinear corners about 1e-7 of the edge off their line.
FLAT = 1e-6

# Rows taken at once: temporary arrays stay in the cache and small beside the mesh.
BLOCK = 1 << 15

# The search for one triangle with an area nearly always ends in the first few.
LOOK = 1 << 10


def _blocks(count: int, size: int = BLOCK) -> Iterator[slice]:
    return (slice(at, at + size) for at in range(0, count, size))


def _all_flat(corners: NDArray[np.float64]) -> bool:
    """Whether every triangle (n, 3, 3) has no area worth the name."""
    ab, ac = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    bc = ac - ab
    double_area_squared = (np.cross(ab, ac) ** 2).sum(axis=1)
    edge_squared = np.maximum((ab * ab).sum(axis=1), (ac * ac).sum(axis=1))
    edge_squared = np.maximum(edge_squared, (bc * bc).sum(axis=1))
    return not bool((double_area_squared > (FLAT * edge_squared) ** 2).any())


def mesh_normalise(triangles: NDArray[Any], *, format: str) -> Mesh:
    """Make a mesh of (n, 3, 3) float32 or float64 corners in file units, of any strides.

    Triangles with NaN, an infinity or a number beyond float32 are dropped; the centre is found and
    taken away in float64, so parts far from the origin keep their precision.
    Raises MeshError: no_triangles, bad_numbers (none is left), all_degenerate.
    """
    count = len(triangles)
    if count == 0:
        raise MeshError("no_triangles", "The file contains no triangles.")
    low, high = np.full(3, np.inf), np.full(3, -np.inf)
    with np.errstate(invalid="ignore"):
        for rows in _blocks(count):
            points = triangles[rows].reshape(-1, 3)
            low = np.minimum(low, points.min(axis=0))
            high = np.maximum(high, points.max(axis=0))
        # NaN wins every minimum and fails every comparison: one look tells whether all are good.
        if not (np.abs(low) <= LARGEST).all() or not (np.abs(high) <= LARGEST).all():
            good = (np.abs(triangles.reshape(count, 9)) <= LARGEST).all(axis=1)
            if not good.any():
                raise MeshError(
                    "bad_numbers",
                    f"None of the {count} triangles has coordinates that are numbers.",
                    found=count,
                )
            return mesh_normalise(triangles[good], format=format)

    centre = low.astype(np.float64) / 2 + high.astype(np.float64) / 2
    centred = np.empty((count, 3, 3), dtype=np.float32)
    farthest = 0.0
    for rows in _blocks(count):
        corners = triangles[rows].astype(np.float64) - centre
        points = corners.reshape(-1, 3)
        farthest = max(farthest, float(np.einsum("ij,ij->i", points, points).max()))
    scale = float(np.sqrt(farthest))
    if scale == 0.0 or all(
        _all_flat(triangles[rows].astype(np.float64)) for rows in _blocks(count, LOOK)
    ):
        raise MeshError(
            "all_degenerate", f"All {count} triangles are without area: there is nothing to show."
        )
    for rows in _blocks(count):
        centred[rows] = (triangles[rows].astype(np.float64) - centre) / scale
    return Mesh(triangles=centred, centre=centre, scale=scale, format=format)
