"""Solids with holes and hands, and ways to alter a mesh, for what compares whole parts.

A solid is `(n, 3, 3) float64` in mm like those of `meshes`; an alteration takes and gives such.
"""

import numpy as np
from manifold3d import CrossSection, Manifold

from tests.factories.meshes import Triangles


def drilled_plate(hole: float = 3.0) -> Triangles:
    """100 x 60 x 5 with one hole off the middle: its own mirror image, for it is flat."""
    plate = Manifold.cube([100, 60, 5])
    return _triangles(plate - _drill(hole).translate([70, 40, 0]))


def drilled_bracket(hole: float = 6.0) -> Triangles:
    """An L of two plates with one hole off the plane of symmetry: comes in left and right."""
    bracket = Manifold.cube([60, 40, 5]) + Manifold.cube([5, 40, 50])
    return _triangles(bracket - _drill(hole).translate([45, 12, 0]))


def propeller(blades: int) -> Triangles:
    """Pitched blades on a hub: a hand, but no three distinct axes from three blades on."""
    blade = Manifold.cube([40, 8, 1.5], True).rotate([25, 0, 0]).translate([25, 0, 0])
    hub = Manifold.cylinder(10, 6, 6, 64, True)
    return _triangles(
        sum((blade.rotate([0, 0, 360 / blades * i]) for i in range(blades)), start=hub)
    )


def screw() -> Triangles:
    """A twisted eccentric rod: two-fold symmetric, nearly a cylinder."""
    profile = CrossSection.circle(5, 48).translate([0.6, 0])
    return _triangles(Manifold.extrude(profile, 40, 100, 360 * 4))


def helical_gear(teeth: int = 17) -> Triangles:
    tooth = CrossSection.square([3, 6], True).translate([21, 0])
    profile = sum((tooth.rotate(360 / teeth * i) for i in range(teeth)), CrossSection.circle(20))
    return _triangles(Manifold.extrude(profile, 10, 20, 12))


def bossed_block() -> Triangles:
    """Four bosses on a block, symmetric under half turns only, every face along an axis."""
    block = Manifold.cube([40, 30, 20], True)
    boss = Manifold.cube([3, 3, 3], True)
    for x, y, z in ((1, 1, 1), (1, -1, -1), (-1, 1, -1), (-1, -1, 1)):
        block += boss.translate([12 * x, 8 * y, 10 * z])
    return _triangles(block)


def polygon_flat() -> Triangles:
    """Two triangles in one plane."""
    a, b, c, d = np.array([(0.0, 0, 0), (10, 0, 0), (12, 5, 0), (3, 6, 0)])
    return np.array([[a, b, c], [a, c, d]])


def _drill(diameter: float) -> Manifold:
    return Manifold.cylinder(20, diameter / 2, diameter / 2, 64).translate([0, 0, -5])


def _triangles(solid: Manifold) -> Triangles:
    mesh = solid.to_mesh()
    vertices: Triangles = np.asarray(mesh.vert_properties, dtype=np.float64)[:, :3]
    return vertices[np.asarray(mesh.tri_verts)]


# --- alterations ------------------------------------------------------------------------------


def rotation_random(seed: int) -> Triangles:
    """A (3, 3) rotation, uniform over all (K. Shoemake, 1992)."""
    w, x, y, z = (q := np.random.default_rng(seed).normal(size=4)) / np.linalg.norm(q)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )


def moved(triangles: Triangles, *, seed: int, scale: float = 1.0) -> Triangles:
    """Rotated at random, scaled, shifted by about the part's size."""
    shift = np.random.default_rng(seed + 1).normal(0, np.ptp(triangles) * scale, 3)
    return scale * triangles @ rotation_random(seed).T + shift


def mirrored(triangles: Triangles) -> Triangles:
    """x -> -x, still counter-clockwise seen from outside."""
    return (triangles * (-1, 1, 1))[:, ::-1]


def subdivided(triangles: Triangles, *, times: int = 1, seed: int = 0) -> Triangles:
    """Every triangle cut in four, `times` times, in shuffled order: the same surface."""
    for _ in range(times):
        a, b, c = triangles[:, 0], triangles[:, 1], triangles[:, 2]
        ab, bc, ca = (a + b) / 2, (b + c) / 2, (c + a) / 2
        four = ((a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca))
        triangles = np.concatenate([np.stack(corners, axis=1) for corners in four])
    return triangles[np.random.default_rng(seed).permutation(len(triangles))]


def six_digits(triangles: Triangles) -> Triangles:
    """As an ASCII file gives it back."""
    return np.array([float(f"{number:.6g}") for number in triangles.ravel()]).reshape(-1, 3, 3)
