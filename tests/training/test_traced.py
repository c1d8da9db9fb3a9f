"""Traced scenes for training; only where Mitsuba (of the extra `training`) is installed."""

import numpy as np
import pytest

from search.engine.render.types import Camera
from tests.factories.meshes import box

pytest.importorskip("mitsuba")

from training.traced import mitsuba_open, scene_trace, sensor_make  # noqa: E402


def test_a_ray_through_a_pixel_meets_what_the_pixel_shows():
    rng = np.random.default_rng(4)
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    turn *= np.sign(np.linalg.det(turn))
    camera = Camera(turn, np.array([0.1, -0.2, 4.0]), 700.0, (290.0, 260.0), 560, 420)
    mi = mitsuba_open()
    sensor = mi.load_dict(sensor_make(camera, seed=0))
    for point in rng.uniform(-1, 1, (20, 3)):
        x, y, z = camera.rotation @ point + camera.translation
        column = camera.principal[0] + camera.focal * x / z
        row = camera.principal[1] + camera.focal * y / z
        at = mi.Point2f(float(column / camera.width), float(row / camera.height))
        ray, _ = sensor.sample_ray(0.0, 0.5, at, mi.Point2f(0.5, 0.5))
        eye, towards = np.array(ray.o).ravel(), np.array(ray.d).ravel()
        aside = np.cross(towards, point - eye)
        assert np.linalg.norm(aside) < 1e-3


def test_the_same_random_numbers_give_the_same_scene():
    part = np.asarray(box((1.0, 0.6, 0.3)), np.float32)
    one, other = (scene_trace(part, np.random.default_rng(6), size=(96, 72)) for _ in range(2))
    assert one[0].shape == (*one[1].shape, 3)
    assert np.array_equal(one[0], other[0])
    assert np.array_equal(one[1], other[1])
    assert 0.02 < (one[1] > 127).mean() < 0.9
