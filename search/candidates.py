"""The parts worth a look, by every engine and the words, fused into one order.

A filter that lets too few of the first candidates through widens the search, so that k hits come
whenever k parts pass.
"""

import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from catalog.models import Part
from catalog.words import Match, only_numbers, parts_by_words
from search import encoders, engines, selectors
from search.encode import Encoded
from search.indices import index_current
from search.query import Query, alpha_of

if TYPE_CHECKING:
    from search.engine.index.types import Ranking

Vectors = NDArray[np.float32]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

# Each round of a filtered search looks this many times as far as the one before.
WIDEN = 8
ROUNDS = 3
# A filter that still hides too much is turned round: at most so many parts that pass are compared.
ALLOWED_MOST = 20_000
HEAD = 20  # an engine's best, by which its similarities are put on the scale of scores


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


@dataclass(frozen=True)
class Look:
    """What one engine found for one kind of query: a picture, words or a mesh.

    `found` are the parts it found by itself, best first; `first` and `last` the best and the
    HEADth similarity of those. `ranking` may compare parts that others found, too.
    """

    engine: str
    kind: str  # "image", "text" or "mesh"
    ranking: "Ranking"
    found: list[int]
    first: float
    last: float


@dataclass(frozen=True)
class Candidates:
    """What each engine and the words found, and their fusion: part ids, best first."""

    looks: list[Look]
    words: dict[int, Match]
    rankings: dict[str, list[int]]  # by engine, as each found them
    part_ids: list[int]
    scores: dict[int, float]


def candidates_find(
    query: Query, names: Sequence[str], encoded: Encoded, *, k: int, watch: Stopwatch
) -> tuple[Candidates, list[Part]]:
    """Search ever wider until k parts pass the filters or there are no more."""
    width = settings.SEARCH.search.candidate_k
    for turn in range(ROUNDS + 1):
        allowed = None
        if turn == ROUNDS:
            with watch.stage("hydrate"):
                allowed = selectors.parts_allowed(query.filters, most=ALLOWED_MOST)
        with watch.stage("search"):
            looks, matches = _search(query, names, encoded, width=width, allowed=allowed)
        with watch.stage("fuse"):
            found = _fuse(query, looks, matches)
        with watch.stage("hydrate"):
            parts = selectors.hits_hydrate(found.part_ids, query.filters, limit=k)
        if len(parts) == k or all(len(ranking) < width for ranking in found.rankings.values()):
            break
        width *= WIDEN
    return found, parts


def _search(
    query: Query,
    names: Sequence[str],
    encoded: Encoded,
    *,
    width: int,
    allowed: list[int] | None,
) -> tuple[list[Look], list[Match] | None]:
    """What each engine finds, and what the words do; None where words are not asked."""
    matches = None
    if engines.WORDS in names and query.text.strip():
        weight = settings.SEARCH.expansion.words_weight
        matches = parts_by_words(query.text, limit=width, also=encoded.also, also_weight=weight)
    seen = "mesh" if query.kind == "mesh" else "image"
    asked = [(name, seen, vectors) for name, vectors in encoded.vectors.items() if name in names]
    # A part number that is found says all there is to say: it has no shape to look for.
    if not (matches and only_numbers(query.text)):
        asked += [(name, "text", of) for name, of in encoded.words.items() if name in names]
    looks = [_look(*one, width=width, allowed=allowed) for one in asked]
    if query.kind in {"text", "hybrid"} and len(looks) + bool(matches) > 1:
        # Found by one, a part is compared by all: in a large catalogue the lists hardly meet.
        every = {match.part for match in matches or ()}.union(*(look.found for look in looks))
        looks = [
            replace(look, ranking=_ranking(*one, width=len(every), allowed=every))
            for look, one in zip(looks, asked, strict=True)
        ]
    return looks, matches


def _look(
    name: str, kind: str, vectors: Vectors, *, width: int, allowed: Collection[int] | None
) -> Look:
    ranking = _ranking(name, kind, vectors, width=width, allowed=allowed)
    head = ranking.similarities[:HEAD]
    first, last = (float(head[0]), float(head[-1])) if len(head) else (0.0, 0.0)
    return Look(name, kind, ranking, ranking.part_ids.tolist(), first, last)


