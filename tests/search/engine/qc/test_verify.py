"""Candidates of a picture search, put in order by how well their outlines fit."""

import numpy as np
import pytest

from search.engine.qc.part import part_prepare
from search.engine.qc.verify import candidates_verify
from tests.factories.pieces import photo_of
from tests.factories.solids import drilled_bracket, drilled_plate, propeller


@pytest.fixture(scope="module")
def candidates():
    made = {"plate": drilled_plate(), "propeller": propeller(4), "bracket": drilled_bracket()}
    return {key: part_prepare(t.astype(np.float32)) for key, t in made.items()}


@pytest.fixture(scope="module")
def photo():
    return photo_of(drilled_bracket().astype(np.float32))


def test_the_part_that_fits_comes_first(candidates, photo):
    mask = photo.mask.astype(np.uint8) * 255
    # The search was wrong, by a little.
    given = {key: (part, 0.80 if key == "bracket" else 0.84) for key, part in candidates.items()}
    found = candidates_verify(photo.rgb, mask, given, seconds=60)
    assert found[0].key == "bracket"
    assert found[0].fine
    assert found[0].fit > 0.9
    assert [seen.score for seen in found] == sorted((s.score for s in found), reverse=True)
    assert {seen.key for seen in found} == set(candidates)


def test_without_time_the_likeliest_is_still_looked_at(candidates, photo):
    mask = photo.mask.astype(np.uint8) * 255
    given = {key: (part, float(i)) for i, (key, part) in enumerate(candidates.items())}
    found = candidates_verify(photo.rgb, mask, given, seconds=0.0)
    assert [seen.key for seen in found] == ["bracket"]


def test_no_candidates_is_no_error(photo):
    assert candidates_verify(photo.rgb, photo.mask.astype(np.uint8), {}, seconds=1.0) == []
