"""The parts worth a look, by every engine and the words, fused into one order.

A filter that lets too few of the first candidates through widens the search, so that k hits come
whenever k parts pass.
"""

import time
from collections.abc import Collection, Iterable, Iterator, Sequence
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
from search.feedback import NO_MARKS, Marks, encoded_move
from search.indices import index_current
from search.joining import looks_fuse
from search.query import Query

if TYPE_CHECKING:
    from search.engine.fusion import Fused
    from search.engine.index.types import Ranking

Vectors = NDArray[np.float32]

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
            ms = (time.perf_counter() - start) * 1000
            self.took_ms[name] = self.took_ms.get(name, 0.0) + ms

    def read(self) -> dict[str, float]:
        return {name: round(ms, 2) for name, ms in self.took_ms.items()}


@dataclass(frozen=True)
class Look:
    """What one engine found for one kind of query: a picture, words or a mesh.

    `found` are the parts it found by itself, best first; `first` and `last` the best and the
    HEADth similarity of those. `ranking` may compare parts that others found, too; `plain` has the
    similarities to what was asked, where marks moved the query.
    """

    engine: str
    kind: str  # "image", "text" or "mesh"
    ranking: "Ranking"
    found: list[int]
    first: float
    last: float
    plain: "Ranking | None" = None

    @property
    def shown(self) -> "Ranking":
        """The similarities that people see."""
        return self.ranking if self.plain is None else self.plain


@dataclass(frozen=True)
class Asked:
    """A query as the engines are asked it, and parts that are not to be found."""

    query: Query
    names: Sequence[str]
    encoded: Encoded
    exclude: Collection[int]
    moved: bool  # by parts that it is more like


@dataclass(frozen=True)
class Candidates:
    """What each engine and the words found, and their fusion."""

    looks: list[Look]
    words: dict[int, Match]
    rankings: dict[str, list[int]]  # by engine, as each found them
    fused: "Fused"

    def scores(self, part_ids: Iterable[int]) -> dict[int, tuple[float, dict[str, float]]]:
        """Of these parts, the score and the share in it of each ranking that counted."""
        places = {part: place for place, part in enumerate(self.fused.part_ids.tolist())}
        return {
            part: (
                float(self.fused.scores[places[part]]),
                {name: float(of[places[part]]) for name, of in self.fused.shares.items()},
            )
            for part in part_ids
        }


def candidates_find(
    query: Query,
    names: Sequence[str],
    encoded: Encoded,
    *,
    k: int,
    watch: Stopwatch,
    marks: Marks = NO_MARKS,
    exclude: Collection[int] = (),
) -> tuple[Candidates, list[Part]]:
    """Search ever wider until k parts pass the filters or there are no more.

    `marks` move the query; what is marked as less like it, and what is excluded, is not found.
    """
    width = settings.SEARCH.search.candidate_k
    moved = encoded_move(encoded, marks)
    asked = Asked(query, names, moved, {*marks.less_ids, *exclude}, bool(marks.more))
    parts: list[Part] = []
    for turn in range(ROUNDS + 1):
        allowed: set[int] | None = None
        if turn == ROUNDS:
            with watch.stage("hydrate"):
                passing = selectors.parts_allowed(query.filters, most=ALLOWED_MOST)
            # The nearest of them are known by now, and may be beyond so many.
            allowed = {*passing, *(part.pk for part in parts)}
        with watch.stage("search"):
            looks, matches = _search(asked, width=width, allowed=allowed)
        with watch.stage("fuse"):
            found = _candidates(query, looks, matches)
        with watch.stage("hydrate"):
            part_ids = found.fused.part_ids.tolist()
            parts = selectors.hits_hydrate(part_ids, query.filters, limit=k)
        if len(parts) == k or all(len(ranking) < width for ranking in found.rankings.values()):
            break
        width *= WIDEN
    if marks:
        with watch.stage("search"):
            looks = [_look_plain(look, encoded, parts) for look in found.looks]
        found = replace(found, looks=looks)
    return found, parts


def _search(
    asked: Asked, *, width: int, allowed: Collection[int] | None
) -> tuple[list[Look], list[Match] | None]:
    """What each engine finds, and what the words do; None where words are not asked."""
    query, names, encoded, exclude = asked.query, asked.names, asked.encoded, asked.exclude
    matches = None
    if engines.WORDS in names and query.text.strip():
        weight = settings.SEARCH.expansion.words_weight
        matches = parts_by_words(
            query.text, limit=width + len(exclude), also=encoded.also, also_weight=weight
        )
        matches = [match for match in matches if match.part not in exclude][:width]
    seen = "mesh" if query.kind == "mesh" else "image"
    spaces = [(name, seen, vectors) for name, vectors in encoded.vectors.items() if name in names]
    # A part number that is found says all there is to say: it has no shape to look for.
    if asked.moved or not (matches and only_numbers(query.text)):
        spaces += [(name, "text", of) for name, of in encoded.words.items() if name in names]
    looks = [_look(*one, width=width, allowed=allowed, exclude=exclude) for one in spaces]
    if query.kind in {"text", "hybrid"} and len(looks) + bool(matches) > 1:
        # Found by one, a part is compared by all: in a large catalogue the lists hardly meet.
        every = {match.part for match in matches or ()}.union(*(look.found for look in looks))
        looks = [
            replace(look, ranking=_ranking(*one, width=len(every) or 1, allowed=every))
            for look, one in zip(looks, spaces, strict=True)
        ]
    return looks, matches


def _look(
    name: str,
    kind: str,
    vectors: Vectors,
    *,
    width: int,
    allowed: Collection[int] | None,
    exclude: Collection[int],
) -> Look:
    ranking = _ranking(name, kind, vectors, width=width, allowed=allowed, exclude=exclude)
    head = ranking.similarities[:HEAD]
    first, last = (float(head[0]), float(head[-1])) if len(head) else (0.0, 0.0)
    return Look(name, kind, ranking, ranking.part_ids.tolist(), first, last)


def _look_plain(look: Look, encoded: Encoded, parts: list[Part]) -> Look:
    """The look with the parts' similarities to the query as it was before marks moved it.

    A strength is calibrated for what people ask; to a moved query everything is nearer.
    """
    if not parts:
        return look
    vectors = (encoded.words if look.kind == "text" else encoded.vectors)[look.engine]
    among = [part.pk for part in parts]
    plain = _ranking(look.engine, look.kind, vectors, width=len(among), allowed=among)
    return replace(look, plain=plain)


def _ranking(
    name: str,
    kind: str,
    vectors: Vectors,
    *,
    width: int,
    allowed: Collection[int] | None,
    exclude: Collection[int] = (),
) -> "Ranking":
    space = encoders.words_space(name) if kind == "text" else encoders.space(name)
    return index_current(space).search(
        vectors,
        k=width,
        # A photo and its variants are one look each: the best one counts. The views of a
        # mesh are all of it: each finds its own best view, and their mean counts.
        query_pooling="mean" if kind == "mesh" else "max",
        allowed=None if allowed is None else np.fromiter(allowed, np.int64, len(allowed)),
        exclude=exclude or None,
    )


def _candidates(query: Query, looks: list[Look], matches: list[Match] | None) -> Candidates:
    rankings: dict[str, list[int]] = {}
    for look in looks:
        # Of an engine that saw a picture and read words, the picture's is the one shown.
        rankings.setdefault(look.engine, look.found)
    words = {match.part: match for match in matches or ()}
    if matches is not None:
        rankings[engines.WORDS] = list(words)
    return Candidates(looks, words, rankings, looks_fuse(query, looks, words))
