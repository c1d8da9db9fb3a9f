"""Same, scaled, mirrored or similar: what a file format, a pose or a finer mesh must not change,
and what a slightly wider hole must."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search.engine.errors import MeshError
from search.engine.mesh.normalise import mesh_normalise
from search.engine.mesh.types import Mesh
from search.engine.shape.invariants import Invariants, invariants_measure
from search.engine.shape.relation import Relation, duplicate_keys, relation_decide
from tests.factories import meshes, solids

SYMMETRIC = {
    "box": meshes.box(),
    "cube": meshes.box((10, 10, 10)),
    "sphere": meshes.sphere(),
    "torus": meshes.torus(),
    "cylinder": meshes.cylinder(),
    "drilled plate": solids.drilled_plate(),
    "l bracket": meshes.l_bracket(),
    "open box": meshes.open_box(),
    "flat": solids.polygon_flat(),
    "one triangle": solids.polygon_flat()[:1],
}
HANDED = {
    "drilled bracket": solids.drilled_bracket(),
    "small drill": solids.drilled_bracket(1.5),
    "two blades": solids.propeller(2),
    "three blades": solids.propeller(3),
    "four blades": solids.propeller(4),
    "screw": solids.screw(),
    "helical gear": solids.helical_gear(),
    "bossed block": solids.bossed_block(),
}
ALL = SYMMETRIC | HANDED
TWINS = [
    (maker, hole)
    for maker in (solids.drilled_plate, solids.drilled_bracket)
    for hole in (3.0, 6.0, 10.0)
]

names = st.sampled_from(sorted(ALL))
seeds = st.integers(0, 10_000)


def measured(triangles: meshes.Triangles) -> Invariants:
    return invariants_measure(mesh_normalise(triangles, format="stl-binary"))


INVARIANTS = {name: measured(triangles) for name, triangles in ALL.items()}


def relation(one: meshes.Triangles, other: meshes.Triangles) -> Relation:
    return relation_decide(measured(one), measured(other))


@settings(max_examples=60, deadline=None)
@given(names, seeds, st.integers(0, 2))
def test_the_same_part_stays_the_same(name: str, seed: int, times: int) -> None:
    finer = solids.subdivided(ALL[name], times=times if len(ALL[name]) < 2000 else 0, seed=seed)
    hit = measured(solids.moved(finer, seed=seed))
    found = relation_decide(INVARIANTS[name], hit)
    assert found.kind == "same"
    assert found.factor == pytest.approx(1, abs=1e-5)
    assert set(duplicate_keys(INVARIANTS[name])) & set(duplicate_keys(hit))


@settings(max_examples=40, deadline=None)
@given(names, seeds, st.floats(0.01, 0.99) | st.floats(1.01, 100))
def test_a_scaled_part_tells_its_factor(name: str, seed: int, factor: float) -> None:
    hit = measured(solids.moved(ALL[name], seed=seed, scale=factor))
    found = relation_decide(INVARIANTS[name], hit)
    assert found.kind == "scaled"
    assert found.factor == pytest.approx(factor, rel=1e-5)
    assert set(duplicate_keys(INVARIANTS[name])) & set(duplicate_keys(hit))


@pytest.mark.parametrize("name", HANDED)
@pytest.mark.parametrize("factor", [1.0, 2.5])
def test_a_mirrored_part_is_told_from_the_same(name: str, factor: float) -> None:
    image = measured(solids.moved(solids.mirrored(HANDED[name]), seed=3, scale=factor))
    found = relation_decide(INVARIANTS[name], image)
    assert found.kind == "mirrored"
    assert found.factor == pytest.approx(factor, rel=1e-5)
    assert set(duplicate_keys(INVARIANTS[name])) & set(duplicate_keys(image))


@pytest.mark.parametrize("name", SYMMETRIC)
def test_a_symmetric_part_is_its_own_mirror_image(name: str) -> None:
    image = solids.moved(solids.mirrored(SYMMETRIC[name]), seed=5)
    assert relation(SYMMETRIC[name], image).kind == "same"


@pytest.mark.parametrize(("maker", "hole"), TWINS)
def test_a_hole_three_percent_wider_is_only_similar(maker: object, hole: float) -> None:
    assert callable(maker)
    assert relation(maker(hole), solids.moved(maker(1.03 * hole), seed=7)).kind == "similar"


@pytest.mark.parametrize("name", ALL)
def test_six_digits_and_flipped_triangles_are_the_same(name: str) -> None:
    written = solids.six_digits(solids.moved(ALL[name], seed=11))
    written[::2] = written[::2, ::-1]
    assert relation(ALL[name], written).kind == "same"


@pytest.mark.parametrize("name", ALL)
def test_float32_far_from_the_origin_is_the_same(name: str) -> None:
    far = (ALL[name] @ solids.rotation_random(13).T + 1000).astype(np.float32)
    assert relation(ALL[name], far.astype(np.float64)).kind == "same"


@settings(max_examples=100, deadline=None)
@given(names, names, seeds)
def test_the_relation_is_mutual_and_different_parts_are_similar(
    one: str, other: str, seed: int
) -> None:
    there = relation_decide(INVARIANTS[one], INVARIANTS[other])
    back = relation_decide(INVARIANTS[other], INVARIANTS[one])
    assert there.kind == back.kind == ("same" if one == other else "similar")
    assert there.factor * back.factor == pytest.approx(1)


def test_different_parts_share_no_duplicate_key() -> None:
    keys = [key for found in INVARIANTS.values() for key in set(duplicate_keys(found))]
    assert len(keys) == len(set(keys)) == 3 * len(ALL)


def test_invariants_survive_json() -> None:
    for found in INVARIANTS.values():
        assert Invariants.from_json(json.loads(json.dumps(found.to_json()))) == found


def test_invariants_of_another_version_are_not_compared() -> None:
    found = INVARIANTS["box"]
    stored = found.to_json() | {"version": found.version + 1, "shape": [0.0]}
    assert relation_decide(found, Invariants.from_json(stored)).kind == "similar"


def test_no_surface_is_an_error_with_a_code() -> None:
    nothing = Mesh(np.zeros((4, 3, 3), np.float32), np.zeros(3), 1.0, "stl-binary")
    with pytest.raises(MeshError) as raised:
        invariants_measure(nothing)
    assert raised.value.code == "all_degenerate"
