"""Simulated defects change what they say they change, and nothing else."""

import numpy as np
import pytest

from search.engine.errors import InspectionError
from search.engine.qc.simulate.defects import KINDS, defect_make, hole_find, ray_first
from tests.factories.solids import drilled_bracket

DIAGONAL = float(np.linalg.norm([60, 40, 50]))


@pytest.fixture(scope="module")
def triangles():
    return drilled_bracket().astype(np.float32)


def volume(triangles):
    a, b, c = np.moveaxis(np.asarray(triangles, float), 1, 0)
    return float((a * np.cross(b, c)).sum() / 6)


@pytest.mark.parametrize("kind", KINDS)
def test_a_defect_follows_from_its_seed(triangles, kind):
    one = defect_make(triangles, kind, np.random.default_rng(3))
    again = defect_make(triangles, kind, np.random.default_rng(3))
    assert np.array_equal(one.triangles, again.triangles)
    assert one.kind == kind


@pytest.mark.parametrize(("kind", "least", "most"), [
    ("broken", 0.87, 0.995), ("grown", 1.0001, 1.2), ("plugged", 1.0001, 1.2),
])  # fmt: skip
def test_matter_is_lost_or_gained(triangles, kind, least, most):
    made = defect_make(triangles, kind, np.random.default_rng(5))
    assert least < volume(made.triangles) / volume(triangles) < most
    assert made.place is not None


def test_a_scaled_piece_is_longer_or_shorter_along_one_axis(triangles):
    made = defect_make(triangles, "scaled", np.random.default_rng(0))
    shares = np.ptp(made.triangles, axis=(0, 1)) / np.ptp(triangles, axis=(0, 1))
    changed = np.abs(shares - 1) > 1e-3
    assert changed.sum() == 1
    assert shares[changed][0] == pytest.approx(0.9, abs=1e-3) or shares[changed][
        0
    ] == pytest.approx(1.1, abs=1e-3)


@pytest.mark.parametrize("kind", ["bent", "twisted"])
def test_a_warped_piece_keeps_most_of_its_volume(triangles, kind):
    made = defect_make(triangles, kind, np.random.default_rng(1))
    assert volume(made.triangles) == pytest.approx(volume(triangles), rel=0.1)
    assert made.place is None


def test_the_hole_found_is_the_drilled_one(triangles):
    middle, radius = hole_find(triangles, DIAGONAL, np.random.default_rng(2))
    assert middle[:2] == pytest.approx([45, 12], abs=0.5)
    assert radius == pytest.approx(3.0, rel=0.01)


def test_a_ray_meets_the_first_wall(triangles):
    reach, _ = ray_first(triangles.astype(float), np.array([20.0, 20, 100]), np.array([0, 0, -1.0]))
    assert reach == pytest.approx(95)
    assert (
        ray_first(triangles.astype(float), np.array([20.0, 20, 100]), np.array([0, 0, 1.0]))[0]
        == np.inf
    )


def test_an_open_surface_is_told(triangles):
    with pytest.raises(InspectionError) as raised:
        defect_make(triangles[1:], "broken", np.random.default_rng(0))
    assert raised.value.code == "not_solid"


def test_an_unknown_kind_is_a_mistake(triangles):
    with pytest.raises(ValueError, match="rusted"):
        defect_make(triangles, "rusted", np.random.default_rng(0))
