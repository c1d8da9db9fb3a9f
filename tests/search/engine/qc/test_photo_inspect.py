"""A photo against a part, from bytes to verdict, on plain pictures whose truth is known."""

from dataclasses import replace

import numpy as np
import pytest

from search.engine.errors import InspectionError
from search.engine.qc.inspect import (
    InspectionPhoto,
    PreparedPart,
    QcLimits,
    inspection_fuse,
    part_prepare,
    photo_inspect,
)
from search.engine.qc.overlay import deviation_on_mesh, overlay_draw
from search.engine.qc.types import Pose, Reason
from tests.factories.pieces import BITE, TRUE_POSES, photo_of
from tests.factories.solids import drilled_bracket


@pytest.fixture(scope="module")
def triangles():
    return drilled_bracket().astype(np.float32)


@pytest.fixture(scope="module")
def part(triangles) -> PreparedPart:
    return part_prepare(triangles)


@pytest.fixture(scope="module")
def seen(part, triangles):
    return photo_inspect(photo_of(triangles), part)


@pytest.fixture(scope="module")
def broken(part, triangles):
    return photo_inspect(photo_of(triangles, broken=True), part)


def test_a_good_piece_passes(seen):
    assert seen.verdict == "pass"
    assert seen.measures.iou > 0.97
    assert not seen.ambiguous
    assert 0.9 <= seen.similarity <= 1


@pytest.mark.parametrize("pose", range(len(TRUE_POSES)))
def test_the_pose_found_is_the_true_one(part, triangles, pose):
    found = photo_inspect(photo_of(triangles, pose=pose), part).pose
    true = TRUE_POSES[pose]
    turned = found.rotation @ true.rotation.T
    assert np.degrees(np.arccos(np.clip((np.trace(turned) - 1) / 2, -1, 1))) < 4
    middle = part.middle
    there = true.rotation @ middle + true.translation
    here = found.rotation @ middle + found.translation
    # One photo does not tell size from distance: the direction it does.
    assert there / there[2] == pytest.approx(here / here[2], abs=0.02)


def test_the_mask_is_the_pieces(triangles, seen):
    truth = photo_of(triangles).mask
    found = seen.mask > 0
    assert (found & truth).sum() / (found | truth).sum() > 0.97


def test_a_missing_corner_is_found_where_it_is(part, triangles, broken):
    assert broken.verdict != "pass"
    assert broken.blobs[0].kind == "missing"
    corner = photo_of(triangles, broken=True).lost
    assert np.hypot(*(np.array(broken.blobs[0].place) - corner)) < BITE
    assert broken.max_dev_mm == pytest.approx(broken.measures.thickness * part.diagonal_mm)


def test_p_good_falls_as_the_piece_gets_worse(broken, seen):
    assert broken.p_good < seen.p_good
    assert broken.similarity < seen.similarity


def test_another_part_is_named(part, triangles):
    rival = part_prepare((triangles * [1.0, 1.35, 1.0]).astype(np.float32))
    seen = photo_inspect(photo_of(triangles * [1.0, 1.35, 1.0]), part, rivals={"R-2": rival})
    assert seen.verdict == "fail"
    assert seen.reasons[0].code == "other_part"
    assert seen.reasons[0].params["part"] == "R-2"


def test_a_right_part_beats_its_rivals(part, triangles):
    rival = part_prepare((triangles * [1.0, 1.35, 1.0]).astype(np.float32))
    seen = photo_inspect(photo_of(triangles), part, rivals={"R-2": rival})
    assert seen.rivals[0].margin < 0
    assert "other_part" not in [reason.code for reason in seen.reasons]


class TestWhatCannotBeJudged:
    def test_an_empty_ground_is_refused(self, part):
        rng = np.random.default_rng(0)
        empty = rng.normal(150, 3, (300, 400, 3)).clip(0, 255).astype(np.uint8)
        with pytest.raises(InspectionError) as raised:
            photo_inspect(InspectionPhoto(empty), part)
        assert raised.value.code == "no_object"

    def test_a_piece_cut_by_the_border_is_looked_at_again(self, part, triangles):
        photo = photo_of(triangles)
        rows = np.flatnonzero(photo.mask.any(1))
        cut = np.ascontiguousarray(photo.rgb[: rows[-1] - 12])
        seen = photo_inspect(InspectionPhoto(cut), part)
        assert seen.verdict != "pass"
        assert "piece_cut" in [reason.code for reason in seen.reasons]

    def test_two_pieces_are_looked_at_again(self, part, triangles):
        photo = photo_of(triangles)
        columns = np.flatnonzero(photo.mask.any(0))
        near = photo.rgb[:, columns[0] - 40 : columns[-1] + 40]
        seen = photo_inspect(InspectionPhoto(np.hstack([near, near])), part)
        assert seen.verdict != "pass"
        assert "several_objects" in [reason.code for reason in seen.reasons]

    def test_time_runs_out_with_a_sentence(self, part, triangles):
        with pytest.raises(InspectionError) as raised:
            photo_inspect(photo_of(triangles), part, limits=QcLimits(seconds=0.0))
        assert raised.value.code == "inspection_too_long"

    @pytest.mark.parametrize("mask", [np.zeros((5, 5), np.uint8), None])
    def test_a_mask_of_nothing_is_refused(self, part, triangles, mask):
        photo = photo_of(triangles)
        given = np.zeros(photo.rgb.shape[:2], np.uint8) if mask is None else mask
        with pytest.raises(InspectionError) as raised:
            photo_inspect(photo, part, mask=given)
        assert raised.value.code == "bad_mask"


