"""Why a part answers a query: heat over both pictures, pairs of places, facts that agree or differ.

`explain_run` looks at one query and one part again, as the search did, and takes the similarity
apart. What it finds, the picture shown beside it too, is kept in the cache for minutes, by the
content it was found of; the sentences are made anew for each reader (`facts.py`). Nothing
of a query is stored anywhere else.
"""

import base64
import hashlib
import io
import math
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from django.conf import settings
from django.core.cache import cache
from django.core.files import File
from numpy.typing import NDArray
from PIL import Image

from catalog.errors import ServiceError
from catalog.models import Part
from search import embeddings, encoders, engines
from search.encode import text_encode
from search.explanation.heat import (
    cells_heat,
    explainer_of,
    hit_heat,
    masks_count,
    query_heat,
    similarity_of,
)
from search.explanation.sides import Asked, asked_read, picture_size, views_draw
from search.feedback import Marks, marks_read
from search.query import Query, alpha_of, text_checked, wordings

if TYPE_CHECKING:
    from search.engine.explain.sides import Side

# Raised when the same query and part are explained otherwise: what is kept is then not found.
RECIPE = 3
# Seconds for which an explanation is kept: a query's picture is in it, and is its asker's alone.
KEPT = 600
WORDS_MOST = 10  # words of a query that are left out in turn
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Explained:
    """One explanation. `found` is what was measured, as it is kept; `part` is the hit."""

    part: Part
    query: Query
    like: Part | None
    engine: str
    found: dict[str, Any]
    took_ms: float


def explain_run(
    query: Query, part: Part, *, like: Part | None = None, faithful: bool = False
) -> Explained:
    """Why `part` answers `query`, or is like the part `like`. Raises `ServiceError`."""
    start = time.perf_counter()
    engine, marks = _checked(query, part, like)
    key = _key(query, part, like, engine, marks, faithful)
    found = cache.get(key)
    if found is None:
        with engines.engine_errors():
            asked = asked_read(query, part, like, engine, marks)
            found = _explain(query, part, asked, engine, faithful=faithful)
        _keep(key, found)
    took = (time.perf_counter() - start) * 1000
    return Explained(part, query, like, engine, found, round(took, 2))


def surface_run(query: Query, part: Part, *, like: Part | None = None) -> bytes:
    """The heat of the cells on the whole part, from all its views, packed for the viewer."""
    from search.engine.explain.surface import (
        heat_bytes,
        lattice_sizes,
        surface_heat,
        surface_pack,
    )

    engine, marks = _checked(query, part, like)
    key = _key(query, part, like, engine, marks, False) + ":surface"
    if (kept := cache.get(key)) is not None:
        return kept
    with engines.engine_errors():
        asked = asked_read(query, part, like, engine, marks)
        drawn = views_draw(part, size=picture_size(engine))
        heats = np.stack([cells_heat(asked, side, engine)[1] for side in drawn.sides()])
        sizes = lattice_sizes(drawn.triangles)
        heat = surface_heat(drawn.triangles, sizes, drawn.views, heats)
        packed = surface_pack(sizes, heat_bytes(heat))
    _keep(key, packed)
    return packed


def _checked(query: Query, part: Part, like: Part | None) -> tuple[str, Marks]:
    """The engine that explains, and the marks. Refusals that need no encoding are made here,
    before what is kept is looked for."""
    reads = like is None and query.kind in ("text", "hybrid") and not query.image
    engine = engine_explained(query.engine, reads=reads)
    part_checked(part, engine)
    if like is not None:
        part_checked(like, engine)
    else:
        text_checked(query)
        alpha_of(query)
    return engine, marks_read(query.more, query.less)


def engine_explained(engine: str, *, reads: bool = False) -> str:
    """The engine whose looks are explained: the asked one, or the first that looks, of a query
    of words alone (`reads`) the first that knows words."""
    looking = [name for name in engines.in_use() if not engines.is_shape(name)]
    if engine in ("", engines.FUSION) and looking:
        reading = [name for name in looking if name in engines.engine_names("text")]
        return (reading or looking)[0] if reads else looking[0]
    if engine not in looking:
        known = ", ".join([engines.FUSION, *looking])
        raise ServiceError("explain_engine", engine=engine[:40], known=known)
    return engine


def part_checked(part: Part, engine: str) -> None:
    """The part can be looked at: ready, drawn, and embedded in the engine's space."""
    if part.deleted_at is not None:
        raise ServiceError("part_unknown", status=404)
    if part.status != Part.Status.READY or not part.preview:
        raise ServiceError("part_not_ready", status=409)
    with engines.engine_errors():
        space = encoders.space(engine).key
    if embeddings.embeddings_read(part.pk, space) is None:
        raise ServiceError("part_not_embedded", status=409, engine=engine)


# Looking -----------------------------------------------------------------------------------------


def _explain(
    query: Query, part: Part, asked: Asked, engine: str, *, faithful: bool
) -> dict[str, Any]:
    drawn = views_draw(part, size=picture_size(engine), only=asked.view)
    (hit,) = drawn.sides()
    heat = hit_heat(asked, hit, engine)
    found: dict[str, Any] = {
        "method": heat.method,
        "heat_method": heat.shown_by,
        "masks": masks_count(engine),
        "target": asked.kind,
        "similarity": asked.similarity,
        "alone": asked.alone,
        "view": asked.view,
        "cells": _rounded(heat.cells),
        "warmth": _warmth(heat.shown, hit),
        "hit_heat": _overlay(heat.shown, hit.mask),
        "query_picture": "",
        "query_heat": "",
        "pairs": [],
        "outline": None,
        "words": _words(query, asked, engine),
        "query_facts": asked.facts,
        "faithfulness": _faithfulness(asked, hit, heat.shown, engine) if faithful else None,
    }
    if asked.side is not None:
        found |= _query_side(asked, asked.side, hit, engine)
    return found


