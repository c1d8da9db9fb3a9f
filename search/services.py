"""One query from what was asked to hits: `search_run` calls every stage, and times each.

encode -> search (each space's index, the words) -> fuse -> hydrate.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from django.conf import settings

from catalog.errors import ServiceError, sentence
from catalog.models import Part
from search import encoders, engines, selectors, verifying
from search.candidates import Candidates, Look, Stopwatch, candidates_find
from search.encode import Encoded, PhotoCut
from search.feedback import NO_MARKS, Marks, marks_read
from search.lifecycle import selection
from search.lifecycle.selection import selection_pinned
from search.query import Query, k_checked, query_encode

if TYPE_CHECKING:
    from search.engine.shape.relation import Relation

RELATIONS = ("same", "scaled", "mirrored", "similar")
# Of a query's words, so many must be found for the match not to be called weak.
WORDS_SHARE = 0.5


@dataclass(frozen=True)
class Said:
    """What one ranking said of a part: its rank there, and its share (0..1) of the score.

    The rank is None where the ranking did not find the part by itself; similarity and strength
    are None of words, and of what the engine did not compare.
    """

    label: str
    place: int  # among the rankings that were asked, for one colour in all cards
    share: float
    rank: int | None = None
    similarity: float | None = None
    strength: float | None = None


@dataclass(frozen=True)
class Hit:
    """One part of an answer.

    `similarity` is a cosine and `strength` what it is worth, 0..1, of the first engine; both None
    where only words were compared. `by_engine` says what each ranking said of it.
    """

    part: Part
    rank: int
    score: float
    similarity: float | None
    strength: float | None
    best_view: int | None
    thumbnail_url: str
    view_url: str
    by_engine: Mapping[str, "Said"]  # engine or "words" -> what it said of the part
    relation: "Relation | None" = None
    by_words: bool = False  # its words say what was asked
    marked: bool = False  # as more like what is looked for
    weak: bool = False
    # Laid over the photo: how well its outline covers the piece, 0..1, and a picture of it.
    fit: float | None = None
    outline: str = ""

    @property
    def shows_strength(self) -> bool:
        """Whether a bar says something of it: not of what only its words found."""
        if self.strength is None:
            return False
        return not self.by_words or self.strength >= settings.SEARCH.search.similarity_threshold

    @property
    def several(self) -> list["Said"]:
        """The rankings that the score is made of, when more than one spoke of the part."""
        made = [said for said in self.by_engine.values() if said.share]
        return made if len(self.by_engine) > 1 else []

    @property
    def fit_percent(self) -> int:
        return round(100 * (self.fit or 0.0))

    @property
    def percent(self) -> int:
        """The strength as a bar shows it."""
        return round(100 * (self.strength or 0.0))


@dataclass(frozen=True)
class Answer:
    results: list[Hit]
    took_ms: dict[str, float]
    engine: str
    photo: PhotoCut | None = None
    weak: bool = False  # none of the hits is close
    expanded: list[str] = field(default_factory=list)  # the other words it was asked in
    # Engines of a fusion that could not answer, and why; the others did.
    engines_failed: Mapping[str, str] = field(default_factory=dict)
    marks: Marks = NO_MARKS
    verified: bool = False  # in the order of how they fit the picture
    unverified: str = ""  # the code of why not, where that was asked for

    @property
    def unverified_why(self) -> str:
        return sentence(self.unverified, {}) if self.unverified else ""

    @property
    def failures(self) -> list[tuple[str, str]]:
        """The labels of the engines that could not answer, and why."""
        return [(engines.label(name), why) for name, why in self.engines_failed.items()]


@selection_pinned()
def search_run(query: Query, *, names: list[str] | None = None) -> Answer:
    """The parts that answer the query best. Raises `ServiceError` for what cannot be asked.

    `names`: by these rankings, in use or not, and any k; for whoever measures them.
    """
    k = k_checked(query.k, free=names is not None)
    verify = names is None and verifying.is_wanted(query)
    marks = marks_read(query.more, query.less)
    measured = names is not None
    if names is None:
        engine, names = engines.engines_chosen(query.kind, query.engine)
    else:
        engine = names[0] if len(names) == 1 else engines.FUSION
    watch = Stopwatch()
    with watch.stage("total"):
        with watch.stage("encode"):
            needed = measured or engine != engines.FUSION
            encoded, failed = encode_left(query, names, needed=needed, hold=verify)
            names = [name for name in names if name not in failed]
        most = verifying.hits_most(k) if verify else k
        found, parts = candidates_find(query, names, encoded, k=most, watch=watch, marks=marks)
        with watch.stage("hydrate"):
            hits = hits_marked(hits_make(parts, found, encoded.invariants), marks)
        why_not = ""
        if verify:
            engine_seen = found.looks[0].engine if found.looks else ""
            with watch.stage("verify"):
                hits, why_not = verifying.hits_verify(
                    hits, encoded, k=k, engine=engine_seen, moved=bool(marks.more)
                )
        hits = hits[:k]
    weak = bool(hits) and all(hit.weak for hit in hits)
    return Answer(
        results=hits,
        took_ms=watch.read(),
        engine=engine,
        photo=encoded.photo,
        weak=weak,
        expanded=list(encoded.also),
        engines_failed={name: str(error) for name, error in failed.items()},
        marks=marks,
        verified=any(hit.fit is not None for hit in hits),
        unverified=why_not,
    )


def hits_marked(hits: list[Hit], marks: Marks) -> list[Hit]:
    """The hits that people marked say so; they stay where they rank.

    Where people said what is near, no hit is called weak for being far from the question alone.
    """
    if not marks.more:
        return hits
    marked = set(marks.more_ids)
    return [replace(hit, weak=False, marked=hit.part.pk in marked) for hit in hits]


def encode_left(
    query: Query, names: list[str], *, needed: bool, hold: bool = False
) -> tuple[Encoded, dict[str, ServiceError]]:
    """The query's vectors, and which engines could not make theirs.

    An engine whose weights are gone does not cost a fusion its answer. Raises the engine's
    `ServiceError` when each is `needed`, or when nobody else can answer.
    """
    try:
        selection.engines_check(names)
        return query_encode(query, names, hold=hold), {}
    except Exception as error:
        if engines.encoder_error(error) is None:
            raise
        failed = engines.engines_failing(query.kind, names)
        left = [name for name in names if name not in failed]
        answering = left if query.text.strip() else [n for n in left if n != engines.WORDS]
        if not failed:
            raise
        if needed or not answering:
            raise next(iter(failed.values())) from error
    return query_encode(query, left, hold=hold), failed


@dataclass(frozen=True)
class Nearness:
    """How near a part is by one look."""

    similarity: float
    strength: float
    view: int | None


def hits_make(parts: list[Part], found: Candidates, invariants: dict[str, Any] | None) -> list[Hit]:
    looks = [_nearness(look, parts) for look in found.looks]
    scores = found.scores(part.pk for part in parts)
    said = _said(found, looks, scores)
    # What the first engine saw (or read) gives the similarity and the view people see.
    shown = looks[0] if looks else {}
    best = {part: near.view for part, near in shown.items() if near.view is not None}
    views = selectors.view_images(best)
    hits = []
    for rank, part in enumerate(parts, 1):
        near, view = shown.get(part.pk), views.get(part.pk)
        relation = _relation(invariants, part)
        hits.append(
            Hit(
                part=part,
                rank=rank,
                score=scores[part.pk][0],
                similarity=near and near.similarity,
                strength=near and near.strength,
                best_view=best.get(part.pk),
                thumbnail_url=part.thumbnail.url if part.thumbnail else "",
                view_url=view.image.url if view else "",
                by_engine=said[part.pk],
                relation=relation,
                by_words=_by_words(part.pk, found),
                weak=_is_weak(part.pk, found, looks, relation),
            )
        )
    return _closest_first(hits)


def _said(
    found: Candidates,
    looks: list[dict[int, Nearness]],
    scores: Mapping[int, tuple[float, dict[str, float]]],
) -> dict[int, dict[str, Said]]:
    """What each ranking said of each part that has a score, by part and engine."""
    ranks = {
        name: {part: rank for rank, part in enumerate(ids, 1)}
        for name, ids in found.rankings.items()
    }
    near: dict[str, dict[int, Nearness]] = {}
    for look, of in zip(found.looks, looks, strict=True):
        near.setdefault(look.engine, of)
    said = {}
    for part, (_score, shares) in scores.items():
        held = {name: near.get(name, {}).get(part) for name in ranks}
        said[part] = {
            name: Said(
                label=engines.label(name),
                place=place,
                share=shares.get(name, 0.0),
                rank=of.get(part),
                similarity=held[name] and held[name].similarity,
                strength=held[name] and held[name].strength,
            )
            for place, (name, of) in enumerate(ranks.items())
            if part in of or held[name] or shares.get(name)
        }
    return said


def _nearness(look: Look, parts: list[Part]) -> dict[int, Nearness]:
    """What the engine says of the parts that it compared."""
    ranking = look.shown
    places = {part: place for place, part in enumerate(ranking.part_ids.tolist())}
    near = {}
    for part in parts:
        if (place := places.get(part.pk)) is None:
            continue
        similarity = float(ranking.similarities[place])
        near[part.pk] = Nearness(
            similarity=similarity,
            strength=encoders.strength(look.engine, look.kind, similarity),
            # In a space of words' own a part is one vector: no view is the best.
            view=None if look.kind == "text" else int(ranking.best_views[place]),
        )
    return near


def _by_words(part: int, found: Candidates) -> bool:
    return part in found.words and found.words[part].share >= WORDS_SHARE


def _is_weak(
    part: int, found: Candidates, looks: list[dict[int, Nearness]], relation: "Relation | None"
) -> bool:
    """Whether nothing speaks for the part: no engine, no words, no shape that is the same.

    A mesh is seen by several engines at once: the first, whose similarity is shown, decides.
    """
    if _by_words(part, found):
        return False
    if relation is not None and relation.kind != "similar":
        return False
    of_mesh = any(look.kind == "mesh" for look in found.looks)
    strengths = [near[part].strength for near in looks[: 1 if of_mesh else None] if part in near]
    return max(strengths, default=0.0) < settings.SEARCH.search.similarity_threshold


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
