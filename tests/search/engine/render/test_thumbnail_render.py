"""The thumbnail: opaque part, soft shadow, free border; darker in a corner than in the open."""

import numpy as np
import pytest

from search.engine.errors import RenderError
from search.engine.render.thumbnail import thumbnail_render
from tests.factories.meshes import box, l_bracket, sphere

FROM_FRONT = np.array([0.5, -0.7, 0.5])


def test_alpha_is_full_on_the_part_and_nothing_at_the_border() -> None:
    picture = thumbnail_render(sphere(), size=128)
    assert picture.shape == (128, 128, 4) and picture.dtype == np.uint8
    alpha = picture[..., 3]
    assert (alpha[40:88, 40:88] == 255).all()
    border = np.concatenate([alpha[0], alpha[-1], alpha[:, 0], alpha[:, -1]])
    assert border.max() <= 2
    partial = (alpha > 0) & (alpha < 255)
    assert 0.005 < partial.mean() < 0.5


def test_the_shadow_lies_below_the_part_and_is_dark_not_coloured() -> None:
    picture = thumbnail_render(box((20, 20, 20)), size=128, viewpoint=FROM_FRONT)
    alpha = picture[..., 3]
    shadow = (alpha > 4) & (alpha < 120)
    assert shadow.mean() > 0.01
    assert np.median(np.nonzero(shadow)[0]) > 80
    assert np.median(picture[shadow][:, :3]) < 60


def test_from_below_there_is_no_ground() -> None:
    picture = thumbnail_render(sphere(), size=96, viewpoint=np.array([0.5, -0.7, -0.5]))
    alpha = picture[..., 3]
    rows, columns = np.indices((96, 96)) - 47.5
    assert (alpha[np.hypot(rows, columns) > 45] == 0).all()


def test_an_inner_corner_is_darker_than_an_open_face() -> None:
    width = 30.0
    floor = box((width, width, 2.0), (0, 0, -1))
    wall = box((width, 2.0, width), (0, width / 2, width / 2))
    open_top = thumbnail_render(floor, size=160, viewpoint=FROM_FRONT)
    corner = thumbnail_render(np.concatenate([floor, wall]), size=160, viewpoint=FROM_FRONT)
    top = open_top[(open_top[..., 3] == 255), 1]
    lit = corner[..., 1][corner[..., 3] == 255]
    # The open floor is one even tone; beside a wall it runs through many.
    assert np.ptp(np.percentile(top, (30, 70))) <= 4
    assert len(np.unique(lit)) > 40


def test_the_same_mesh_gives_the_same_bytes() -> None:
    first, again = (thumbnail_render(l_bracket(), size=96).tobytes() for _ in range(2))
    assert first == again


@pytest.mark.parametrize("up", [(0.0, 0.0, 1.0), (0.0, 1.0, 0.0), (1.0, 0.0, 0.0)])
def test_up_is_up(up: tuple[float, float, float]) -> None:
    tall = np.roll(box((8, 8, 40)), {2: 0, 1: 2, 0: 1}[int(np.argmax(up))], axis=2)
    alpha = thumbnail_render(np.ascontiguousarray(tall), size=96, up=up)[..., 3]
    solid = alpha > 250
    assert np.ptp(np.flatnonzero(solid.any(1))) > 1.5 * np.ptp(np.flatnonzero(solid.any(0)))


def test_a_mesh_without_surface_is_refused() -> None:
    with pytest.raises(RenderError) as caught:
        thumbnail_render(np.zeros((3, 3, 3), np.float32), size=64)
    assert caught.value.code == "blank_picture"
