"""STL files, sound and broken, through mesh_load."""

import struct
from time import monotonic

import numpy as np
import pytest

from search.engine.mesh.facts import facts_measure
from search.engine.mesh.load import mesh_load
from search.engine.mesh.types import MeshLimits
from tests.factories import meshes


def test_the_mesh_is_centred_in_the_unit_sphere_and_can_be_restored(load):
    shape = meshes.l_bracket() + (100.0, -50.0, 7.0)
    mesh = load(meshes.stl_binary(shape), ".stl")
    assert mesh.format == "stl-binary"
    assert mesh.triangles.dtype == np.float32
    assert mesh.triangles.flags.c_contiguous
    assert mesh.triangles.flags.writeable
    points = mesh.triangles.reshape(-1, 3)
    assert np.linalg.norm(points, axis=1).max() == pytest.approx(1.0, abs=1e-6)
    np.testing.assert_allclose(points.max(axis=0), -points.min(axis=0), atol=1e-6)
    np.testing.assert_allclose(mesh.points_restore(), shape, atol=1e-5)


def test_trailing_bytes_and_a_header_that_begins_with_solid_do_no_harm(load):
    data = meshes.stl_binary(meshes.box(), header=b"solid facet", trailing=b"exporter's notes" * 9)
    assert load(data, ".stl").format == "stl-binary"


def test_upper_case_suffix_and_suffix_override(load, tmp_path):
    assert len(load(meshes.stl_binary(meshes.box()), ".STL").triangles) == 12
    path = tmp_path / "upload.tmp"
    path.write_bytes(meshes.obj(meshes.box()))
    assert mesh_load(path, suffix=".obj").format == "obj"


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"upper": True},
        {"number": "{:+.9E}"},
        {"solids": 3},
        {"indent": " \t  "},
        {"newline": "\r\n"},
        {"newline": "\r"},
        {"newline": " "},
        {"name": ""},
        {"name": "vertex 1 2 solid endloop"},
        {"name": "零件"},
    ],
)
def test_ascii_in_every_dress(load, options):
    shape = meshes.ring()
    mesh = load(meshes.stl_ascii(shape, **options), ".stl")
    assert mesh.format == "stl-ascii"
    assert len(mesh.triangles) == len(shape)
    np.testing.assert_allclose(mesh.points_restore(), shape, atol=1e-5)


def test_ascii_with_odd_lines_between_the_facets(load):
    text = meshes.stl_ascii(meshes.box()).replace(b"  facet", b"  color 0.5 0.5 red\n  facet")
    text = text.replace(b"normal 0 0 0", b"normal -nan(ind) nan nan")
    assert facts_measure(load(text, ".stl")).volume_mm3 == pytest.approx(6000)


def test_ascii_larger_than_one_piece_is_read_whole(load):
    shape = meshes.torus(sections=200, tube=120)
    data = meshes.stl_ascii(shape)
    assert len(data) > 8 << 20
    assert facts_measure(load(data, ".stl")).watertight


@pytest.mark.parametrize("drop", [1, 25, 50, 599])
def test_truncated_binary_names_both_numbers(refuse, drop):
    error = refuse(meshes.stl_binary(meshes.box())[:-drop], ".stl")
    assert error.code == "truncated"
    assert error.params == {"claimed": 12, "found": 12 - -(-drop // 50)}
    assert "12 triangles" in str(error)


def test_a_file_shorter_than_its_header_is_truncated(refuse):
    assert refuse(b"\0" * 83, ".stl").code == "truncated"


def test_a_lying_header_costs_nothing(refuse):
    error = refuse(meshes.stl_binary(meshes.box(), count=4_000_000_000), ".stl")
    assert error.code == "truncated"
    assert error.params == {"claimed": 4_000_000_000, "found": 12}


def test_truncated_ascii(refuse):
    data = meshes.stl_ascii(meshes.box())
    assert refuse(data[: data.rindex(b"vertex")], ".stl").code == "truncated"


def test_ascii_with_words_for_numbers_is_malformed(refuse):
    data = meshes.stl_ascii(meshes.box()).replace(b"vertex -5", b"vertex minus")
    assert refuse(data, ".stl").code == "malformed"


@pytest.mark.parametrize("data", [meshes.stl_binary(meshes.box()[:0]), b"solid a\nendsolid a\n"])
def test_a_file_without_triangles(refuse, data):
    assert refuse(data, ".stl").code == "no_triangles"


@pytest.mark.parametrize("write", [meshes.stl_binary, meshes.stl_ascii])
def test_triangles_with_bad_numbers_are_dropped(load, refuse, write):
    assert len(load(write(meshes.with_bad_numbers(meshes.box(), every=3)), ".stl").triangles) == 8
    error = refuse(write(meshes.with_bad_numbers(meshes.box(), every=1)), ".stl")
    assert error.code == "bad_numbers"


def test_only_degenerate_triangles(refuse):
    assert refuse(meshes.stl_binary(meshes.degenerate()), ".stl").code == "all_degenerate"
    point = np.full((5, 3, 3), 7.0)
    assert refuse(meshes.stl_binary(point), ".stl").code == "all_degenerate"
    along = np.arange(90)[:, None] * (0.5, 2.0, 3.0)
    assert refuse(meshes.stl_binary(along.reshape(-1, 3, 3)), ".stl").code == "all_degenerate"


def test_some_degenerate_triangles_stay(load):
    shape = np.concatenate([meshes.degenerate(5000), meshes.box()])
    assert len(load(meshes.stl_binary(shape), ".stl").triangles) == 5012


@pytest.mark.parametrize("at", [1e4, 1e9, 1e30])
def test_one_far_outlier_gives_a_sane_mesh(load, at):
    mesh = load(meshes.stl_binary(meshes.with_far_outlier(meshes.box(), at=at)), ".stl")
    assert at / 2 < mesh.scale < at * 2
    assert np.isfinite(mesh.triangles).all()
    facts = facts_measure(mesh)
    assert facts.bbox_mm[0] == pytest.approx(at, rel=1e-2)
    assert all(np.isfinite([facts.volume_mm3, facts.area_mm2, *facts.centroid_mm]))


@pytest.mark.parametrize("factor", [1e-30, 1e-6, 1e15, 1e30])
def test_extreme_sizes_keep_their_shape(load, factor):
    mesh = load(meshes.stl_binary(meshes.box() * factor), ".stl")
    assert facts_measure(mesh).bbox_mm == pytest.approx((10 * factor, 20 * factor, 30 * factor))


def test_far_from_the_origin_precision_is_the_files(load):
    """A text format carries more digits than float32: centring in float64 keeps them."""
    far = meshes.box((1, 1, 1), centre=(1e7, 0, -3e7))
    mesh = load(meshes.obj(far), ".obj")
    np.testing.assert_array_equal(mesh.centre, (1e7, 0, -3e7))
    assert facts_measure(mesh).volume_mm3 == pytest.approx(1.0, rel=1e-6)


def test_too_many_triangles_is_told_from_the_header(refuse):
    error = refuse(meshes.stl_binary(meshes.sphere()), ".stl", MeshLimits(triangles=1000))
    assert error.code == "too_many_triangles"
    assert error.params == {"found": 1280, "limit": 1000}


def test_three_million_triangles_load_in_seconds(load):
    sheet = meshes.stl_binary(meshes.grid(100))[84:]
    count = 150 * 20_000
    data = b"\0" * 80 + struct.pack("<I", count) + sheet * 150
    began = monotonic()
    mesh = load(data, ".stl")
    assert len(mesh.triangles) == count
    assert monotonic() - began < 20
