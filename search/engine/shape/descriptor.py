"""The shape descriptor: a mesh's surface as an embedding that its pose, scale and triangles leave.

Spherical harmonic energies of the surface in concentric shells about its centroid (M. Kazhdan,
T. Funkhouser, S. Rusinkiewicz, "Rotation Invariant Spherical Harmonic Representation of 3D Shape
Descriptors", 2003): a rotation mixes the coefficients of one degree among themselves and leaves
their energy. Only places on the surface are used, no normals: those are the first that noise and
decimation destroy. `bench/quality_shape.py` measures the choice.
"""

import hashlib

import numpy as np
from numba import njit
from numpy.typing import NDArray

from search.engine.encoders.space import Space
from search.engine.shape.sample import surface_sample

# The recipe. A change of any number, or of VERSION for a change of the code, makes a new space.
VERSION = 1
POINTS = 8192
# Radius (in root mean square distances of the surface from its centroid) within which points share
# their weight: noise crumples a surface and doubled sheets double it, but neither widens it.
CROWD_RADIUS = 0.25
SHELLS = 10
SHELLS_END = 2.2
DEGREES = 11

SHAPE_SPACE = Space(
    encoder="shape",
    weights_sha=hashlib.sha256(
        repr((VERSION, POINTS, CROWD_RADIUS, SHELLS, SHELLS_END, DEGREES)).encode()
    ).hexdigest(),
    preprocessing="shell-harmonics",
    d=SHELLS * DEGREES,
)


def shape_embed(triangles: NDArray[np.floating], *, seed: int = 0) -> NDArray[np.float32]:
    """Triangles (n, 3, 3) in any unit -> (SHAPE_SPACE.d,) float32, L2-normalised.

    A mirrored mesh has the same embedding: the relation tells them apart.
    Raises MeshError("all_degenerate") when there is no surface.
    """
    points = surface_sample(triangles, count=POINTS, seed=seed)
    points, _ = _standardise(points, np.full(POINTS, 1 / POINTS))
    weights = 1 / _crowd_count(points, CROWD_RADIUS)
    points, weights = _standardise(points, weights)
    coefficients = _harmonics_expand(points, weights, DEGREES, SHELLS, SHELLS_END)
    first = np.arange(DEGREES) ** 2
    # Roots of energies, as Hellinger has it: faint degrees count, loud ones do not drown them.
    energies: NDArray[np.float64] = np.sqrt(np.add.reduceat(coefficients**2, first, axis=1))
    return (energies / np.linalg.norm(energies)).ravel().astype(np.float32)


