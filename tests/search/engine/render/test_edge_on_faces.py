"""Faces of a smooth surface seen exactly edge on have no area to weigh their corners by."""

import numpy as np

from catalog.families.registry import FAMILIES
from catalog.families.types import family_sample
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
