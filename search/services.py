"""One query from what was asked to hits: `search_run` calls every stage, and times each.

encode -> search (each space's index, the words) -> fuse -> hydrate. A filter that lets too few of
the first candidates through widens the search, so that k hits come whenever k parts pass.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from django.conf import settings
from django.core.files import File

from catalog.errors import ServiceError
from catalog.models import Part
from catalog.words import parts_by_words
from search import engines, selectors
from search.encode import Encoded, PhotoCut, mesh_encode, photo_encode
from search.indices import index_current
from search.selectors import Filters

if TYPE_CHECKING:
    from search.engine.index.types import Ranking
    from search.engine.shape.relation import Relation

# Each round of a filtered search looks this many times as far as the one before.
WIDEN = 8
ROUNDS = 3
# A filter that still hides too much is turned round: at most so many parts that pass are compared.
ALLOWED_MOST = 20_000
RELATIONS = ("same", "scaled", "mirrored", "similar")


@dataclass(frozen=True)
class Query:
    """What is asked. `crop` is (left, top, right, bottom) in fractions of the upright picture."""

    kind: str  # "image", "text", "hybrid" or "mesh"
    image: bytes | None = None
    text: str = ""
    mesh: File | None = None
    k: int | None = None
    engine: str = ""
    filters: Filters = Filters()
    alpha: float | None = None  # hybrid: the picture's share
    crop: tuple[float, float, float, float] | None = None
    show_cut: bool = False  # a page wants to see what was cut out


@dataclass(frozen=True)
class Hit:
    """One part of an answer. `similarity` is a cosine, None where only words were compared."""

    part: Part
    rank: int
    score: float
    similarity: float | None
    best_view: int | None
    thumbnail_url: str
    view_url: str
    rankings: Mapping[str, int]  # engine -> the part's rank there
    relation: "Relation | None" = None
    weak: bool = False

    @property
    def percent(self) -> int:
        """The similarity as a bar shows it."""
        return round(100 * min(1.0, max(0.0, self.similarity or 0.0)))


@dataclass(frozen=True)
class Answer:
    results: list[Hit]
    took_ms: dict[str, float]
    engine: str
    photo: PhotoCut | None = None
    weak: bool = False  # none of the hits is close


@dataclass
class Stopwatch:
    """Milliseconds spent in each stage."""

    took_ms: dict[str, float] = field(
        default_factory=lambda: dict.fromkeys(("encode", "search", "fuse", "hydrate", "total"), 0.0)
    )

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self.took_ms[name] += (time.perf_counter() - start) * 1000

    def read(self) -> dict[str, float]:
        return {name: round(ms, 2) for name, ms in self.took_ms.items()}


def search_run(query: Query) -> Answer:
    """The parts that answer the query best. Raises `ServiceError` for what cannot be asked."""
    k = k_checked(query.k)
    names = engines.engines_chosen(query.kind, query.engine)
    watch = Stopwatch()
    with watch.stage("total"):
        with watch.stage("encode"):
            encoded = _encode(query, names)
        found, parts = candidates_find(query, names, encoded, k=k, watch=watch)
        with watch.stage("hydrate"):
            hits = hits_make(parts, found, encoded.invariants)
    engine = names[0] if len(names) == 1 else engines.FUSION
    weak = bool(hits) and all(hit.weak for hit in hits)
    return Answer(hits, watch.read(), engine, encoded.photo, weak)


def k_checked(k: int | None) -> int:
    """How many hits to give; the default when nothing is asked, a refusal when too many are."""
    search = settings.SEARCH.search
    if k is None:
        return search.default_k
    if not 1 <= k <= search.max_k:
        raise ServiceError("k_out_of_range", k=k, most=search.max_k)
    return k


def _encode(query: Query, names: list[str]) -> Encoded:
    """Vectors for the engines that need them, after checking that the query holds what it must."""
    text = query.text.strip()
    most = settings.SEARCH.limits.text_characters
    if query.kind in {"text", "hybrid"}:
        if len(text) > most:
            raise ServiceError("text_too_long", length=len(text), most=most)
        if not text and query.kind == "text":
            raise ServiceError("text_missing")
    if query.kind == "mesh":
        if query.mesh is None:
            raise ServiceError("file_missing")
        return mesh_encode(query.mesh, names)
    if query.kind in {"image", "hybrid"} and not query.image:
        if query.image is None and text:
            return Encoded({})  # a hybrid query of words alone
        raise ServiceError("image_missing" if query.image is None else "empty_file")
    if query.image:
        looking = [name for name in names if name != engines.WORDS]
        return photo_encode(query.image, looking, crop=query.crop, show=query.show_cut)
    return Encoded({})


@dataclass(frozen=True)
class Candidates:
    """Rankings of part ids by engine, and their fusion, best first."""

    rankings: dict[str, list[int]]
    details: dict[str, "Ranking"]
    part_ids: list[int]
    scores: dict[int, float]


def candidates_find(
    query: Query, names: list[str], encoded: Encoded, *, k: int, watch: Stopwatch
) -> tuple[Candidates, list[Part]]:
    """Search ever wider until k parts pass the filters or there are no more."""
    width = settings.SEARCH.search.candidate_k
    for turn in range(ROUNDS + 1):
        allowed = None
        if turn == ROUNDS:
            with watch.stage("hydrate"):
                allowed = selectors.parts_allowed(query.filters, most=ALLOWED_MOST)
        with watch.stage("search"):
            rankings, details = rankings_find(query, names, encoded, width=width, allowed=allowed)
        with watch.stage("fuse"):
            found = rankings_combine(query, rankings, details)
        with watch.stage("hydrate"):
            parts = selectors.hits_hydrate(found.part_ids, query.filters, limit=k)
        if len(parts) == k or all(len(ranking) < width for ranking in rankings.values()):
            break
        width *= WIDEN
    return found, parts


def rankings_find(
    query: Query, names: list[str], encoded: Encoded, *, width: int, allowed: list[int] | None
) -> tuple[dict[str, list[int]], dict[str, "Ranking"]]:
    rankings: dict[str, list[int]] = {}
    details: dict[str, Ranking] = {}
    for name in names:
        if name == engines.WORDS:
            if query.text.strip():
                matches = parts_by_words(query.text, limit=width)
                rankings[name] = [part for part, _score in matches]
            continue
        if name not in encoded.vectors:
            continue
        details[name] = index_current(engines.space(name)).search(
            encoded.vectors[name],
            k=width,
            # A photo and its variants are one look each: the best one counts. The views of a
            # mesh are all of it: each finds its own best view, and their mean counts.
            query_pooling="mean" if query.kind == "mesh" else "max",
            allowed=None if allowed is None else np.array(allowed, np.int64),
        )
        rankings[name] = details[name].part_ids.tolist()
    return rankings, details


def rankings_combine(
    query: Query, rankings: dict[str, list[int]], details: dict[str, "Ranking"]
) -> Candidates:
    """One ranking of all. A mesh's by its similarities, the others' by their places."""
    from search.engine.fusion import rankings_fuse, scores_fuse

    search = settings.SEARCH.search
    if len(rankings) == 1 and details:
        # One ranking has its own score, which says more than a place in a list.
        (ranking,) = details.values()
        ids, fused = ranking.part_ids, ranking.similarities
    elif query.kind == "mesh":
        weights = {name: search.mesh_weights.get(name, 1.0) for name in details}
        found = {name: (of.part_ids, of.similarities) for name, of in details.items()}
        ids, fused = scores_fuse(found, weights)
    else:
        arrays = {name: np.array(of, np.int64) for name, of in rankings.items()}
        ids, fused = rankings_fuse(arrays, _weights(query, rankings), c=search.rrf_constant)
    scores = dict(zip(ids.tolist(), fused.tolist(), strict=True))
    return Candidates(rankings, details, list(scores), scores)


def _weights(query: Query, rankings: Mapping[str, Any]) -> dict[str, float]:
    """Each ranking's weight: configured ones, or in a hybrid query alpha for what looks."""
    search = settings.SEARCH.search
    if query.kind != "hybrid":
        return {name: search.fusion_weights.get(name, 1.0) for name in rankings}
    alpha = search.hybrid_alpha if query.alpha is None else query.alpha
    if not 0 <= alpha <= 1:
        raise ServiceError("alpha_out_of_range", alpha=alpha)
    return {name: 1 - alpha if name == engines.WORDS else alpha for name in rankings}


