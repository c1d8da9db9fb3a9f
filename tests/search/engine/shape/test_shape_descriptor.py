"""The descriptor leaves pose, scale, triangles and noise, and still tells parts apart."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search.engine.errors import MeshError
from search.engine.shape.descriptor import SHAPE_SPACE, shape_embed
from search.engine.shape.sample import surface_sample
from tests.factories import meshes, solids

PARTS = {
    "box": meshes.box(),
    "long box": meshes.box((10, 20, 40)),
    "sphere": meshes.sphere(),
    "ring": meshes.ring(),
    "torus": meshes.torus(),
    "cylinder": meshes.cylinder(),
    "bracket": solids.drilled_bracket(),
    "plate": solids.drilled_plate(),
    "propeller": solids.propeller(3),
    "gear": solids.helical_gear(),
    "sheet": meshes.grid(30),
    "flat": solids.polygon_flat(),
}
EMBEDDINGS = {name: shape_embed(triangles) for name, triangles in PARTS.items()}
names = st.sampled_from(sorted(PARTS))
seeds = st.integers(0, 10_000)


def nearest(embedding: np.ndarray) -> str:
    return max(EMBEDDINGS, key=lambda name: float(EMBEDDINGS[name] @ embedding))


@settings(max_examples=40, deadline=None)
@given(names, seeds, st.floats(1e-3, 1e3), st.integers(0, 2))
def test_pose_scale_and_finer_triangles_leave_the_embedding(
    name: str, seed: int, scale: float, times: int
) -> None:
    altered = solids.moved(solids.subdivided(PARTS[name], times=times, seed=seed), seed=seed,
                           scale=scale)  # fmt: skip
    embedding = shape_embed(altered.astype(np.float32))
    assert float(EMBEDDINGS[name] @ embedding) > 0.999
    assert nearest(embedding) == name


@pytest.mark.parametrize("name", PARTS)
def test_a_mirrored_or_inside_out_mesh_has_the_same_embedding(name: str) -> None:
    for altered in (solids.mirrored(PARTS[name]), PARTS[name][:, ::-1]):
        assert float(EMBEDDINGS[name] @ shape_embed(altered)) > 0.999


@pytest.mark.parametrize("name", ["bracket", "propeller", "gear", "torus", "ring"])
def test_noise_on_every_corner_still_finds_the_part(name: str) -> None:
    diagonal = float(np.linalg.norm(np.ptp(PARTS[name].reshape(-1, 3), axis=0)))
    fine = solids.subdivided(PARTS[name], times=1)
    assert nearest(shape_embed(meshes.noisy(fine, sigma=0.003 * diagonal))) == name


def test_a_doubled_sheet_counts_once() -> None:
    doubled = np.concatenate([PARTS["bracket"], PARTS["bracket"][:200]])
    assert float(EMBEDDINGS["bracket"] @ shape_embed(doubled)) > 0.995


def test_embeddings_are_normalised_deterministic_and_of_the_space() -> None:
    for name, triangles in PARTS.items():
        embedding = EMBEDDINGS[name]
        assert embedding.shape == (SHAPE_SPACE.d,)
        assert embedding.dtype == np.float32
        assert np.linalg.norm(embedding) == pytest.approx(1, abs=1e-5)
        assert np.array_equal(embedding, shape_embed(triangles))


def test_different_parts_are_apart() -> None:
    matrix = np.stack(list(EMBEDDINGS.values()))
    similarities = matrix @ matrix.T - 2 * np.eye(len(matrix))
    assert similarities.max() < 0.99


@pytest.mark.parametrize(
    "triangles",
    [
        solids.polygon_flat()[:1],
        solids.polygon_flat(),
        np.concatenate([meshes.box(), meshes.degenerate()]),
        meshes.with_far_outlier(meshes.box()),
        1e-6 * meshes.box(),
        1e6 + meshes.box(),
    ],
    ids=["one triangle", "flat", "some degenerate", "far outlier", "tiny", "far away"],
)
def test_odd_meshes_have_a_finite_embedding(triangles: meshes.Triangles) -> None:
    embedding = shape_embed(triangles)
    assert np.isfinite(embedding).all()
    assert np.linalg.norm(embedding) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("triangles", [np.zeros((0, 3, 3)), meshes.degenerate()])
def test_no_surface_is_an_error_with_a_code(triangles: meshes.Triangles) -> None:
    with pytest.raises(MeshError) as raised:
        shape_embed(triangles)
    assert raised.value.code == "all_degenerate"


def test_points_follow_the_area() -> None:
    """Each face of a box gets its share to within a point, inside the face."""
    triangles = meshes.box((1, 2, 3))
    points = surface_sample(triangles, count=2200)
    on_face = np.isclose(np.abs(points), np.array([0.5, 1, 1.5]))
    assert on_face.any(axis=1).all()
    assert (np.abs(points) <= np.array([0.5, 1, 1.5]) + 1e-12).all()
    shares = on_face.sum(axis=0)
    assert np.abs(shares - np.array([1200, 600, 400])).max() <= 6
    assert np.abs(points.mean(axis=0)).max() < 0.02