def _ranking(
    name: str, kind: str, vectors: Vectors, *, width: int, allowed: Collection[int] | None
) -> "Ranking":
    space = encoders.words_space(name) if kind == "text" else encoders.space(name)
    return index_current(space).search(
        vectors,
        k=width,
        # A photo and its variants are one look each: the best one counts. The views of a
        # mesh are all of it: each finds its own best view, and their mean counts.
        query_pooling="mean" if kind == "mesh" else "max",
        allowed=None if allowed is None else np.fromiter(allowed, np.int64, len(allowed)),
    )


# Fusion -----------------------------------------------------------------------------------------


def _fuse(query: Query, looks: list[Look], matches: list[Match] | None) -> Candidates:
    """One order of all. A mesh's by its similarities, pictures' by places, words' by scores."""
    rankings: dict[str, list[int]] = {}
    for look in looks:
        # Of an engine that saw a picture and read words, the picture's is the one shown.
        rankings.setdefault(look.engine, look.found)
    words = {match.part: match for match in matches or ()}
    if matches is not None:
        rankings[engines.WORDS] = list(words)
    if len(looks) == 1 and not words:
        # One ranking has its own score, which says more than a place in a list.
        ids, scores = looks[0].ranking.part_ids, looks[0].ranking.similarities
    elif query.kind in {"text", "hybrid"}:
        ids, scores = _scores_joined(query, looks, words)
    else:
        ids, scores = _looks_joined(query, looks)
    fused = dict(zip(ids.tolist(), scores.tolist(), strict=True))
    return Candidates(looks, words, rankings, list(fused), fused)


def _looks_joined(query: Query, looks: list[Look]) -> tuple[Ints, Floats]:
    """Several engines' answers to the same mesh, or to the same picture."""
    from search.engine.fusion import rankings_fuse, scores_fuse

    search = settings.SEARCH.search
    if query.kind == "mesh":
        weights = {look.engine: search.mesh_weights.get(look.engine, 1.0) for look in looks}
        found = {look.engine: (look.ranking.part_ids, look.ranking.similarities) for look in looks}
        return scores_fuse(found, weights)
    weights = {look.engine: search.fusion_weights.get(look.engine, 1.0) for look in looks}
    places = {look.engine: look.ranking.part_ids for look in looks}
    return rankings_fuse(places, weights, c=search.rrf_constant)


def _scores_joined(query: Query, looks: list[Look], words: dict[int, Match]) -> tuple[Ints, Floats]:
    """Words that match, the engines' view of the words, and of a picture when there is one.

    On the scale of scores: a short name found whole is 1, and so is an engine's best beside a
    picture. Where words are all there is, an engine's best is its strength: what it hardly knows
    must not outweigh a name.
    """
    from search.engine.fusion import scores_add, similarities_scale

    weights = _weights(looks, alpha_of(query))
    columns = {
        (look.engine, look.kind): (
            look.ranking.part_ids,
            similarities_scale(look.ranking.similarities, first=look.first, last=look.last)
            * (encoders.strength(look.engine, "text", look.first) if query.kind == "text" else 1.0),
        )
        for look in looks
    }
    columns[engines.WORDS, "text"] = (
        np.array(list(words), np.int64),
        np.array([match.score for match in words.values()], np.float64),
    )
    return scores_add(columns, weights)


def _weights(looks: list[Look], alpha: float) -> dict[tuple[str, str], float]:
    """Of each look and of the words. Pictures share alpha; the heaviest reader has 1 - alpha."""
    search = settings.SEARCH.search
    seeing = {
        look.engine: search.fusion_weights.get(look.engine, 1.0)
        for look in looks
        if look.kind == "image"
    }
    reading = {
        look.engine: search.text_weights.get(look.engine, 1.0) for look in looks if _reads(look)
    }
    every = sum(seeing.values()) or 1.0
    most = max(reading.values(), default=1.0) or 1.0
    of_words = search.text_weights.get(engines.WORDS, 1.0)
    weights = {(engines.WORDS, "text"): (1 - alpha) * of_words / most}
    for look in looks:
        weight = alpha * seeing[look.engine] / every if look.kind == "image" else 0.0
        if _reads(look):
            weight += (1 - alpha) * reading[look.engine] / most
        weights[look.engine, look.kind] = weight
    return weights


def _reads(look: Look) -> bool:
    """Whether words were asked: in an engine of one space the picture's query holds them."""
    return look.kind == "text" or encoders.is_joint(look.engine)