class TestCorrections:
    def test_a_corrected_mask_is_taken_as_it_is(self, part, triangles):
        photo = photo_of(triangles)
        mask = photo.mask.astype(np.uint8) * 255
        assert np.array_equal(photo_inspect(photo, part, mask=mask).mask, mask)

    def test_a_corrected_pose_is_taken_as_it_is(self, part, triangles):
        true = TRUE_POSES[0]
        seen = photo_inspect(photo_of(triangles), part, pose=true)
        assert seen.pose.rotation == pytest.approx(true.rotation)
        assert seen.pose.translation == pytest.approx(true.translation)
        assert seen.measures.iou > 0.97

    def test_a_wrong_corrected_pose_does_not_pass(self, part, triangles):
        true = TRUE_POSES[0]
        wrong = Pose(TRUE_POSES[1].rotation, true.translation, true.focal)
        assert photo_inspect(photo_of(triangles), part, pose=wrong).verdict != "pass"


class TestSeveralPhotos:
    def test_good_photos_pass_together(self, seen):
        verdict = inspection_fuse([seen, seen])
        assert verdict.verdict == "pass"
        assert verdict.coverage == pytest.approx(seen.coverage)

    def test_one_bad_photo_keeps_the_piece_from_passing(self, broken, seen):
        verdict = inspection_fuse([seen, broken])
        assert verdict.verdict != "pass"
        assert verdict.worst == 1
        assert verdict.p_good < seen.p_good

    def test_what_one_photo_could_not_tell_is_no_reason_when_all_did(self, seen):
        unsure = replace(seen, verdict="review", reasons=(Reason("unsure", {"p_good": 0.7}),))
        passed = inspection_fuse([seen, unsure])
        assert (passed.verdict, passed.reasons) == ("pass", ())
        alone = inspection_fuse([unsure])
        assert alone.verdict == "review"
        assert [reason.code for reason in alone.reasons] == ["unsure"]

    @pytest.mark.parametrize("count", [0, 5])
    def test_the_number_of_photos_is_limited(self, seen, count):
        with pytest.raises(InspectionError) as raised:
            inspection_fuse([seen] * count)
        assert raised.value.code == "photos_count"


def test_stages_are_told_as_they_begin(part, triangles):
    told: list[str] = []
    seen = photo_inspect(photo_of(triangles), part, stage=told.append)
    assert told == ["mask", "pose", "measures", "competition"]
    assert set(seen.took_ms) == set(told)


def test_the_same_photo_gives_the_same_answer(part, triangles, seen):
    again = photo_inspect(photo_of(triangles), part)
    assert again.p_good == seen.p_good
    assert np.array_equal(again.mask, seen.mask)


class TestPictures:
    def test_the_outline_lies_on_the_pieces(self, triangles, seen):
        photo = photo_of(triangles)
        drawn = overlay_draw(photo.rgb, seen, worst=False)
        assert drawn.shape == photo.rgb.shape
        changed = (drawn != photo.rgb).any(2)
        rows, columns = np.nonzero(changed)
        inside = np.nonzero(photo.mask)
        assert abs(rows.min() - inside[0].min()) <= 4
        assert abs(columns.max() - inside[1].max()) <= 4

    def test_heat_is_where_the_corner_is_missing(self, part, triangles, broken):
        heat, shown = deviation_on_mesh(triangles, part, broken)
        assert heat.shape == triangles.shape[:2]
        assert shown.max() == 1
        assert shown.min() == 0
        assert heat.max() > 0.3
        assert not heat[shown == 0].any()


def test_a_prepared_part_survives_as_bytes(part, triangles, seen):
    again = photo_inspect(photo_of(triangles), PreparedPart.from_bytes(part.to_bytes()))
    assert again.p_good == pytest.approx(seen.p_good)


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04junk", b"x" * 100])
def test_damaged_bytes_are_told(data):
    with pytest.raises(InspectionError) as raised:
        PreparedPart.from_bytes(data)
    assert raised.value.code == "stale_preparation"


def test_a_part_without_a_surface_is_told():
    with pytest.raises(InspectionError) as raised:
        part_prepare(np.full((2, 3, 3), np.nan, np.float32))
    assert raised.value.code == "no_surface"
