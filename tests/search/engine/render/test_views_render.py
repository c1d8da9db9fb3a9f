"""Views agree with what geometry says: silhouettes, depths, ids, fits; and survive bad meshes."""

import numpy as np
import pytest

from search.engine.errors import RenderError
from search.engine.render.frame import DISTANCE
from search.engine.render.types import RenderStyle
from search.engine.render.viewpoints import viewpoints_fibonacci, viewpoints_icosahedron
from search.engine.render.views import views_render

TWELVE = viewpoints_fibonacci(12)
FRONT = np.array([[0.0, -1.0, 0.0]])


def cube(half: float = 0.5) -> np.ndarray:
    """(12, 3, 3): faces 2i and 2i + 1 are one side."""
    faces = []
    for axis in range(3):
        u, v = (axis + 1) % 3, (axis + 2) % 3
        for sign in (-1.0, 1.0):
            corners = np.zeros((4, 3))
            corners[:, axis] = sign
            corners[:, u] = (-1, 1, 1, -1)
            corners[:, v] = (-1, -1, 1, 1)
            if sign < 0:
                corners = corners[::-1]
            faces += [corners[[0, 1, 2]], corners[[0, 2, 3]]]
    return (half * np.array(faces)).astype(np.float32)


def sphere(steps: int = 48) -> np.ndarray:
    """(n, 3, 3): a unit sphere of latitudes and longitudes, poles with zero-area faces."""
    theta = np.linspace(0, np.pi, steps + 1)[:, None]
    phi = np.linspace(0, 2 * np.pi, 2 * steps + 1)[None, :]
    grid = np.stack(
        [np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta) + 0 * phi], -1
    )
    a, b, c, d = grid[:-1, :-1], grid[1:, :-1], grid[1:, 1:], grid[:-1, 1:]
    quads = np.stack([np.stack([a, b, c], -2), np.stack([a, c, d], -2)])
    return quads.reshape(-1, 3, 3).astype(np.float32)


def test_a_sphere_covers_a_disc_that_fills_the_picture_but_for_the_margin() -> None:
    views = views_render(sphere(96), viewpoints=TWELVE, size=128)
    radius = 128 * (0.5 - RenderStyle().margin)
    coverage = views.mask.sum(axis=(1, 2)) / 255
    assert np.allclose(coverage, np.pi * radius**2, rtol=0.01)
    rows, columns = np.indices((128, 128)) + 0.5
    distance = np.hypot(rows - 64, columns - 64)
    assert (views.mask[:, distance < radius - 1.5] == 255).all()
    assert (views.mask[:, distance > radius + 1.0] == 0).all()


def test_a_cube_seen_from_the_front_is_a_square_of_the_right_depth_and_faces() -> None:
    views = views_render(cube(), viewpoints=FRONT, size=100, style=RenderStyle(margin=0.1))
    square = np.zeros((100, 100), bool)
    square[10:90, 10:90] = True
    assert np.array_equal(views.mask[0] > 127, square)
    radius = np.sqrt(0.75)
    assert np.allclose(views.depth[0][square], DISTANCE * radius - 0.5, rtol=1e-5)
    assert np.isinf(views.depth[0][~square]).all()
    assert set(np.unique(views.face_ids[0])) == {-1, 4, 5}  # y = -half
    assert np.allclose(views.normals[0][square], (0, 0, 1), atol=1e-6)
    assert (views.rgb[0][~square] == 255).all()


@pytest.mark.parametrize("viewpoints", [TWELVE, viewpoints_icosahedron(), viewpoints_fibonacci(5)])
def test_every_view_touches_its_margin_and_no_more(viewpoints: np.ndarray) -> None:
    stretched = sphere(16) * np.array([1.0, 0.3, 0.1], np.float32)
    views = views_render(stretched, viewpoints=viewpoints, size=200)
    for mask in views.mask:
        rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        longest = max(np.ptp(rows), np.ptp(columns)) + 1
        assert 200 * (1 - 2 * 0.04) - 2 <= longest <= 200 * (1 - 2 * 0.04) + 1
        assert abs(rows[0] + rows[-1] - 199) <= 2 and abs(columns[0] + columns[-1] - 199) <= 2


def test_the_same_mesh_gives_the_same_bytes() -> None:
    first = views_render(sphere(), viewpoints=TWELVE, size=64)
    again = views_render(sphere(), viewpoints=TWELVE, size=64)
    for name in ("rgb", "mask", "depth", "normals", "face_ids"):
        assert getattr(first, name).tobytes() == getattr(again, name).tobytes()


