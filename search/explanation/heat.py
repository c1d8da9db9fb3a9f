"""The heat of an explanation: which explainer divides the similarity, and what is shown of it.

Cells share out the similarity by the encoder's own structure. What is shown is measured with masks
where the engine's `explain_masks` affords them, and made of the cells otherwise; the answer says
which.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from search import encoders
from search.explanation.sides import Asked
from search.remote.client import is_remote

if TYPE_CHECKING:
    from search.engine.explain.sides import Side
    from search.engine.explain.types import Explainer

MASKS = "masks"
Floats = NDArray[np.float32]
Similarity = Callable[[NDArray[np.uint8]], Floats]  # (n, s, s, 3) -> (n,)


@dataclass(frozen=True)
class Heat:
    """Cells (g, g) that share out the similarity by `method`, and what is shown: (s, s) 0..1 on
    the part, by `shown_by`."""

    cells: Floats
    shown: Floats
    method: str
    shown_by: str


def hit_heat(asked: Asked, hit: "Side", engine: str) -> Heat:
    """Over a view of the part: of the look, of the words, or of both by the picture's share."""
    from search.engine.explain.picture import cells_read

    method = asked.method(explainer_of(engine, False), explainer_of(engine, True))
    count = masks_count(engine)
    if not count:
        return Heat(*cells_heat(asked, hit, engine, fine=True), method, method)
    parts = [
        [share * cells for cells in cells_read(explainer, hit.picture, target)]
        for explainer, target, share in _readings(asked, engine)
    ]
    cells, finer = (np.sum(of, axis=0, dtype=np.float32) for of in zip(*parts, strict=True))
    return Heat(cells, _masked(hit, similarity_of(asked, engine), finer, count), method, MASKS)


def query_heat(asked: Asked, side: "Side", engine: str) -> Floats:
    """(s, s) 0..1 over the picture asked with: what of it is like the part's view."""
    from search.engine.explain.picture import cells_read, picture_heat

    explainer, target = explainer_of(engine, False), asked.view_vector
    count = masks_count(engine)
    if not count:
        return picture_heat(explainer, side.picture, side.mask, target)[1]
    encoder = _encoder(engine)
    _, finer = cells_read(explainer, side.picture, target)
    return _masked(side, lambda pictures: encoder.pictures_embed(pictures) @ target, finer, count)


def cells_heat(
    asked: Asked, hit: "Side", engine: str, *, fine: bool = False
) -> tuple[Floats, Floats]:
    """The cells (g, g) alone, and heat (s, s) made of them; see `picture_heat`."""
    from search.engine.explain.picture import picture_heat

    cells, heat = 0.0, 0.0
    for explainer, target, share in _readings(asked, engine):
        own, spread = picture_heat(explainer, hit.picture, hit.mask, target, fine=fine)
        cells, heat = cells + share * own, heat + share * spread
    return np.asarray(cells, np.float32), np.asarray(heat, np.float32)


def _readings(asked: Asked, engine: str) -> list[tuple["Explainer", Floats, float]]:
    """By whom, towards what, and with which share a view is taken apart."""
    look, text = asked.look, asked.text
    if look is None or text is None:
        target = look if look is not None else text
        assert target is not None
        return [(explainer_of(engine, look is None), target, 1.0)]
    return [
        (explainer_of(engine, False), look, asked.alpha),
        (explainer_of(engine, True), text, 1 - asked.alpha),
    ]


def similarity_of(asked: Asked, engine: str) -> Similarity:
    """How near pictures are to what was asked."""
    look, text = asked.look, asked.text
    reader = _encoder(engine)
    if text is None:
        return lambda pictures: reader.pictures_embed(pictures) @ look
    if look is None:
        return lambda pictures: reader.pictures_embed_both(pictures)[1] @ text

    def both(pictures: NDArray[np.uint8]) -> Floats:
        seen, read = reader.pictures_embed_both(pictures)
        found: Floats = asked.alpha * (seen @ look) + (1 - asked.alpha) * (read @ text)
        return found

    return both


def masks_count(engine: str) -> int:
    """Masks that an explanation by this engine is measured with; 0 for none."""
    return int(settings.SEARCH.engines[engine].explain_masks)


def explainer_of(engine: str, words: bool) -> "Explainer":
    own_words = words and not encoders.is_joint(engine)
    return _explainer_on(_encoder(engine), own_words)


@lru_cache(maxsize=8)
def _explainer_on(encoder: Any, words: bool) -> "Explainer":
    from search.engine.explain.choose import explainer_make

    return explainer_make(encoder, words=words)


def _encoder(engine: str) -> Any:
    """This process's own, whoever encodes queries: maps and gradients do not travel. Where workers
    encode and it cannot be had here, theirs, of which only embeddings are known."""
    own = encoders.encoder(engine)
    return own if not is_remote() or _runs(own) else encoders.encoder(engine, query=True)


@lru_cache(maxsize=8)
def _runs(encoder: Any) -> bool:
    """Whether the network runs in this process: an image for the web has no torch."""
    from search.engine.errors import EncoderError

    try:
        if hasattr(encoder, "visual_use"):
            with encoder.visual_use():
                return True
        size = encoder.picture_size
        encoder.pictures_embed(np.zeros((1, size, size, 3), np.uint8))
    except EncoderError:
        return False
    return True


def _masked(side: "Side", similarity: Similarity, cells: Floats, count: int) -> Floats:
    from search.engine.explain.masks import masks_heat

    return masks_heat(side.picture, side.mask, similarity, known=[cells], count=count)
