"""Scenes for training: repeatable, told the truth about, and kept on disk as they were taken."""

import numpy as np
import pytest

from tests.factories.meshes import box
from training.photographs import Photograph, photographs_load, photographs_write
from training.scenes import Scene, scene_make


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    """Of a stick along its own z, which lies, stands or leans."""
    stick = (box((0.3, 0.3, 1.9))).astype(np.float32)
    stick -= (stick.min((0, 1)) + stick.max((0, 1))) / 2
    rng = np.random.default_rng(5)
    return [scene_make(stick, rng, upright=number % 2 == 0) for number in range(10)]


def test_the_same_random_numbers_give_the_same_scene(scenes):
    stick = (box((0.3, 0.3, 1.9))).astype(np.float32)
    stick -= (stick.min((0, 1)) + stick.max((0, 1))) / 2
    again = scene_make(stick, np.random.default_rng(5), upright=True)
    assert np.array_equal(again.picture, scenes[0].picture)
    assert np.array_equal(again.mask, scenes[0].mask)


def test_the_part_is_in_the_picture(scenes):
    for scene in scenes:
        assert scene.picture.shape == (*scene.mask.shape, 3)
        assert 0.002 < (scene.mask > 127).mean() < 0.6
        assert scene.picture.std() > 3


def test_a_scene_has_the_size_that_is_asked_for():
    scene = scene_make(box((1.0, 0.6, 0.3)), np.random.default_rng(2), size=(640, 480))
    assert sorted(scene.mask.shape) == [480, 640]
    assert scene.picture.shape == (*scene.mask.shape, 3)


def test_the_turn_is_how_the_parts_own_z_leans(scenes):
    checked = 0
    for scene in scenes:
        if abs(scene.viewpoint[2]) > 0.6:  # seen from an end a stick points nowhere
            continue
        rows, columns = np.nonzero(scene.mask > 127)
        spread = np.cov(np.stack([columns, -rows]))
        x, y = np.linalg.eigh(spread)[1][:, 1]
        lean = np.arctan2(-x, y)
        off = (lean - scene.turn + np.pi / 2) % np.pi - np.pi / 2
        assert abs(off) < np.radians(15)
        checked += 1
    assert checked >= 3


def test_a_shard_gives_back_what_was_taken(scenes, tmp_path):
    taken = [Photograph(number, scene) for number, scene in enumerate(scenes)]
    photographs_write(tmp_path / "000.npz", taken)
    found = photographs_load(tmp_path)
    assert [photo.sitter for photo in found] == list(range(len(scenes)))
    for photo, scene in zip(found, scenes, strict=True):
        assert np.array_equal(photo.scene.picture, scene.picture)
        assert np.array_equal(photo.scene.mask, scene.mask)
        assert np.allclose(photo.scene.viewpoint, scene.viewpoint)
        assert photo.scene.turn == pytest.approx(scene.turn)
