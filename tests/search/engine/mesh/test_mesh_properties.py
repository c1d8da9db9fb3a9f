"""Laws that hold for any triangles and any bytes."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from search.engine.errors import MeshError
from search.engine.mesh.facts import facts_measure
from search.engine.mesh.load import mesh_load
from search.engine.mesh.types import MeshLimits
from search.engine.mesh.weld import vertices_weld
from tests.factories import meshes

LIMITS = MeshLimits(memory_mb=1500, cpu_s=10, wall_s=20, triangles=100_000, unpacked_mb=64)
SUFFIXES = sorted(meshes.WRITERS)
ONE_FILE_AFTER_ANOTHER = settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

coordinates = st.floats(-1000, 1000, width=32).map(lambda x: float(np.float32(round(x, 3))))
triangles = hnp.arrays(
    np.float64, st.tuples(st.integers(1, 12), st.just(3), st.just(3)), elements=coordinates
)


def load_or_refuse(tmp_path, data, suffix):
    """A mesh that keeps its promises, or a MeshError with a sentence; nothing else."""
    path = tmp_path / f"part{suffix}"
    path.write_bytes(data)
    try:
        mesh = mesh_load(path, limits=LIMITS)
    except MeshError as error:
        assert error.code
        assert str(error)
        return None
    assert mesh.triangles.shape[0] >= 1
    assert mesh.triangles.shape[1:] == (3, 3)
    assert np.isfinite(mesh.triangles).all()
    assert np.abs(mesh.triangles).max() <= 1 + 1e-6
    assert np.isfinite(mesh.centre).all()
    assert 0 < mesh.scale < np.inf
    facts = facts_measure(mesh)
    assert np.isfinite([facts.volume_mm3, facts.area_mm2, *facts.bbox_mm, *facts.centroid_mm]).all()
    return mesh


@pytest.mark.parametrize("suffix", SUFFIXES)
@given(shape=triangles)
@ONE_FILE_AFTER_ANOTHER
def test_any_triangles_come_back_from_any_format(tmp_path, suffix, shape):
    mesh = load_or_refuse(tmp_path, meshes.WRITERS[suffix](shape), suffix)
    if mesh is not None:
        found = mesh.points_restore()
        assert found.shape == shape.shape
        size = np.ptp(shape.reshape(-1, 3), axis=0).max()
        np.testing.assert_allclose(found, shape, atol=1e-6 * (size + np.abs(shape).max()))


@given(shape=triangles)
@ONE_FILE_AFTER_ANOTHER
def test_any_triangles_come_back_from_ascii_stl(tmp_path, shape):
    mesh = load_or_refuse(tmp_path, meshes.stl_ascii(shape), ".stl")
    if mesh is not None:
        np.testing.assert_allclose(mesh.points_restore(), shape, atol=1e-3)


@pytest.mark.parametrize("suffix", [*SUFFIXES, ".step"])
@given(data=st.binary(max_size=600))
@ONE_FILE_AFTER_ANOTHER
def test_any_bytes_give_a_mesh_or_an_error(tmp_path, suffix, data):
    load_or_refuse(tmp_path, data, suffix)


VALID = {suffix: write(meshes.box()) for suffix, write in meshes.WRITERS.items()}
VALID["-ascii.stl"] = meshes.stl_ascii(meshes.box())
VALID["-ascii.ply"] = meshes.ply(meshes.box(), text=True)


@pytest.mark.parametrize("suffix", sorted(VALID))
@given(data=st.data())
@ONE_FILE_AFTER_ANOTHER
def test_any_damage_to_a_valid_file_gives_a_mesh_or_an_error(tmp_path, suffix, data):
    damaged = bytearray(VALID[suffix])
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, max(len(damaged) - 1, 0)))
        match data.draw(st.sampled_from(["change", "cut", "insert", "repeat"])):
            case "change":
                damaged[at : at + 1] = data.draw(st.binary(min_size=1, max_size=4))
            case "cut":
                del damaged[at : at + data.draw(st.integers(1, 200))]
            case "insert":
                damaged[at:at] = data.draw(st.binary(min_size=1, max_size=20))
            case "repeat":
                damaged[at:at] = damaged[at : at + 100]
    load_or_refuse(tmp_path, bytes(damaged), suffix)


@given(shape=hnp.arrays(np.float32, (7, 3, 3), elements=st.sampled_from([0.0, -0.0, 0.5, 1.0])))
@settings(deadline=None)
def test_welding_shares_a_vertex_exactly_where_coordinates_are_equal(shape):
    vertices, faces = vertices_weld(shape)
    np.testing.assert_array_equal(vertices[faces], shape)
    assert len(vertices) == len(np.unique(shape.reshape(-1, 3) + 0.0, axis=0))
