"""Numbers of a mesh's surface that no rotation, translation, scale or re-tessellation changes.

All are integrals of polynomials over the surface, exact for flat triangles, so a subdivided or
re-ordered mesh gives the same numbers to rounding. Only the surface is used, never the inside:
winding, holes in the mesh, a flat or an open shape need no special case. Knows nothing of
databases: the fields are floats and tuples of floats that any JSON column holds.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from search.engine.errors import MeshError
from search.engine.shape.sample import cross_measure

if TYPE_CHECKING:
    from search.engine.mesh.types import Mesh

# Goes up with every change of meaning or order of the numbers below: stored ones are measured anew.
INVARIANTS_VERSION = 1

# Radon's rule: seven points of a triangle whose weighted values integrate degree 5 exactly
# (J. Radon, "Zur mechanischen Kubatur", 1948). Rows: barycentric coordinates; then weights.
_NEAR, _FAR = (6 - math.sqrt(15)) / 21, (6 + math.sqrt(15)) / 21
_RADON_POINTS = np.array(
    [[1 / 3, 1 / 3, 1 / 3]]
    + [[1 - 2 * a if i == j else a for j in range(3)] for a in (_NEAR, _FAR) for i in range(3)]
)
_RADON_WEIGHTS = np.array(
    [9 / 40] + 3 * [(155 - math.sqrt(15)) / 1200] + 3 * [(155 + math.sqrt(15)) / 1200]
)


@dataclass(frozen=True)
class Invariants:
    """What is compared to say same, scaled or mirrored; JSON-able.

    `size` is the root mean square distance of the surface from its centroid, in file units: the
    only number with a scale. `shape` (12) is unchanged by mirroring, `hand` (9) changes its sign
    and is zero for a symmetric mesh. All are dimensionless and of order one or less.
    """

    size: float
    shape: tuple[float, ...]
    hand: tuple[float, ...]
    version: int = INVARIANTS_VERSION

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Invariants":
        def floats(values: Sequence[float]) -> tuple[float, ...]:
            return tuple(map(float, values))

        return cls(
            size=float(stored["size"]),
            shape=floats(stored["shape"]),
            hand=floats(stored["hand"]),
            version=int(stored["version"]),
        )


def invariants_measure(mesh: "Mesh") -> Invariants:
    """Raises MeshError("all_degenerate") when the mesh has no surface."""
    moments = _moments_measure(np.ascontiguousarray(mesh.triangles))
    return Invariants(
        size=moments.rms * mesh.scale, shape=_shape_measure(moments), hand=_hand_measure(moments)
    )


@dataclass(frozen=True)
class _Moments:
    """Averages over the surface, lengths in units of `rms`, about the surface's centroid.

    With x the place and n the unit normal: `second` = <x x>, `third` = <x x x>, `fourth` =
    <|x|^4>, `facing` = <n n>, `twist` = the symmetric part of <n (x cross n)>. Normals come in
    pairs, so a flipped triangle counts the same. `area` is that of the surface over rms^2.
    """

    rms: float
    area: float
    second: NDArray[np.float64]
    third: NDArray[np.float64]
    fourth: float
    facing: NDArray[np.float64]
    twist: NDArray[np.float64]


def _moments_measure(triangles: NDArray[np.floating]) -> _Moments:
    area, first = _centroid_integrate(triangles)
    if not area > 0.0:
        raise MeshError("all_degenerate", "The mesh has no surface: every triangle is degenerate.")
    second, third, fourth, facing, twist = (
        total / area
        for total in _moments_integrate(triangles, first / area, _RADON_POINTS, _RADON_WEIGHTS)
    )
    second, third = _symmetric_fill(second), _symmetric_fill(third)
    rms = math.sqrt(np.trace(second))
    return _Moments(
        rms=rms,
        area=area / rms**2,
        second=second / rms**2,
        third=third / rms**3,
        fourth=float(fourth[0]) / rms**4,
        facing=facing,
        twist=(twist + twist.T) / (2 * rms),
    )


def _shape_measure(m: _Moments) -> tuple[float, ...]:
    """True scalars. Each is of first degree in lengths, so that a small move of the vertices moves
    it as little: roots of eigenvalues instead of eigenvalues, a norm instead of its square.
    """
    skew = np.einsum("ijj->i", m.third)
    numbers = [
        0.5 * math.log(m.area),
        m.fourth**0.25,
        *np.sqrt(np.maximum(np.linalg.eigvalsh(m.second), 0.0)),
        *np.linalg.eigvalsh(m.facing)[:2],
        np.sum(m.second * m.facing),
        np.linalg.norm(skew),
        np.linalg.norm(m.second @ skew),
        np.linalg.norm(m.third),
        np.linalg.norm(m.twist),
    ]
    return tuple(map(float, numbers))


def _hand_measure(m: _Moments) -> tuple[float, ...]:
    """Pseudo-scalars: products with one determinant or an odd number of twists.

    No axis is chosen anywhere, so equal or nearly equal principal moments (a gear, a propeller)
    are nothing special. The twists see screws and propellers; the triple products see parts
    without any symmetry; the last two see boxy parts whose only symmetries are half turns.
    """
    skew = np.einsum("ijj->i", m.third)
    pulled, faced = m.second @ skew, m.facing @ skew
    numbers = [
        np.sum(m.twist * m.second),
        np.sum(m.twist * (m.second @ m.second)),
        np.sum(m.twist * m.facing),
        skew @ m.twist @ skew,
        np.linalg.det(m.twist),
        np.linalg.det([skew, pulled, m.second @ pulled]),
        np.linalg.det([skew, pulled, faced]),
        _commutator_contract(m.third, m.second, m.second @ m.second),
        _commutator_contract(m.third, m.second, m.facing),
    ]
    return tuple(map(float, numbers))


def _commutator_contract(
    third: NDArray[np.float64], a: NDArray[np.float64], b: NDArray[np.float64]
) -> float:
    """third_ijk a_jm b_kn epsilon_imn: <xyz> weighed by how far the axes differ."""
    full = np.einsum("ijk,jm,kn->imn", third, a, b)
    cyclic = full[0, 1, 2] + full[1, 2, 0] + full[2, 0, 1]
    return float(cyclic - full[0, 2, 1] - full[1, 0, 2] - full[2, 1, 0])


def _symmetric_fill(tensor: NDArray[np.float64]) -> NDArray[np.float64]:
    filled: NDArray[np.float64] = tensor[tuple(np.sort(np.indices(tensor.shape), axis=0))]
    return filled


@njit(cache=True, nogil=True)
def _centroid_integrate(triangles: NDArray[np.floating]) -> tuple[float, NDArray[np.float64]]:
    area, first = 0.0, np.zeros(3)
    for i in range(len(triangles)):
        x, y, z = cross_measure(triangles[i])
        own = 0.5 * np.sqrt(x * x + y * y + z * z)
        area += own
        for j in range(3):
            for corner in range(3):
                first[j] += own / 3 * triangles[i, corner, j]
    return area, first


@njit(cache=True, nogil=True)
def _moments_integrate(
    triangles: NDArray[np.floating],
    centroid: NDArray[np.float64],
    points: NDArray[np.float64],
    weights: NDArray[np.float64],
) -> tuple[
    NDArray[np.float64],
    NDArray[np.float64],
    NDArray[np.float64],
    NDArray[np.float64],
    NDArray[np.float64],
]:
    """Surface integrals of x x, x x x, |x|^4, n n and n (x cross n) about `centroid`.

    The first two hold only the elements whose indices ascend.
    """
    second, third, fourth = np.zeros((3, 3)), np.zeros((3, 3, 3)), np.zeros(1)
    facing, twist = np.zeros((3, 3)), np.zeros((3, 3))
    corner, normal, middle, x = np.empty((3, 3)), np.empty(3), np.empty(3), np.empty(3)
    for t in range(len(triangles)):
        for i in range(3):
            for j in range(3):
                corner[i, j] = triangles[t, i, j] - centroid[j]
        for i in range(3):
            middle[i] = (corner[0, i] + corner[1, i] + corner[2, i]) / 3
        normal[0], normal[1], normal[2] = cross_measure(corner)
        length = np.sqrt(normal[0] ** 2 + normal[1] ** 2 + normal[2] ** 2)
        if length == 0.0:
            continue
        area = 0.5 * length
        for i in range(3):
            normal[i] /= length
        for i in range(3):
            j, k = (i + 1) % 3, (i + 2) % 3
            lever = middle[j] * normal[k] - middle[k] * normal[j]
            for a in range(3):
                facing[a, i] += area * normal[a] * normal[i]
                twist[a, i] += area * normal[a] * lever
        for p in range(len(points)):
            share = area * weights[p]
            square = 0.0
            for i in range(3):
                x[i] = (
                    points[p, 0] * corner[0, i]
                    + points[p, 1] * corner[1, i]
                    + points[p, 2] * corner[2, i]
                )
                square += x[i] * x[i]
            fourth[0] += share * square * square
            for i in range(3):
                for j in range(i, 3):
                    second[i, j] += share * x[i] * x[j]
                    for k in range(j, 3):
                        third[i, j, k] += share * x[i] * x[j] * x[k]
    return second, third, fourth, facing, twist
