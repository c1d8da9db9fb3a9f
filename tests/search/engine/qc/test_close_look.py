"""The closer look at a piece: what the network sees in the window about a first mask."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.engine.qc.close_look import close_look
from search.engine.qc.mask import LEAN, mask_first, mask_leaning
from tests.factories.pieces import HEIGHT, WIDTH, photo_of
from tests.factories.solids import drilled_bracket


def overlap(one, other) -> float:
    return float((one & other).sum() / max((one | other).sum(), 1))


@pytest.fixture(scope="module")
def photo():
    return photo_of(drilled_bracket().astype(np.float32))


def coarse(mask):
    """A first look: too wide, and a shadow taken for the piece."""
    found = cv2.dilate(mask.astype(np.uint8), np.ones((13, 13), np.uint8)) * 255
    rows, columns = np.nonzero(mask)
    at = int(columns.max()), int(rows.mean())
    return cv2.ellipse(found, at, (60, 25), 0, 0, 360, 255, -1)


def test_a_coarse_mask_becomes_a_fine_one(photo):
    found = coarse(photo.mask)
    assert overlap(found > 0, photo.mask) < 0.8
    assert overlap(close_look(photo.rgb, found) > 127, photo.mask) > 0.95


@pytest.mark.parametrize("ground", [255, 250, 128, 0], ids=["white", "paper", "grey", "black"])
def test_a_ground_of_one_colour_is_ground(photo, ground):
    rgb = np.where(photo.mask[..., None], photo.rgb, np.uint8(ground))
    seen = mask_first(rgb)
    assert seen is not None
    assert seen.cover is not None
    assert overlap(seen.mask > 0, photo.mask) > 0.95


def test_what_is_missing_is_not_made_up():
    broken = photo_of(drilled_bracket().astype(np.float32), broken=True)
    whole = photo_of(drilled_bracket().astype(np.float32)).mask
    cover = close_look(broken.rgb, np.where(whole, 255, 0).astype(np.uint8))
    bite = whole & ~broken.mask
    assert (cover[bite] < 127).mean() > 0.9


def test_nothing_is_told_far_from_the_first_mask(photo):
    found = np.zeros((HEIGHT, WIDTH), np.uint8)
    found[100:160, 100:160] = 255
    cover = close_look(photo.rgb, found)
    assert cover.shape == found.shape
    assert not cover[300:].any()
    assert not cover[:, 300:].any()


@given(
    left=st.integers(0, 180), top=st.integers(0, 130),
    width=st.integers(1, 200), height=st.integers(1, 150),
)  # fmt: skip
def test_any_place_of_a_piece_can_be_looked_at(left, top, width, height):
    picture = np.full((150, 200, 3), 90, np.uint8)
    found = np.zeros((150, 200), np.uint8)
    found[top : top + height, left : left + width] = 255
    cover = close_look(picture, found)
    assert cover.shape == found.shape
    assert cover.dtype == np.uint8


def test_the_same_window_is_seen_alike(photo):
    found = coarse(photo.mask)
    assert np.array_equal(close_look(photo.rgb, found), close_look(photo.rgb, found))


class TestLeaning:
    """Where the network is in doubt the part decides, and nowhere else."""

    def of(self, chance: float, drawn: bool) -> bool:
        cover = np.zeros((64, 64), np.uint8)
        cover[16:48, 8:32] = 255  # surely the piece
        cover[16:48, 32:56] = round(255 * chance)
        part = np.zeros_like(cover)
        part[16:48, 8 : 56 if drawn else 32] = 255
        return bool(mask_leaning(cover, part)[32, 44])

    @pytest.mark.parametrize("chance", [0.3, 0.5, 0.7])
    def test_in_doubt_the_part_decides(self, chance):
        assert abs(2 * chance - 1) < LEAN
        assert self.of(chance, drawn=True)
        assert not self.of(chance, drawn=False)

    def test_what_is_surely_missing_stays_missing(self):
        assert not self.of(0.02, drawn=True)

    def test_what_is_surely_there_stays(self):
        assert self.of(0.98, drawn=False)
