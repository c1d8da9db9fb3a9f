"""Geometry facts against shapes whose answers are known."""

import math

import numpy as np
import pytest

from search.engine.mesh.facts import facts_measure
from search.engine.mesh.normalise import mesh_normalise
from search.engine.mesh.weld import vertices_weld
from tests.factories import meshes


def facts_of(shape):
    return facts_measure(mesh_normalise(shape, format="stl-binary"))


def test_a_box():
    facts = facts_of(meshes.box((10, 20, 30), centre=(5, -7, 100)))
    assert facts.bbox_mm == pytest.approx((10, 20, 30))
    assert facts.volume_mm3 == pytest.approx(6000, rel=1e-6)
    assert facts.area_mm2 == pytest.approx(2200, rel=1e-6)
    assert facts.centroid_mm == pytest.approx((5, -7, 100))
    assert facts.watertight
    assert facts.components == 1
    assert facts.triangle_count == 12


def test_a_sphere_is_within_its_facets_error():
    facts = facts_of(meshes.sphere(10, subdivisions=5))
    assert facts.volume_mm3 == pytest.approx(4 / 3 * math.pi * 1000, rel=2e-3)
    assert facts.area_mm2 == pytest.approx(4 * math.pi * 100, rel=1e-3)
    assert facts.watertight


def test_a_torus_and_a_bracket():
    torus = facts_of(meshes.torus(10, 3, sections=200, tube=100))
    assert torus.volume_mm3 == pytest.approx(2 * math.pi**2 * 10 * 9, rel=2e-3)
    bracket = facts_of(meshes.l_bracket(30, 20, 4))
    assert bracket.volume_mm3 == pytest.approx((30 * 4 + 26 * 4) * 20, rel=1e-6)
    # The two plates' centroids, weighted by their areas.
    along = (30 * 4 * 15 + 26 * 4 * 2) / (30 * 4 + 26 * 4)
    assert bracket.centroid_mm == pytest.approx((along, along, 10), rel=1e-5)


def test_inside_out_has_the_same_volume():
    assert facts_of(meshes.torus()[:, ::-1]).volume_mm3 == pytest.approx(
        facts_of(meshes.torus()).volume_mm3
    )


def test_an_open_box_is_not_watertight_and_has_its_surfaces_centroid():
    facts = facts_of(meshes.open_box((10, 10, 10)))
    assert not facts.watertight
    assert facts.area_mm2 == pytest.approx(500)
    assert facts.centroid_mm == pytest.approx((0, 0, -1))


def test_one_flipped_face_is_not_watertight():
    shape = meshes.box()
    shape[3] = shape[3, ::-1]
    assert not facts_of(shape).watertight


def test_a_doubled_face_is_not_watertight():
    shape = meshes.box()
    assert not facts_of(np.concatenate([shape, shape[:1]])).watertight


def test_a_collapsed_face_changes_nothing():
    shape = np.concatenate([meshes.box(), meshes.box()[:1, [0, 1, 1]], meshes.degenerate(1) + 2])
    facts = facts_of(shape)
    assert facts.watertight
    assert facts.components == 1
    assert facts.triangle_count == 14


def test_pieces_are_counted_by_shared_vertices():
    apart = np.concatenate([meshes.box((1, 1, 1)), meshes.box((1, 1, 1), centre=(5, 0, 0))])
    assert facts_of(apart).components == 2
    assert facts_of(apart).watertight
    touching = np.concatenate([meshes.box((1, 1, 1)), meshes.box((1, 1, 1), centre=(1, 1, 1))])
    assert facts_of(touching).components == 1
    assert facts_of(meshes.noisy(meshes.sphere(), sigma=0.01)).components == 1280


def test_far_from_the_origin_and_very_small_or_large():
    far = facts_of(meshes.sphere(1.0) + (1e8, -1e8, 5e7))
    near = facts_of(meshes.sphere(1.0))
    assert far.volume_mm3 == pytest.approx(near.volume_mm3, rel=1e-5)
    assert far.centroid_mm == pytest.approx((1e8, -1e8, 5e7), abs=1e-3)
    for factor in (1e-9, 1e9):
        facts = facts_of(meshes.torus() * factor)
        assert facts.watertight
        assert facts.volume_mm3 == pytest.approx(facts_of(meshes.torus()).volume_mm3 * factor**3)


def test_facts_do_not_depend_on_the_order_of_triangles():
    shape = meshes.torus()
    mixed = np.random.default_rng(3).permutation(shape)
    assert facts_of(mixed).volume_mm3 == pytest.approx(facts_of(shape).volume_mm3)
    assert facts_of(mixed).watertight


def test_welding_gives_the_triangles_back():
    shape = meshes.sphere(subdivisions=4).astype(np.float32)
    vertices, faces = vertices_weld(shape)
    np.testing.assert_array_equal(vertices[faces], shape)
    assert len(vertices) == 2562  # 10 * 4**subdivisions + 2
    assert len(np.unique(vertices, axis=0)) == len(vertices)


def test_welding_takes_minus_zero_for_zero():
    shape = np.array([[[0, 0, 1], [1, 0, 0], [0, 1, 0]], [[-0.0, 0, 1], [0, 1, -0.0], [2, 2, 2]]])
    assert len(vertices_weld(shape.astype(np.float32))[0]) == 4


def test_welding_survives_a_collision_of_hashes(monkeypatch):
    shape = meshes.box().astype(np.float32)
    monkeypatch.setattr(
        "search.engine.mesh.weld._hashes", lambda points: np.zeros(len(points), dtype=np.uint64)
    )
    vertices, faces = vertices_weld(shape)
    np.testing.assert_array_equal(vertices[faces], shape)
    assert len(vertices) == 8
