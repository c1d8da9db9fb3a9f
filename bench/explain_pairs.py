"""Pairs of a query and the part that answers it, to judge explanations on (bench.explain)."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.furniture import FurnitureModel, furniture_dev
from bench.quality_icons import name_is_for_choosing, part_triangles
from catalog.families.registry import FAMILIES
from catalog.families.types import Family, family_sample
from search.engine.encoders.mini import MiniEncoder
from search.engine.explain.exact import ExactExplainer
from search.engine.explain.masks import masks_heat
from search.engine.explain.picture import cells_read
from search.engine.photo.prepare import photo_embed, photo_prepare
from search.engine.render.viewpoints import viewpoints_fibonacci
from search.engine.render.views import views_render
from stlcatalog.config import config_load

MODELS = Path(__file__).parents[1] / "models"
MASKS = config_load(MODELS.parent / "config" / "search.yaml").engines["mini"].explain_masks
MOST_TRIANGLES = 100_000
SIDE = 224

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class QueryPair:
    """A query's picture (s, s, 3) and vector (d,), and the view (s, s, 3) that answers it, its part
    in `mask` (s, s)."""

    kind: str
    query: NDArray[np.uint8]
    target: Floats
    view: NDArray[np.uint8]
    mask: NDArray[np.bool_]


def pairs_make(half: str, count: int, encoder: MiniEncoder) -> list[QueryPair]:
    """`count` pairs of the names of one half, "choose" or "report"."""
    rng = np.random.default_rng(5)
    models = models_of(half)
    viewpoints = viewpoints_fibonacci(12)
    found: list[QueryPair] = []
    for index in rng.permutation(len(models)):
        triangles = part_triangles(models[index])
        if len(triangles) <= MOST_TRIANGLES:
            photo = photo_prepare(models[index].icon)
            asked = photo.variants, photo_embed(photo, encoder)
            found.append(_pair("furniture", asked, triangles, viewpoints, encoder))
        if len(found) >= count // 2:
            break
    families = families_of(half)
    for index in range(count - len(found)):
        family, turn = families[index % len(families)], index // len(families)
        one, other = (
            np.ascontiguousarray(
                family_sample(family, 100 + 2 * turn + which).triangles, np.float32
            )
            for which in (0, 1)
        )
        side = rng.normal(size=3)
        pictures = views_render(one, viewpoints=side[None]).rgb
        asked = pictures, encoder.pictures_embed(pictures)
        found.append(_pair("made", asked, other, viewpoints, encoder))
    return found


def models_of(half: str) -> list[FurnitureModel]:
    return [m for m in furniture_dev() if name_is_for_choosing(m.name) == (half == "choose")]


def families_of(half: str) -> list[Family]:
    """The families made by code, of other things than furniture."""
    return [
        family
        for key, family in FAMILIES.items()
        if family.group != "furniture" and name_is_for_choosing(key) == (half == "choose")
    ]


def _pair(
    kind: str,
    asked: tuple[NDArray[np.uint8], Floats],
    triangles: Floats,
    viewpoints: NDArray[np.float64],
    encoder: MiniEncoder,
) -> QueryPair:
    """The query's best way of looking, and the view that is nearest to it."""
    pictures, vectors = asked
    views = views_render(triangles, viewpoints=viewpoints)
    nearness = vectors @ encoder.pictures_embed(views.rgb).T
    own, view = np.unravel_index(int(nearness.argmax()), nearness.shape)
    return QueryPair(kind, pictures[own], vectors[own], views.rgb[view], views.mask[view] > 127)


def shown_heat(
    encoder: MiniEncoder,
    picture: NDArray[np.uint8],
    mask: NDArray[np.bool_],
    target: Floats,
    *,
    seed: int = 0,
) -> Floats:
    """Heat (s, s) as the product shows it: by masks, the exact cells known."""
    _, finer = cells_read(ExactExplainer(encoder), picture, target)

    def similarity(pictures: NDArray[np.uint8]) -> Floats:
        return encoder.pictures_embed(pictures) @ target

    return masks_heat(picture, mask, similarity, known=[finer], count=MASKS, seed=seed)
