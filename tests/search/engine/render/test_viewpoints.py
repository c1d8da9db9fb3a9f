"""Viewpoints cover the sphere; a camera there stands upright; the hero shows the most."""

import numpy as np
import pytest

from search.engine.render.hero import viewpoint_hero
from search.engine.render.surface import surface_make
from search.engine.render.viewpoints import (
    viewpoint_rotation,
    viewpoints_fibonacci,
    viewpoints_icosahedron,
)
from tests.factories.meshes import box, cylinder


@pytest.mark.parametrize("viewpoints", [viewpoints_fibonacci(12), viewpoints_icosahedron()])
def test_twelve_leave_no_direction_farther_than_45_degrees(viewpoints: np.ndarray) -> None:
    assert viewpoints.shape == (12, 3)
    assert np.allclose(np.linalg.norm(viewpoints, axis=1), 1)
    everywhere = viewpoints_fibonacci(5000)
    assert (everywhere @ viewpoints.T).max(axis=1).min() > np.cos(np.radians(46))


@pytest.mark.parametrize("up", [(0, 0, 1), (0, 1, 0), (1, 0, 0)])
def test_rotations_are_proper_and_upright_also_at_the_poles(up: tuple[int, int, int]) -> None:
    for viewpoint in [*viewpoints_fibonacci(12), *np.eye(3), *-np.eye(3)]:
        rotation = viewpoint_rotation(viewpoint, up=up)
        assert np.allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
        assert np.isclose(np.linalg.det(rotation), 1)
        assert np.allclose(rotation[2], -viewpoint)
        assert rotation[1] @ np.array(up) <= 1e-12


def test_the_hero_sees_a_flat_part_from_higher_than_a_tall_one() -> None:
    flat = viewpoint_hero(surface_make(cylinder(20, 2)))
    tall = viewpoint_hero(surface_make(box((8, 8, 40))))
    assert flat[2] > tall[2] > 0.3
    assert np.isclose(np.linalg.norm(flat), 1)