def _standardise(
    points: NDArray[np.float64], weights: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Centroid at the origin, root mean square distance one, weights of sum one."""
    weights = weights / weights.sum()
    centred = points - weights @ points
    return centred / np.sqrt(weights @ (centred**2).sum(axis=1)), weights


def _crowd_count(points: NDArray[np.float64], radius: float) -> NDArray[np.float64]:
    """How many points lie within `radius` of each, itself included, the farther the less.

    Points are sorted into cells of at least `radius` and compared with the 27 cells around.
    """
    low = points.min(axis=0)
    extent = points.max(axis=0) - low
    # Bounded, for one far outlier would ask for any number of cells.
    cells = np.minimum(extent / radius, 63).astype(np.int64) + 1
    home = np.minimum(
        ((points - low) / np.maximum(radius, extent / cells)).astype(np.int64), cells - 1
    )
    cell = np.ravel_multi_index(tuple(home.T), tuple(cells))
    order = np.argsort(cell, kind="stable")
    start = np.searchsorted(cell[order], np.arange(cells.prod() + 1))
    crowd = np.empty(len(points))
    crowd[order] = _crowd_scan(points[order].T.copy(), home[order], start, cells, radius)
    return crowd


# Reassociation lets the innermost loop use vector instructions.
@njit(cache=True, nogil=True, fastmath={"reassoc", "contract", "nsz"})
def _crowd_scan(
    points: NDArray[np.float64],
    home: NDArray[np.int64],
    start: NDArray[np.int64],
    cells: NDArray[np.int64],
    radius: float,
) -> NDArray[np.float64]:
    """Points (3, n) and their cells `home` (n, 3) in the order of cells; `start` of each cell."""
    count = points.shape[1]
    crowd = np.ones(count)
    for i in range(count):
        x, y, z = points[0, i], points[1, i], points[2, i]
        first, last = max(home[i, 2] - 1, 0), min(home[i, 2] + 1, cells[2] - 1)
        own = 0.0
        for a in range(max(home[i, 0] - 1, 0), min(home[i, 0] + 2, cells[0])):
            for b in range(max(home[i, 1] - 1, 0), min(home[i, 1] + 2, cells[1])):
                row = (a * cells[1] + b) * cells[2]
                for j in range(max(start[row + first], i + 1), start[row + last + 1]):
                    dx, dy, dz = points[0, j] - x, points[1, j] - y, points[2, j] - z
                    near = max(1 - (dx * dx + dy * dy + dz * dz) / radius**2, 0.0)
                    own += near
                    crowd[j] += near
        crowd[i] += own
    return crowd


@njit(cache=True, nogil=True)
def _harmonics_expand(
    points: NDArray[np.float64],
    weights: NDArray[np.float64],
    degrees: int,
    shells: int,
    end: float,
) -> NDArray[np.float64]:
    """Coefficients (shells, degrees**2) of real spherical harmonics, degree l at l*l .. (l+1)**2.

    Each point falls into the two shells whose middles it lies between. The associated Legendre
    functions follow the stable recurrence in the degree, without their factor sin(theta)**m, which
    the polynomials of x and y carry (Numerical Recipes, section 6.7).
    """
    rise, fall = np.zeros((degrees, degrees)), np.zeros((degrees, degrees))
    for n in range(2, degrees):
        for m in range(n - 1):
            rise[n, m] = np.sqrt((4 * n * n - 1) / (n * n - m * m))
            fall[n, m] = np.sqrt(((n - 1) ** 2 - m * m) / (4 * (n - 1) ** 2 - 1))
    legendre = np.zeros((degrees, degrees))
    legendre[0, 0] = 1.0
    for m in range(1, degrees):
        legendre[m, m] = np.sqrt((2 * m + 1) / (2 * m)) * legendre[m - 1, m - 1]
    harmonic, total = np.zeros(degrees**2), np.zeros((shells, degrees**2))
    for i in range(len(points)):
        radius = np.sqrt(points[i, 0] ** 2 + points[i, 1] ** 2 + points[i, 2] ** 2)
        x, y, z = points[i] / max(radius, 1e-12)
        for m in range(degrees - 1):
            legendre[m + 1, m] = np.sqrt(2 * m + 3) * z * legendre[m, m]
        for n in range(2, degrees):
            for m in range(n - 1):
                legendre[n, m] = rise[n, m] * (
                    z * legendre[n - 1, m] - fall[n, m] * legendre[n - 2, m]
                )
        real, imaginary = 1.0, 0.0
        for n in range(degrees):
            harmonic[n * n + n] = legendre[n, 0]
        for m in range(1, degrees):
            real, imaginary = real * x - imaginary * y, imaginary * x + real * y
            for n in range(m, degrees):
                harmonic[n * n + n + m] = np.sqrt(2.0) * legendre[n, m] * real
                harmonic[n * n + n - m] = np.sqrt(2.0) * legendre[n, m] * imaginary
        place = min(max(radius / end * shells - 0.5, 0.0), shells - 1.000001)
        shell = int(place)
        share = place - shell
        for k in range(degrees**2):
            total[shell, k] += weights[i] * (1 - share) * harmonic[k]
            total[shell + 1, k] += weights[i] * share * harmonic[k]
    return total
