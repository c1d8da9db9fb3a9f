"""Heat measured with masks: what a similarity that is a sum of places says, comes out again."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.engine.explain.gone import part_widen, picture_blur
from search.engine.explain.masks import masks_draw, masks_heat

SIDE = 112
ROWS, COLUMNS = np.indices((SIDE, SIDE)) / SIDE
PART = (ROWS - 0.5) ** 2 + (COLUMNS - 0.5) ** 2 < 0.4**2


def chequered() -> np.ndarray:
    """A part that has detail everywhere, the same everywhere."""
    dark = (np.indices((SIDE, SIDE)).sum(axis=0) % 2).astype(bool)
    picture = np.full((SIDE, SIDE, 3), 255, np.uint8)
    picture[PART & dark] = 0
    return picture


PICTURE = chequered()
GONE = picture_blur(PICTURE).astype(np.float64)


def bump(row: float, column: float) -> np.ndarray:
    return np.exp(-((ROWS - row) ** 2 + (COLUMNS - column) ** 2) / (2 * 0.15**2))


def sum_of(weights: np.ndarray):
    """A similarity to which each place of the part adds its weight, as far as it is there."""
    detail = np.where(PART, (PICTURE - GONE)[..., 0], 0)
    each = weights * detail / (weights * detail**2).sum()

    def similarity(pictures: np.ndarray) -> np.ndarray:
        there = pictures[..., 0].astype(np.float64) - GONE[..., 0]
        return (there * each).sum(axis=(1, 2)).astype(np.float32)

    return similarity


def closeness(heat: np.ndarray, weights: np.ndarray) -> float:
    return float(np.corrcoef(heat[PART], weights[PART])[0, 1])


TWO = bump(0.35, 0.35) + 0.6 * bump(0.6, 0.7)


def test_the_weights_of_a_sum_come_out_again() -> None:
    few, many = (masks_heat(PICTURE, PART, sum_of(TWO), count=n) for n in (64, 256))
    assert many.shape == (SIDE, SIDE)
    assert not many[~PART].any()
    assert closeness(many, TWO) > max(0.95, closeness(few, TWO))
    hottest = np.unravel_index(many.argmax(), many.shape)
    assert np.hypot(hottest[0] / SIDE - 0.35, hottest[1] / SIDE - 0.35) < 0.06


def test_what_is_known_saves_masks_and_what_is_wrong_is_overruled() -> None:
    coarse = cv2.resize(TWO.astype(np.float32), (7, 7), interpolation=cv2.INTER_AREA)
    helped = masks_heat(PICTURE, PART, sum_of(TWO), known=[coarse])
    assert closeness(helped, TWO) > 0.98
    misled = [
        masks_heat(PICTURE, PART, sum_of(TWO), known=[-coarse[::-1]], count=n) for n in (64, 256)
    ]
    assert closeness(misled[1], TWO) > max(0.95, closeness(misled[0], TWO))


def test_what_takes_away_is_colder_than_what_adds_nothing() -> None:
    heat = masks_heat(PICTURE, PART, sum_of(bump(0.35, 0.35) - 0.5 * bump(0.65, 0.65)))
    against = heat[int(0.65 * SIDE), int(0.65 * SIDE)]
    assert against < 0.1 < heat[int(0.35 * SIDE), int(0.35 * SIDE)]


def test_the_same_comes_out_twice_and_much_the_same_of_another_seed() -> None:
    similarity = sum_of(bump(0.35, 0.6))
    first, again = (masks_heat(PICTURE, PART, similarity, count=256) for _ in range(2))
    assert (first == again).all()
    other = masks_heat(PICTURE, PART, similarity, count=256, seed=1)
    assert (first != other).any()
    assert closeness(first, other) > 0.9


@pytest.mark.parametrize("batch", [1, 7, 500])
def test_masks_together_say_what_they_say_one_by_one(batch: int) -> None:
    asked = []
    similarity = sum_of(bump(0.35, 0.6))

    def counted(pictures: np.ndarray) -> np.ndarray:
        asked.append(len(pictures))
        return similarity(pictures)

    heat = masks_heat(PICTURE, PART, counted, count=32, batch=batch)
    assert sum(asked) == 32 + 2
    assert max(asked) <= max(batch, 2)
    np.testing.assert_allclose(heat, masks_heat(PICTURE, PART, similarity, count=32), atol=1e-5)


@given(seed=st.integers(0, 10**6), pairs=st.integers(1, 8))
def test_a_mask_takes_what_its_twin_leaves(seed: int, pairs: int) -> None:
    wide = part_widen(PART)
    shares = masks_draw(wide, count=2 * pairs, seed=seed)
    assert len(shares) == 2 * pairs
    assert shares.min() >= 0 and shares.max() <= 1 + 1e-6
    both = shares[::2] + shares[1::2]
    # Together they take the part away and leave the ground, but for the soft border of both.
    assert both[:, 28, 28] == pytest.approx(1, abs=1e-5)
    assert both[:, 0, 0] == pytest.approx(0, abs=1e-5)


def test_no_part_a_speck_and_a_similarity_that_never_changes_are_no_error() -> None:
    nothing = np.zeros((SIDE, SIDE), bool)
    assert not masks_heat(PICTURE, nothing, sum_of(bump(0.5, 0.5))).any()
    speck = nothing.copy()
    speck[0, 0] = True
    for part in (speck, PART):
        heat = masks_heat(PICTURE, part, lambda pictures: np.ones(len(pictures), np.float32))
        assert np.isfinite(heat).all()
        assert not heat[~part].any()
