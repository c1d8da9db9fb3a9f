"""Candidates of a picture search, put in order by how well they fit the photo."""

import numpy as np
import pytest

from search.engine.errors import InspectionError
from search.engine.qc.part import part_prepare
from search.engine.qc.sketch import FACES, PartSketch, sketch_make
from search.engine.qc.verify import (
    Appearance,
    Candidate,
    candidates_verify,
    look_frame,
    outlines_draw,
)
from tests.factories.pieces import photo_of
from tests.factories.solids import drilled_bracket, drilled_plate, helical_gear, propeller

SHAPES = {"plate": drilled_plate, "propeller": lambda: propeller(4), "bracket": drilled_bracket}


@pytest.fixture(scope="module")
def sketches() -> dict[str, PartSketch]:
    made = {key: part_prepare(shape().astype(np.float32)) for key, shape in SHAPES.items()}
    return {key: sketch_make(part) for key, part in made.items()}


@pytest.fixture(scope="module")
def photo():
    return photo_of(drilled_bracket().astype(np.float32))


@pytest.fixture(scope="module")
def mask(photo):
    return photo.mask.astype(np.uint8) * 255


def asked(sketches: dict, **bases: float) -> list[Candidate]:
    return [Candidate(key, base, lambda key=key: sketches[key]) for key, base in bases.items()]


def test_the_part_that_fits_comes_first(sketches, photo, mask) -> None:
    # The search was wrong, by a little.
    given = asked(sketches, plate=0.84, propeller=0.83, bracket=0.80)
    found = candidates_verify(photo.rgb, mask, given, seconds=60)
    assert found[0].key == "bracket"
    assert found[0].fit > 0.9
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    assert {one.key for one in found} == set(SHAPES)


def test_what_the_search_is_sure_of_is_not_overturned_by_a_little(sketches, photo, mask) -> None:
    given = asked(sketches, bracket=0.3, plate=4.0)
    assert candidates_verify(photo.rgb, mask, given, seconds=60)[0].key == "plate"


def test_the_second_look_sees_each_as_the_photo_would_show_it(sketches, photo, mask) -> None:
    seen = []

    def compare(pictures):
        seen.append(pictures)
        return np.zeros(len(pictures), np.float32)

    given = asked(sketches, plate=0.8, bracket=0.8)
    found = candidates_verify(
        photo.rgb, mask, given, appearance=Appearance(96, compare), seconds=60
    )
    assert [pictures.shape for pictures in seen] == [(2, 96, 96, 3)]
    # The bracket's picture covers what the piece covers there.
    frame = look_frame(mask, 96)
    at = (np.indices((96, 96))[::-1].reshape(2, -1).T + 0.5) / frame.scale + frame.corner
    column, row = np.floor(at).astype(int).T
    inside = (row >= 0) & (row < mask.shape[0]) & (column >= 0) & (column < mask.shape[1])
    piece = np.zeros(96 * 96, bool)
    piece[inside] = mask[row[inside], column[inside]] > 0
    best = seen[0][[one.key for one in found].index("bracket")]
    covers = [(picture < 250).any(2).ravel() for picture in seen[0]]
    overlaps = [(cover & piece).sum() / (cover | piece).sum() for cover in covers]
    assert max(overlaps) > 0.85
    assert best.dtype == np.uint8


def test_a_look_decides_between_equals(sketches, photo, mask) -> None:
    given = [
        Candidate("one", 0.8, lambda: sketches["bracket"]),
        Candidate("other", 0.8, lambda: sketches["bracket"]),
    ]
    for wanted in (0, 1):
        likes = np.eye(2, dtype=np.float32)[wanted]
        look = Appearance(64, lambda pictures, likes=likes: likes[: len(pictures)])
        found = candidates_verify(photo.rgb, mask, given, appearance=look, seconds=60)
        scores = {one.key: one.score for one in found}
        assert scores["one"] != scores["other"]


def test_without_time_the_likeliest_is_still_looked_at(sketches, photo, mask) -> None:
    given = asked(sketches, plate=0.0, propeller=1.0, bracket=2.0)
    found = candidates_verify(photo.rgb, mask, given, seconds=0.0)
    assert [one.key for one in found] == ["bracket"]


def test_one_without_a_sketch_is_not_in_the_answer(sketches, photo, mask) -> None:
    given = [Candidate("gone", 0.9, lambda: None), *asked(sketches, bracket=0.8)]
    found = candidates_verify(photo.rgb, mask, given, seconds=60)
    assert [one.key for one in found] == ["bracket"]


def test_nothing_to_compare_is_no_error(sketches, photo, mask) -> None:
    assert candidates_verify(photo.rgb, mask, [], seconds=1.0) == []
    empty = np.zeros_like(mask)
    assert candidates_verify(photo.rgb, empty, asked(sketches, plate=0.5), seconds=1.0) == []


@pytest.mark.parametrize("shape", ["everything", "a line", "a point"])
def test_odd_masks_are_no_error(sketches, photo, mask, shape) -> None:
    odd = np.zeros_like(mask)
    odd[{"everything": np.s_[:], "a line": np.s_[7, 3:90], "a point": np.s_[5, 5]}[shape]] = 255
    for one in candidates_verify(photo.rgb, odd, asked(sketches, plate=0.5), seconds=9):
        assert np.isfinite([one.score, one.fit]).all()


def test_the_outline_is_drawn_over_the_piece(sketches, photo, mask) -> None:
    found = candidates_verify(photo.rgb, mask, asked(sketches, bracket=0.8), seconds=60)
    drawn = outlines_draw(photo.rgb, mask, found, size=200)[0]
    assert drawn.shape == (200, 200, 3)
    green = (drawn.astype(int) - (60, 220, 110)).__abs__().sum(2) < 60
    assert 100 < green.sum() < 200 * 200 / 8


def test_a_sketch_is_small_and_reads_back_the_same() -> None:
    made = sketch_make(part_prepare(helical_gear().astype(np.float32)))
    data = made.to_bytes()
    assert len(data) < 200_000
    assert len(made.surface.faces) <= 1.1 * FACES
    again = PartSketch.from_bytes(data)
    assert np.array_equal(again.signatures, made.signatures)
    assert np.array_equal(again.frames, made.frames)
    assert np.allclose(
        again.surface.vertices[again.surface.faces], made.surface.vertices[made.surface.faces]
    )


@pytest.mark.parametrize("data", [b"", b"nothing", b"PK\x03\x04 and no more"])
def test_bytes_of_something_else_are_refused(data) -> None:
    with pytest.raises(InspectionError) as refused:
        PartSketch.from_bytes(data)
    assert refused.value.code == "stale_preparation"
