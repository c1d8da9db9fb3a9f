"""Points spread evenly over a mesh's surface: the same few thousand however it is tessellated.

Knows triangles only; what is counted on the points is the descriptor's business.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from search.engine.errors import MeshError

# Steps of the two-dimensional golden-ratio sequence (M. Roberts, "The Unreasonable Effectiveness
# of Quasirandom Sequences", 2018): 1/p and 1/p^2 with p^3 = p + 1.
_PLASTIC = 1.324717957244746
_STEPS = (1 / _PLASTIC, 1 / _PLASTIC**2)


def surface_sample(
    triangles: NDArray[np.floating], *, count: int = 2048, seed: int = 0
) -> NDArray[np.float64]:
    """Exactly `count` points (count, 3), stratified by area, from triangles (n, 3, 3).

    The surface is laid out triangle after triangle as one line of length `area`, cut in `count`
    equal pieces of one point each: a triangle gets its share of points to within one. The place
    inside the triangle follows a low-discrepancy sequence. Nothing is random: `seed` shifts both.
    Raises MeshError("all_degenerate") when there is no surface.
    """
    ends = _areas_accumulate(np.ascontiguousarray(triangles))
    total = float(ends[-1]) if len(ends) else 0.0
    if not total > 0.0:
        raise MeshError("all_degenerate", "The mesh has no surface: every triangle is degenerate.")
    order = np.arange(count)
    shift = (0.5 + seed * _STEPS[0]) % 1.0
    chosen = np.searchsorted(ends, (order + shift) * (total / count), side="right")
    corners = triangles[np.minimum(chosen, len(ends) - 1)].astype(np.float64)
    u, v = ((0.5 + (order + seed * count) * step) % 1.0 for step in _STEPS)
    # The upper half of the unit square folded onto the lower one keeps the density even.
    above = u + v > 1.0
    u, v = np.where(above, 1.0 - u, u)[:, None], np.where(above, 1.0 - v, v)[:, None]
    along, across = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    return corners[:, 0] + u * along + v * across


@njit(cache=True, nogil=True)
def cross_measure(triangle: NDArray[np.floating]) -> tuple[float, float, float]:
    """Twice the area times the unit normal of a triangle (3, 3), in float64."""
    a, b, c = triangle
    # Corners widened first: differences of float32 would lose slivers.
    ux, uy, uz = np.float64(b[0]) - a[0], np.float64(b[1]) - a[1], np.float64(b[2]) - a[2]
    vx, vy, vz = np.float64(c[0]) - a[0], np.float64(c[1]) - a[1], np.float64(c[2]) - a[2]
    return uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx


@njit(cache=True, nogil=True)
def _areas_accumulate(triangles: NDArray[np.floating]) -> NDArray[np.float64]:
    ends = np.empty(len(triangles))
    total = 0.0
    for i in range(len(triangles)):
        x, y, z = cross_measure(triangles[i])
        total += 0.5 * np.sqrt(x * x + y * y + z * z)
        ends[i] = total
    return ends
