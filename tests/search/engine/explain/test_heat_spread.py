"""Heat on pixels, on the mesh, and the places that match: laws that hold for any input."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from search.engine.explain.fine import fine_read
from search.engine.explain.pairs import pairs_find
from search.engine.explain.sides import Side, outline_measure, outlines_overlap, warmth_measure
from search.engine.explain.spread import heat_masked, heat_overlay, heat_spread
from search.engine.explain.surface import (
    POINTS,
    heat_bytes,
    lattice_points,
    lattice_sizes,
    surface_heat,
    surface_pack,
)
from search.engine.render.viewpoints import viewpoints_fibonacci
from search.engine.render.views import views_render
from tests.factories import meshes

DISC = (np.indices((64, 64)) - 31.5).__pow__(2).sum(axis=0) < 28**2


@given(seed=st.integers(0, 10**6), grid=st.integers(2, 9))
def test_heat_stays_on_the_part_and_between_0_and_1(seed: int, grid: int) -> None:
    cells = np.random.default_rng(seed).normal(size=(grid, grid)).astype(np.float32)
    heat = heat_masked(heat_spread(cells, size=64), DISC)
    assert heat.shape == (64, 64)
    assert heat.min() == 0 and heat.max() <= 1
    assert not heat[~DISC].any()
    overlay = heat_overlay(heat, DISC)
    assert overlay.shape == (64, 64, 4)
    assert overlay[0, 0, 3] == 0


def test_even_heat_and_no_part_at_all_are_no_error() -> None:
    assert np.allclose(heat_masked(np.ones((64, 64), np.float32), DISC)[DISC], 0.5)
    assert not heat_masked(np.ones((64, 64), np.float32), np.zeros((64, 64), bool)).any()


def test_fine_cells_stand_where_they_belong() -> None:
    """A reader that tells the darkness of its cells: the fine ones tell that of half cells."""
    picture = np.full((1, 224, 224, 3), 255, np.uint8)
    picture[0, 40:48, 104:112] = 0  # the middle of fine cell (2, 6): 32..48, 96..112

    def darkness(pictures: np.ndarray) -> np.ndarray:
        dark = 255 - pictures[..., 0].astype(np.float32)
        # The middle half of each cell is what a network's cell sees most of.
        cells = dark.reshape(len(pictures), 7, 32, 7, 32)
        return cells[:, :, 8:24, :, 8:24].mean(axis=(2, 4))

    fine = fine_read(picture, darkness)
    assert fine.shape == (1, 14, 14)
    assert np.unravel_index(fine[0].argmax(), (14, 14)) == (2, 6)
    assert (fine[0] > 0).sum() == 1


@given(seed=st.integers(0, 10**6), most=st.integers(1, 12))
def test_pairs_of_a_picture_with_itself_are_the_same_places(seed: int, most: int) -> None:
    patches = np.random.default_rng(seed).normal(size=(8, 8, 32)).astype(np.float32)
    pairs = pairs_find(patches, patches, DISC, DISC, most=most)
    assert 1 <= len(pairs) <= most
    for pair in pairs:
        assert (pair.x, pair.y) == (pair.u, pair.v)
        assert pair.similarity > 0.99
        assert 0 <= pair.x <= 1 and 0 <= pair.y <= 1
        assert DISC[int(pair.y * 64), int(pair.x * 64)]


def test_pairs_are_mutual_and_nothing_pairs_with_nothing() -> None:
    rng = np.random.default_rng(0)
    one, two = rng.normal(size=(2, 8, 8, 16)).astype(np.float32)
    pairs = pairs_find(one, two, DISC, DISC)
    assert len({(p.x, p.y) for p in pairs}) == len({(p.u, p.v) for p in pairs}) == len(pairs)
    assert pairs_find(one, two, DISC, np.zeros((64, 64), bool)) == []


@given(x=st.floats(0, 1), y=st.floats(0, 1), turn=st.integers(0, 3))
def test_places_turn_back_as_pictures_do(x: float, y: float, turn: int) -> None:
    upright = np.zeros((16, 16), np.float32)
    row, column = min(int(y * 16), 15), min(int(x * 16), 15)
    upright[row, column] = 1
    turned = np.ascontiguousarray(np.rot90(upright, turn))
    side = Side(np.zeros((16, 16, 3), np.uint8), turned > 0, turn)
    assert (side.upright(turned) == upright).all()
    at = np.argwhere(turned)[0]
    back = side.place_upright((at[1] + 0.5) / 16, (at[0] + 0.5) / 16)
    assert np.allclose(back, ((column + 0.5) / 16, (row + 0.5) / 16))


def test_an_outline_is_measured() -> None:
    mask = np.zeros((60, 60), bool)
    mask[10:50, 20:40] = True
    mask[20:30, 25:35] = False
    found = outline_measure(mask)
    assert (found.aspect, found.holes) == (2.0, 1)
    assert found.fill == 700 / 800
    assert outlines_overlap(mask, mask) == 1
    assert outlines_overlap(mask, ~mask) == 0


def test_warmth_says_where() -> None:
    heat = np.where(DISC, np.linspace(0, 1, 64)[None, :], 0).astype(np.float32)
    found = warmth_measure(heat, DISC)
    assert found.x > 0.7
    assert abs(found.y - 0.5) < 0.02
    assert 0.3 < found.share < 0.6


@given(seed=st.integers(0, 10**6))
def test_a_lattice_covers_its_triangles(seed: int) -> None:
    triangles = np.random.default_rng(seed).normal(size=(5, 3, 3)).astype(np.float32)
    sizes = lattice_sizes(triangles)
    points, owner = lattice_points(triangles, sizes)
    k = sizes.astype(int)
    assert len(points) == ((k + 1) * (k + 2) // 2).sum() <= POINTS
    assert (np.diff(owner) >= 0).all()
    first = np.flatnonzero(np.diff(owner, prepend=-1))
    assert np.allclose(points[first], triangles[:, 0], atol=1e-6)
    last = np.append(first[1:], len(points)) - 1
    assert np.allclose(points[last], triangles[:, 1], atol=1e-5)


def test_heat_lands_on_the_side_that_was_hot() -> None:
    box = (meshes.box((10, 10, 10)) / 10).astype(np.float32)
    views = views_render(box, viewpoints=viewpoints_fibonacci(12))
    # Hot where the surface lies at x > 0, told from depth: what a picture's heat would say.
    heats = []
    for camera, depth in zip(views.cameras, views.depth, strict=True):
        row, column = np.indices(depth.shape)
        ray = np.stack([
            (column + 0.5 - camera.principal[0]) / camera.focal,
            (row + 0.5 - camera.principal[1]) / camera.focal,
            np.ones(depth.shape),
        ], axis=-1)  # fmt: skip
        far = np.where(np.isfinite(depth), depth, 0)[..., None]
        place = (ray * far - camera.translation) @ camera.rotation
        heats.append((place[..., 0] > 0) & np.isfinite(depth))
    sizes = lattice_sizes(box)
    heat = surface_heat(box, sizes, views, np.stack(heats).astype(np.float32))
    points, _ = lattice_points(box, sizes)
    assert heat[points[:, 0] > 0.2].mean() > 0.95
    assert heat[points[:, 0] < -0.2].mean() < 0.05
    packed = surface_pack(sizes, heat_bytes(heat))
    assert len(packed) == 12 + len(box) + len(points)
