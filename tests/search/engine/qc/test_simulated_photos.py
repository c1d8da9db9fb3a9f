"""Photos for calibration: their truth is true, and the inspection knows a good piece on them."""

import numpy as np
import pytest

from search.engine.qc.inspect import part_prepare
from search.engine.qc.judge import calibration_shipped
from search.engine.qc.simulate.calibrate import good_odds
from search.engine.qc.simulate.photos import photo_simulate
from search.engine.render.pose import pose_render
from search.engine.render.surface import surface_make
from search.engine.render.types import Camera
from tests.factories.solids import drilled_bracket


@pytest.fixture(scope="module")
def triangles():
    return drilled_bracket().astype(np.float32)


def test_a_photo_follows_from_its_seed(triangles):
    one = photo_simulate(triangles, np.random.default_rng(7))
    again = photo_simulate(triangles, np.random.default_rng(7))
    assert np.array_equal(one.rgb, again.rgb)


@pytest.mark.parametrize("seed", [1, 2])
def test_the_pose_told_is_the_one_photographed(triangles, seed):
    taken = photo_simulate(triangles, np.random.default_rng(seed))
    height, width = taken.mask.shape
    pose = taken.pose
    camera = Camera(
        pose.rotation, pose.translation, pose.focal, (width / 2, height / 2), width, height
    )
    drawn = pose_render(surface_make(triangles), camera).mask > 0
    assert (drawn & taken.mask).sum() / (drawn | taken.mask).sum() > 0.985


def test_good_pieces_are_told_good(triangles):
    odds = good_odds(part_prepare(triangles), triangles, calibration_shipped(), photos=3, seed=1)
    assert len(odds) == 3
    assert np.median(odds) > 0


def test_the_work_can_be_stopped(triangles):
    class Stopped(Exception):
        pass

    def stop(done: int) -> None:
        if done:
            raise Stopped

    with pytest.raises(Stopped):
        good_odds(part_prepare(triangles), triangles, calibration_shipped(), photos=9, check=stop)