def hits_make(parts: list[Part], found: Candidates, invariants: dict[str, Any] | None) -> list[Hit]:
    ranks = {
        name: {part: rank for rank, part in enumerate(ids, 1)}
        for name, ids in found.rankings.items()
    }
    # The first engine that looks gives the similarity and the view people see.
    looks = next(iter(found.details.values()), None)
    places = {} if looks is None else {p: i for i, p in enumerate(looks.part_ids.tolist())}
    best = {part.pk: int(looks.best_views[places[part.pk]]) for part in parts if part.pk in places}
    views = selectors.view_images(best)
    threshold = settings.SEARCH.search.similarity_threshold
    hits = []
    for rank, part in enumerate(parts, 1):
        place = places.get(part.pk)
        similarity = None if place is None else float(looks.similarities[place])
        view = views.get(part.pk)
        by_words = part.pk in ranks.get(engines.WORDS, ())
        hits.append(
            Hit(
                part=part,
                rank=rank,
                score=found.scores[part.pk],
                similarity=similarity,
                best_view=best.get(part.pk),
                thumbnail_url=part.thumbnail.url if part.thumbnail else "",
                view_url=view.image.url if view else "",
                rankings={n: of[part.pk] for n, of in ranks.items() if part.pk in of},
                relation=_relation(invariants, part),
                weak=not by_words and (similarity is None or similarity < threshold),
            )
        )
    return _closest_first(hits)


def _closest_first(hits: list[Hit]) -> list[Hit]:
    """What is exactly the part comes before its mirror image, and both before what is similar."""
    order = [RELATIONS.index(hit.relation.kind) if hit.relation else 0 for hit in hits]
    if order == sorted(order):
        return hits
    places = sorted(range(len(hits)), key=order.__getitem__)
    return [replace(hits[place], rank=rank) for rank, place in enumerate(places, 1)]


def _relation(invariants: dict[str, Any] | None, part: Part) -> "Relation | None":
    from search.engine.shape.invariants import Invariants
    from search.engine.shape.relation import relation_decide

    if invariants is None or not part.invariants:
        return None
    return relation_decide(Invariants.from_json(invariants), Invariants.from_json(part.invariants))
