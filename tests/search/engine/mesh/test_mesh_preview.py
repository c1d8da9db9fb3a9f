"""The light copy for the browser."""

import numpy as np
import pytest

from search.engine.mesh.facts import facts_measure
from search.engine.mesh.normalise import mesh_normalise
from search.engine.mesh.preview import preview_build
from tests.factories import meshes


def build(shape, **options):
    """The preview's records, and the facts before and after."""
    mesh = mesh_normalise(shape, format="stl-binary")
    data = preview_build(mesh, **options)
    records = np.frombuffer(data[84:], dtype=meshes.STL_DTYPE)
    assert int.from_bytes(data[80:84], "little") == len(records)
    assert not data.startswith(b"solid")
    after = mesh_normalise(records["triangle"], format="stl-binary")
    return records, facts_measure(mesh), facts_measure(after)


def test_a_small_mesh_keeps_its_triangles_size_and_normals():
    shape = meshes.box((10, 20, 30), centre=(1e6, 0, 0))
    records, before, after = build(shape)
    assert len(records) == 12
    assert after.bbox_mm == pytest.approx(before.bbox_mm)
    assert after.centroid_mm == pytest.approx((0, 0, 0), abs=1e-5)
    np.testing.assert_allclose(np.linalg.norm(records["normal"], axis=1), 1, atol=1e-6)
    outward = np.einsum("ij,ij->i", records["normal"], records["triangle"].mean(axis=1))
    assert (outward > 0).all()


@pytest.mark.parametrize("sections", [120, 650])
def test_a_large_mesh_is_thinned_and_keeps_its_shape(sections):
    """The larger one is thinned on a grid first."""
    shape = meshes.torus(10, 3, sections=sections, tube=400)
    records, before, after = build(shape, triangles=20_000)
    assert 5_000 < len(records) <= 20_000
    assert after.bbox_mm == pytest.approx(before.bbox_mm, rel=0.01)
    assert after.volume_mm3 == pytest.approx(before.volume_mm3, rel=0.01)


def test_a_soup_of_loose_triangles_is_thinned_too():
    records, _, _ = build(meshes.noisy(meshes.grid(60), sigma=0.5), triangles=1000)
    assert 0 < len(records) <= 1000


def test_far_outlier_and_degenerate_triangles_do_no_harm():
    shape = np.concatenate([meshes.sphere(subdivisions=5), meshes.degenerate(50)])
    records, _, _ = build(meshes.with_far_outlier(shape, at=1e5), triangles=1000)
    assert 0 < len(records) <= 1000
    assert np.isfinite(records["triangle"]).all()
