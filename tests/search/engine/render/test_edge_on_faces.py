"""Faces of a smooth surface seen exactly edge on have no area to weigh their corners by."""

import numpy as np

from catalog.families.registry import FAMILIES
from catalog.families.types import family_sample
from search.engine.render.raster import faces_raster
from search.engine.render.views import views_render


def test_a_face_without_projected_area_still_has_a_normal() -> None:
    # Found by chance: from here one face of this bolt rounds to no area but covers a sample. Its
    # normal was not a number, and neither was the place in the tone table that was read for it.
    corners = family_sample(FAMILIES["u_bolt"], 0, part_of_range="train").triangles.reshape(-1, 3)
    centred = corners - (corners.min(axis=0) + corners.max(axis=0)) / 2
    triangles = centred / np.linalg.norm(centred, axis=1).max()
    viewpoint = [-0.22316006195493374, -0.9203246046883252, 0.3212510058405235]
    views = views_render(triangles.reshape(-1, 3, 3).astype(np.float32), viewpoints=[viewpoint])
    assert np.isfinite(views.normals).all()
    lengths = np.linalg.norm(views.normals[views.mask > 0], axis=-1)
    assert np.allclose(lengths, 1, atol=1e-3)


def test_a_sliver_whose_bounds_are_beyond_integers_is_passed_over() -> None:
    # The shadow of a bellows: two corners a rounding apart on one row. The span's end wrapped as
    # an integer, and the writes went outside of the picture.
    corners = [
        (-5.190588, 125.490456, 0.19308731),
        (2.8710341, 126.870285, 0.19471708),
        (2.8710349, 126.870285, 0.19471708),
    ]
    inverse_depth, face_ids = np.empty((150, 200), np.float32), np.empty((150, 200), np.int32)
    faces_raster(
        np.array(corners, np.float32),
        np.array([[0, 1, 2]], np.int32),
        inverse_depth=inverse_depth,
        face_ids=face_ids,
    )
    assert (face_ids[:, 3:] == -1).all()
    assert (face_ids[[*range(125), *range(127, 150)]] == -1).all()
