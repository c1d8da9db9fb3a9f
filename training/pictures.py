"""The pictures that calibration and projection are fitted on, and those that check them.

Renders of the development furniture and its icons; nothing else of that collection may be read.
Fitting sees the half of the names meant for choosing, checking sees the other half.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bench.furniture import FurnitureModel, furniture_dev
from bench.quality_icons import icon_picture, name_is_for_choosing, part_triangles
from catalog.families.registry import FAMILIES
from catalog.families.types import family_sample
from search.engine.render.viewpoints import viewpoints_fibonacci
from search.engine.render.views import views_render
from training.collections.types import unit_sphere

Pictures = NDArray[np.uint8]


def furniture_half(*, choosing: bool) -> list[FurnitureModel]:
    return [model for model in furniture_dev() if name_is_for_choosing(model.name) is choosing]


def family_triangles(key: str, *, seed: int = 0) -> NDArray[np.float32]:
    """A ring, a bolt, a gear ...: one part made by code, in the unit sphere."""
    triangles = family_sample(FAMILIES[key], seed, part_of_range="train").triangles
    return unit_sphere(triangles)


def calibration_pictures(count: int = 64) -> Pictures:
    """`count` views and half as many icons."""
    return _spread(furniture_half(choosing=True), count)


def check_pictures(count: int = 64) -> Pictures:
    return _spread(furniture_half(choosing=False), count)


def _spread(models: Sequence[FurnitureModel], count: int) -> Pictures:
    chosen = models[:: max(1, len(models) // count)][:count]
    viewpoints = viewpoints_fibonacci(12)
    views = [
        views_render(part_triangles(model), viewpoints=viewpoints[[place % 12]]).rgb[0]
        for place, model in enumerate(chosen)
    ]
    return np.stack([*views, *(icon_picture(model.icon) for model in chosen[::2])])
