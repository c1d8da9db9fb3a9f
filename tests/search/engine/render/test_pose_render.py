"""Any pose: maps agree with the pinhole's formula."""

import numpy as np
import pytest

from search.engine.render.pose import pose_render
from search.engine.render.surface import surface_make
from search.engine.render.types import Camera
from tests.factories.meshes import box


def camera(rotation: np.ndarray, z: float = 100.0, **changes: object) -> Camera:
    plain: dict[str, object] = {
        "rotation": rotation,
        "translation": np.array([0.0, 0.0, z]),
        "focal": 200.0,
        "principal": (80.0, 60.0),
        "width": 160,
        "height": 120,
    }
    return Camera(**(plain | changes))  # type: ignore[arg-type]


def turn(axis: int, degrees: float) -> np.ndarray:
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    matrix = np.eye(3)
    u, v = (axis + 1) % 3, (axis + 2) % 3
    matrix[u, u], matrix[u, v], matrix[v, u], matrix[v, v] = c, -s, s, c
    return matrix


def test_a_box_before_the_camera_is_the_rectangle_of_its_near_side() -> None:
    maps = pose_render(surface_make(box((20, 10, 30))), camera(np.eye(3)))
    half_width, half_height = 200 * 10 / 85, 200 * 5 / 85
    rows, columns = np.indices((120, 160)) + 0.5
    inside = (abs(columns - 80) < half_width) & (abs(rows - 60) < half_height)
    assert np.array_equal(maps.mask == 255, inside)
    assert np.allclose(maps.depth[inside], 85, rtol=1e-6)
    assert np.isinf(maps.depth[~inside]).all()
    assert np.allclose(maps.normals[inside], (0, 0, 1), atol=1e-6)
    assert (maps.normals[~inside] == 0).all()


def test_depths_and_normals_lie_on_the_turned_box() -> None:
    rotation = turn(0, 25) @ turn(1, 35)
    view = camera(rotation, principal=(70.0, 66.0))
    mesh = box((20, 20, 20))
    maps = pose_render(surface_make(mesh), view)
    seen = maps.mask > 0
    assert seen.sum() > 1000
    rows, columns = np.nonzero(seen)
    depth = maps.depth[seen].astype(float)
    rays = np.column_stack(
        [(columns + 0.5 - 70) / 200, (rows + 0.5 - 66) / 200, np.ones(len(rows))]
    )
    points = (rays * depth[:, None] - view.translation) @ rotation
    assert np.allclose(np.abs(points).max(axis=1), 10, atol=1e-3)
    outward = np.where(np.abs(points) > 10 - 1e-3, np.sign(points), 0)
    single = np.abs(outward).sum(axis=1) == 1
    expected = outward @ rotation.T * [1, -1, -1]
    assert np.allclose(maps.normals[seen][single], expected[single], atol=1e-4)
    assert (np.einsum("ij,ij->i", mesh[maps.face_ids[seen]].mean(axis=1), outward) > 0)[
        single
    ].all()


@pytest.mark.parametrize("z", [-100.0, -15.0])
def test_what_is_behind_the_camera_is_not_drawn(z: float) -> None:
    maps = pose_render(surface_make(box((20, 20, 20))), camera(np.eye(3), z=z))
    assert (maps.face_ids == -1).all() and (maps.mask == 0).all()


def test_a_part_larger_than_the_picture_fills_it() -> None:
    maps = pose_render(surface_make(box((500, 500, 10))), camera(np.eye(3)))
    assert (maps.mask == 255).all()
    assert np.allclose(maps.depth, 95, rtol=1e-6)