def test_either_winding_looks_the_same() -> None:
    mesh = sphere(24)
    mixed = mesh.copy()
    mixed[::3] = mixed[::3, ::-1]
    straight = views_render(mesh, viewpoints=TWELVE, size=96)
    turned = views_render(mixed, viewpoints=TWELVE, size=96)
    assert np.abs(straight.mask.astype(int) - turned.mask).max() <= 64
    difference = np.abs(straight.rgb.astype(int) - turned.rgb)
    assert difference.mean() < 0.2
    seen = straight.mask == 255
    assert (np.einsum("...i,...i", straight.normals, turned.normals)[seen] > 0.99).mean() > 0.995


def test_a_coarse_cylinder_is_shaded_round_and_its_rim_stays_sharp() -> None:
    around = np.linspace(0, 2 * np.pi, 25)
    ring = np.column_stack([np.cos(around), np.sin(around)])
    low = np.column_stack([ring, np.full(25, -1.0)])
    high = np.column_stack([ring, np.full(25, 1.0)])
    wall = [
        f
        for i in range(24)
        for f in ([low[i], low[i + 1], high[i + 1]], [low[i], high[i + 1], high[i]])
    ]
    caps = [[c[0], c[i], c[i + 1]] for c in (low, high) for i in range(1, 23)]
    mesh = np.array(wall + caps, dtype=np.float32) / 2
    smooth = views_render(mesh, viewpoints=FRONT, size=200).normals[0, 100]
    flat = views_render(mesh, viewpoints=FRONT, size=200, style=RenderStyle(crease=0)).normals
    assert len(np.unique(flat[0, 100, 30:170, 0].round(3))) <= 14
    steps = np.diff(smooth[30:170, 0])
    assert (steps > 0).all() and steps.max() < 0.05
    above = views_render(mesh, viewpoints=[[0, 0, 1]], size=100).normals[0]
    assert np.allclose(above[30:70, 30:70], (0, 0, 1), atol=1e-3)


def test_a_far_outlier_does_not_hide_the_part() -> None:
    mesh = np.concatenate([sphere(24), [[[1, 0, 0], [0.99, 0.1, 0], [500, 400, 300]]]])
    scaled = (mesh / 700).astype(np.float32)
    views = views_render(scaled, viewpoints=TWELVE, size=64)
    assert ((views.mask > 0).mean(axis=(1, 2)) > 0.5).all()
    assert views.face_ids.max() < len(mesh) - 1


def test_a_long_thin_part_is_not_taken_for_an_outlier() -> None:
    rod = cube() * np.array([40.0, 1.0, 1.0], np.float32)
    pin = np.concatenate([sphere(24) * 3, rod + np.array([20, 0, 0], np.float32)])
    views = views_render(pin, viewpoints=FRONT, size=128)
    assert views.face_ids.max() >= len(sphere(24))
    assert np.ptp(np.flatnonzero(views.mask[0].any(0))) > 100


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 3e38])
def test_faces_that_are_not_finite_are_dropped_and_keep_their_numbers(bad: float) -> None:
    mesh = np.concatenate([cube(), cube() * 0.5])
    mesh[3, 1, 2] = bad
    views = views_render(mesh, viewpoints=TWELVE, size=64)
    seen = set(np.unique(views.face_ids)) - {-1}
    assert 3 not in seen and {2, 4, 11} <= seen
    assert np.isfinite(views.normals).all()


@pytest.mark.parametrize(
    "mesh",
    [
        np.zeros((0, 3, 3)),
        np.zeros((5, 3, 3)),
        np.full((2, 3, 3), np.nan),
        np.array([[[0, 0, 0], [1, 1, 1], [2, 2, 2]]]),
    ],
)
def test_a_mesh_without_surface_is_refused(mesh: np.ndarray) -> None:
    with pytest.raises(RenderError) as caught:
        views_render(mesh.astype(np.float32), viewpoints=TWELVE, size=32)
    assert caught.value.code == "blank_picture"


def test_a_single_triangle_is_drawn() -> None:
    mesh = np.array([[[0, 0, 0], [1, 0, 0], [0, 1, 0]]], np.float32)
    views = views_render(mesh, viewpoints=[[0.1, 0.2, 1.0]], size=64)
    assert 0.15 < (views.mask > 127).mean() < 0.3


@pytest.mark.parametrize("scale", [1e-12, 1e-3, 1.0, 1e6, 1e15])
def test_scale_and_place_do_not_matter(scale: float) -> None:
    views = views_render(((cube() + 3) * scale).astype(np.float32), viewpoints=TWELVE[:2], size=48)
    plain = views_render(cube(), viewpoints=TWELVE[:2], size=48)
    assert np.abs(views.mask.astype(int) - plain.mask).mean() < 1
    seen = np.isfinite(plain.depth) & np.isfinite(views.depth)
    assert np.allclose(views.depth[seen] / scale, plain.depth[seen], rtol=0.05)


def test_read_only_and_strided_arrays_are_accepted() -> None:
    frozen = np.asfortranarray(cube())
    frozen.flags.writeable = False
    views = views_render(frozen, viewpoints=FRONT, size=32)
    assert views.mask.any()