def _query_side(asked: Asked, side: "Side", hit: "Side", engine: str) -> dict[str, Any]:
    """The heat over what was asked, the places that match, and the two outlines."""
    from search.engine.explain.fine import fine_read
    from search.engine.explain.pairs import pairs_find
    from search.engine.explain.picture import QUICK
    from search.engine.explain.sides import outline_measure, outlines_overlap

    explainer = explainer_of(engine, False)
    heat = query_heat(asked, side, engine)
    shown = _png(asked.shown if asked.shown is not None else side.picture)
    pairs = []
    if hasattr(explainer, "patches"):
        pictures = np.stack([side.picture, hit.picture])
        quick = explainer.method in QUICK
        both = fine_read(pictures, explainer.patches) if quick else explainer.patches(pictures)
        pairs = pairs_find(both[0], both[1], side.mask, hit.mask)
    first, second = outline_measure(side.mask), outline_measure(hit.mask)
    return {
        "query_picture": shown,
        "query_heat": _overlay(side.upright(heat), side.upright(side.mask) > 0),
        "pairs": [
            [round(v, 4) for v in (*side.place_upright(p.x, p.y), p.u, p.v, p.similarity)]
            for p in pairs
        ],
        "outline": {
            "query": asdict(first),
            "hit": asdict(second),
            "overlap": outlines_overlap(side.mask, hit.mask),
        },
    }


def _rounded(cells: Floats) -> list[list[float]]:
    """Six places of the largest: gradients may be small throughout."""
    largest = float(np.abs(cells).max())
    places = 6 - math.floor(math.log10(largest)) if largest else 6
    rounded: list[list[float]] = np.round(cells.astype(float), max(places, 6)).tolist()
    return rounded


def _warmth(heat: Floats, side: "Side") -> dict[str, float]:
    from search.engine.explain.sides import warmth_measure

    return asdict(warmth_measure(heat, side.mask)) if side.mask.any() else {}


def _faithfulness(asked: Asked, hit: "Side", heat: Floats, engine: str) -> dict[str, float]:
    from search.engine.explain.faith import faithfulness

    (found,) = faithfulness(hit.picture, heat[None], hit.mask, similarity_of(asked, engine))
    return {name: round(value, 4) for name, value in asdict(found).items()}


def _words(query: Query, asked: Asked, engine: str) -> list[dict[str, Any]]:
    """Each word of the query with what the text's similarity loses without it, wherever it stands,
    the costliest first. Other wordings say the word again, so only the user's own are compared."""
    from search.expand import words_split
    from search.glossary import glossary_current

    text, target = query.text.strip(), asked.part_words
    places: dict[str, list[tuple[int, int]]] = {}
    for start, end in words_split(text, glossary_current()):
        places.setdefault(text[start:end].casefold(), []).append((start, end))
    if target is None or len(places) < 2:
        return []
    whole = float(text_encode(text, [engine])[engine][0] @ target)
    found = []
    for of in list(places.values())[:WORDS_MOST]:
        rest = text
        for start, end in reversed(of):
            rest = rest[:start] + rest[end:]
        without = float(text_encode(rest.strip(), [engine])[engine][0] @ target)
        found.append({
            "word": text[slice(*of[0])], "whole": round(whole, 4), "without": round(without, 4),
        })  # fmt: skip
    return sorted(found, key=lambda one: one["without"])


# Keeping -----------------------------------------------------------------------------------------


def _key(
    query: Query, part: Part, like: Part | None, engine: str, marks: Marks, faithful: bool
) -> str:
    """Names what was asked of what, and of which weights, pictures and wordings."""
    digest = hashlib.sha256()
    text = query.text.strip() if query.kind in ("text", "hybrid") else ""
    also = wordings(query) if text else []
    for piece in (
        query.kind, text, repr(query.crop), repr(alpha_of(query)), repr(also), repr(faithful),
        part.sha256, part.preview.name, like.sha256 if like else "",
        encoders.space(engine).key, repr(encoders.words_space(engine)),
        repr(settings.SEARCH.render), repr(masks_count(engine)),
        *(f"{how} {of.sha256}" for how in ("more", "less") for of in getattr(marks, how)),
        repr(settings.SEARCH.feedback) if marks else "",
    ):  # fmt: skip
        digest.update(piece.encode() + b"\0")
    digest.update(query.image or b"")
    if query.mesh is not None:
        _file_digest(query.mesh, digest)
    return f"explain:{RECIPE}:{digest.hexdigest()}"


def _keep(key: str, value: Any) -> None:
    if seconds := min(settings.SEARCH.search.cache_seconds, KEPT):
        cache.set(key, value, seconds)


def _file_digest(file: File, digest: Any) -> None:
    file.seek(0)
    for chunk in file.chunks(1024 * 1024):
        digest.update(chunk)
    file.seek(0)


def _overlay(heat: Floats, mask: NDArray[np.bool_]) -> str:
    from search.engine.explain.spread import heat_overlay

    return _png(heat_overlay(heat, mask))


def _png(picture: NDArray[np.uint8]) -> str:
    """(h, w, 3 or 4) as a data URI: nothing of a query is written where others could find it."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode("ascii")
