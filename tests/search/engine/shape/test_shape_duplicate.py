"""One part twice: the same geometry in other triangles, a revision, or another part."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from manifold3d import CrossSection, Manifold

from search.engine.mesh.normalise import mesh_normalise
from search.engine.shape.descriptor import shape_embed
from search.engine.shape.duplicate import LIMITS, Duplicate, duplicate_decide
from search.engine.shape.invariants import Invariants, invariants_measure
from tests.factories import meshes, solids


def measured(triangles: meshes.Triangles) -> tuple[Invariants, np.ndarray]:
    mesh = mesh_normalise(triangles, format="stl-binary")
    return invariants_measure(mesh), shape_embed(mesh.triangles)


def decided(one: meshes.Triangles, other: meshes.Triangles) -> Duplicate | None:
    (a, u), (b, v) = measured(one), measured(other)
    return duplicate_decide(a, b, cosine=float(u @ v))


def bent_pipe(segments: int, *, bore: float = 4.0) -> meshes.Triangles:
    """A tube with a flange off its middle: round faces, and a hand."""
    outer, inner = (CrossSection.circle(r, segments) for r in (6.0, bore))
    tube = Manifold.extrude(outer - inner, 30)
    tube += Manifold.cube([14, 5, 3]).translate([0, 2, 20])
    tube += Manifold.cube([4, 4, 12]).translate([5, -6, 3])
    mesh = tube.to_mesh()
    return np.asarray(mesh.vert_properties, np.float64)[:, :3][np.asarray(mesh.tri_verts)]


def test_exported_again_with_more_segments_it_is_the_same_part():
    found = decided(bent_pipe(64), solids.moved(bent_pipe(160), seed=3))
    assert found is not None
    assert found.kind == "same"
    assert 1 - LIMITS.shape <= found.score < 1


@pytest.mark.parametrize("factor", [0.5, 1.2, 25.4])
def test_exported_again_in_another_size_the_factor_is_told(factor):
    found = decided(bent_pipe(64), solids.moved(bent_pipe(160), seed=4, scale=factor))
    assert found is not None
    assert found.kind == "scaled"
    assert found.factor == pytest.approx(factor, rel=5e-3)


def test_exported_again_as_its_mirror_image():
    found = decided(bent_pipe(64), solids.moved(solids.mirrored(bent_pipe(160)), seed=5))
    assert found is not None
    assert found.kind == "mirrored"


def test_the_very_surface_scores_one():
    finer = solids.moved(solids.subdivided(solids.drilled_bracket()), seed=6)
    assert decided(solids.drilled_bracket(), finer) == Duplicate("same", pytest.approx(1.0), 1.0)


def test_a_revision_is_nearly_the_same():
    found = decided(bent_pipe(64), solids.moved(bent_pipe(64, bore=3.8), seed=7))
    assert found is not None
    assert found.kind == "near"
    assert found.score < 1 - LIMITS.shape


@pytest.mark.parametrize("change", [lambda part: part, solids.mirrored])
def test_other_triangles_of_a_little_other_size_are_a_revision(change):
    """A part made 1 % larger and exported anew; the very triangles 1 % larger are scaled."""
    larger = change(solids.moved(bent_pipe(160), seed=8, scale=1.01))
    found = decided(bent_pipe(64), larger)
    assert found is not None
    assert found.kind == "near"
    assert found.factor == pytest.approx(1.01, rel=2e-3)
    scaled = decided(bent_pipe(64), solids.moved(bent_pipe(64), seed=8, scale=1.01))
    assert scaled == Duplicate("scaled", pytest.approx(1.01), 1.0)


def test_another_part_is_none():
    assert decided(bent_pipe(64), solids.drilled_bracket()) is None
    assert decided(meshes.ring(), meshes.torus()) is None


def test_without_a_descriptor_nothing_is_nearly_the_same():
    one, _ = measured(bent_pipe(64))
    revised, _ = measured(bent_pipe(64, bore=3.8))
    again, _ = measured(bent_pipe(160))
    assert duplicate_decide(one, revised, cosine=None) is None
    found = duplicate_decide(one, again, cosine=None)
    assert found is not None
    assert found.kind == "same"


def test_a_descriptor_that_disagrees_is_believed():
    one, again = measured(bent_pipe(64))[0], measured(bent_pipe(160))[0]
    assert duplicate_decide(one, again, cosine=0.9) is None


def test_invariants_of_another_version_say_nothing():
    one, _ = measured(meshes.ring())
    other = Invariants.from_json(one.to_json() | {"version": one.version + 1})
    assert duplicate_decide(one, other, cosine=1.0) is None


numbers = st.lists(st.floats(-1, 1), min_size=9, max_size=9).map(tuple)
invariants = st.builds(
    Invariants,
    size=st.floats(0.1, 1000),
    shape=st.lists(st.floats(-1, 1), min_size=12, max_size=12).map(tuple),
    hand=numbers,
)


@settings(max_examples=60)
@given(invariants, invariants, st.floats(0.9, 1), st.floats(0, 1e-2))
def test_the_answer_is_mutual(one, other, cosine, shift):
    """Also of pairs that hardly differ, where the limits lie."""
    close = Invariants(other.size, tuple(n + shift for n in one.shape), one.hand)
    for far in (other, close):
        there = duplicate_decide(one, far, cosine=cosine)
        back = duplicate_decide(far, one, cosine=cosine)
        assert (there is None) == (back is None)
        if there and back:
            assert there.kind == back.kind
            assert there.score == back.score
            assert there.factor * back.factor == pytest.approx(1)
