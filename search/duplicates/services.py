"""Pairs of parts that look like one part twice: found, kept, decided.

Bytes that are here already never make a second part; this is about the same geometry in other
bytes (exported again, turned, scaled, mirrored) and about parts that are nearly one. A part is
compared with the few nearest to it in the indices, so that it costs the same in a catalogue of any
size. Nothing is deleted here by itself, and what people said of a pair is never asked again.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from django.contrib.auth.models import AbstractBaseUser
from django.core.paginator import Page
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from catalog.errors import ServiceError
from catalog.models import Part, PipelineStep
from catalog.selectors import page_of
from catalog.services import part_delete
from search import encoders, engines
from search.indices import index_current
from search.models import DuplicatePair

if TYPE_CHECKING:
    from search.engine.index.space_index import SpaceIndex
    from search.engine.index.types import Pooling
    from search.engine.shape.duplicate import Duplicate
    from search.engine.shape.invariants import Invariants

State, Relation = DuplicatePair.State, DuplicatePair.Relation

NEAREST = 12  # parts compared by shape, and as many by looks
# Where the nearest are in the trash, each round looks this many times as far as the one before.
WIDEN = 4
ROUNDS = 3
# Pairs of one part, of one geometry and of those that are only nearly the same: of a thousand
# copies, and of a series of sizes, each is shown beside a few.
SAME_MOST = 5
NEAR_MOST = 5
READ = 1000  # rows asked for at once
PER_PAGE = 20
SHOWN_MOST = 6  # pairs told of on a part's page

Key = tuple[int, int]  # two part ids, the lower first


# Finding ----------------------------------------------------------------------------------------


def duplicates_refresh(part_ids: Sequence[int]) -> int:
    """Compare these parts with those near them and keep what is found. Returns how many pairs.

    Open pairs that hold no longer (another engine, other vectors) are taken back; decided ones
    stay as they are.
    """
    ids = list(dict.fromkeys(part_ids))
    kept = dict(_pairs_of(ids).values_list("pk", "state"))
    keys = {pk: (a, b) for pk, a, b in _pairs_of(ids).values_list("pk", "part_a", "part_b")}
    near = _nearest(ids)
    wanted = {_key(one, other) for one in near for other in near[one]} | set(keys.values())
    found = _compared(wanted)
    known = set(keys.values())
    fresh = {
        key: pair
        for one, others in near.items()
        for key, pair in _worth_keeping(one, others, found).items()
    }
    with transaction.atomic():
        _write(fresh | {key: found[key] for key in known & found.keys()})
        gone = [pk for pk, key in keys.items() if key not in found and kept.get(pk) == State.OPEN]
        for some in _slices(gone):
            DuplicatePair.objects.filter(pk__in=some, state=State.OPEN).delete()
    return len(fresh)


def part_left(part_id: int) -> int:
    """A part went to the trash: those it was paired with look for others. Returns how many.

    Of many copies each is paired with a few; without this, what is left of them would be with none.
    """
    pairs = _pairs_of([part_id]).values_list("part_a", "part_b")
    others = sorted({part for pair in pairs for part in pair} - {part_id})
    return sum(
        PipelineStep.objects.filter(
            part__in=some, step=PipelineStep.Step.COMPARE, state=PipelineStep.State.DONE
        ).update(state=PipelineStep.State.WAITING)
        for some in _slices(others)
    )


def _nearest(ids: Sequence[int]) -> dict[int, set[int]]:
    """The parts nearest to each by shape and by looks; those in the trash are none."""
    near: dict[int, set[int]] = {one: set() for one in ids}
    for index, pooling in _indices():
        vectors = {one: index.part_vectors(one) for one in ids}
        asked = {one: held for one, held in vectors.items() if held is not None}
        width = NEAREST
        for _round in range(ROUNDS):
            rankings = index.search_many(
                list(asked.values()),
                k=width,
                query_pooling=pooling,
                exclude=[[one] for one in asked],
            )
            found = {
                one: ranking.part_ids.tolist() for one, ranking in zip(asked, rankings, strict=True)
            }
            here = _present({other for others in found.values() for other in others})
            for one, others in found.items():
                shown = [other for other in others if other in here][:NEAREST]
                near[one].update(shown)
                if len(shown) == NEAREST or len(others) < width:
                    del asked[one]
            width *= WIDEN
    return near


def _present(ids: Iterable[int]) -> set[int]:
    present = Q(deleted_at__isnull=True)
    return {
        pk
        for some in _slices(sorted(ids))
        for pk in Part.objects.among(some, present).values_list("pk", flat=True)
    }


def _indices() -> "list[tuple[SpaceIndex, Pooling]]":
    """The shape's index, and the one of the first engine that looks, where they are in use."""
    found: list[tuple[SpaceIndex, Pooling]] = []
    shape = _shape_index()
    if shape is not None:
        found.append((shape, "max"))
    seeing = [name for name in engines.in_use() if not engines.is_shape(name)]
    if seeing:
        # All views of a part count, as when its file is searched for.
        found.append((index_current(encoders.space(seeing[0])), "mean"))
    return found


def _shape_index() -> "SpaceIndex | None":
    names = [name for name in engines.in_use() if engines.is_shape(name)]
    return index_current(encoders.space(names[0])) if names else None


def _compared(keys: Iterable[Key]) -> "dict[Key, Duplicate]":
    """Those of the pairs that are duplicates; invariants and descriptors are read, no file."""
    from search.engine.shape.duplicate import duplicate_decide

    keys = sorted(keys)
    invariants = _invariants({part for key in keys for part in key})
    shape = _shape_index()
    vectors = {pk: shape.part_vectors(pk) for pk in invariants} if shape else {}
    found = {}
    for a, b in keys:
        if a not in invariants or b not in invariants:
            continue
        one, other = vectors.get(a), vectors.get(b)
        known = one is not None and other is not None
        pair = duplicate_decide(
            invariants[a],
            invariants[b],
            cosine=float(np.dot(one[0], other[0])) if known else None,
        )
        if pair:
            found[a, b] = pair
    return found


def _invariants(ids: Iterable[int]) -> "dict[int, Invariants]":
    """Sizes are in millimetres: one number of two files may be two lengths, and the other way."""
    from search.engine.shape.invariants import Invariants

    found = {}
    for some in _slices(sorted(ids)):
        rows = Part.objects.filter(pk__in=some, invariants__isnull=False)
        for pk, unit, held in rows.values_list("pk", "unit", "invariants"):
            own = Invariants.from_json(held)
            found[pk] = replace(own, size=own.size * Part.UNIT_MM[Part.Unit(unit)])
    return found


def _worth_keeping(
    one: int, others: Iterable[int], found: "dict[Key, Duplicate]"
) -> "dict[Key, Duplicate]":
    """The best of a part's pairs of one geometry, one size first, and of those nearly one part."""
    pairs = {key: found[key] for other in others if (key := _key(one, other)) in found}
    best = sorted(pairs, key=lambda key: (pairs[key].kind != "same", -pairs[key].score, key))
    same = [key for key in best if pairs[key].kind != "near"][:SAME_MOST]
    near = [key for key in best if pairs[key].kind == "near"][:NEAR_MOST]
    return {key: pairs[key] for key in (*same, *near)}


def _write(pairs: "dict[Key, Duplicate]") -> None:
    """One statement, in the order of the ids: two workers that find one pair agree."""
    rows = [
        DuplicatePair(
            part_a_id=a, part_b_id=b, relation=pair.kind, factor=pair.factor, score=pair.score
        )
        for (a, b), pair in sorted(pairs.items())
    ]
    DuplicatePair.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["part_a", "part_b"],
        update_fields=["relation", "factor", "score"],
        batch_size=500,
    )


def _key(one: int, other: int) -> Key:
    return min(one, other), max(one, other)


def _slices(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    """A few at a time: a database takes only so many values in a question."""
    return (ids[start : start + READ] for start in range(0, len(ids), READ))


# Reading ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PairFilters:
    """What the list of pairs is narrowed to."""

    state: str = State.OPEN
    relation: str = ""
    part: str = ""  # uuid


@dataclass(frozen=True)
class Likeness:
    """A pair as one of its parts sees it: what the other is, and this one's size over its."""

    pair: DuplicatePair
    other: Part
    factor: float


def pairs_page(filters: PairFilters, *, page: int, per_page: int = PER_PAGE) -> Page:
    """A page of the pairs of present parts, the likest first."""
    pairs = _shown()
    if filters.state:
        pairs = pairs.filter(state=filters.state)
    if filters.relation:
        pairs = pairs.filter(relation=filters.relation)
    if filters.part:
        pairs = pairs.filter(Q(part_a__uuid=filters.part) | Q(part_b__uuid=filters.part))
    return page_of(pairs.order_by("-score", "-pk"), page, per_page)


def pair_get(pk: int) -> DuplicatePair:
    pair = _shown().filter(pk=pk).first()
    if pair is None:
        raise ServiceError("duplicate_unknown", status=404)
    return pair


def part_likenesses(part: Part) -> list[Likeness]:
    """What the part looks like, dismissed pairs left out, the likest first."""
    pairs = _shown().filter(Q(part_a=part) | Q(part_b=part)).exclude(state=State.DISMISSED)
    return [
        Likeness(pair, pair.part_a, pair.factor)
        if pair.part_b_id == part.pk
        else Likeness(pair, pair.part_b, 1 / pair.factor)
        for pair in pairs.order_by("-score", "pk")[:SHOWN_MOST]
    ]


def _shown() -> QuerySet[DuplicatePair]:
    """A part in the trash is nobody's duplicate."""
    pairs = DuplicatePair.objects.filter(
        part_a__deleted_at__isnull=True, part_b__deleted_at__isnull=True
    )
    return pairs.select_related("part_a__category", "part_b__category", "decided_by")


def _pairs_of(ids: Sequence[int]) -> QuerySet[DuplicatePair]:
    return DuplicatePair.objects.filter(Q(part_a__in=ids) | Q(part_b__in=ids)).order_by("pk")


# Deciding ---------------------------------------------------------------------------------------


@transaction.atomic
def pair_decide(
    *, pair: DuplicatePair, state: str, trash: str = "", user: AbstractBaseUser | None = None
) -> DuplicatePair:
    """Say what a pair is; `trash` is the uuid of the one of its parts that goes there.

    Two people who say the same at once are both right; who says "duplicates" and throws one away
    after another has thrown away the other is told that there is no such pair any more.
    """
    parts = Part.objects.select_for_update().filter(pk__in=(pair.part_a_id, pair.part_b_id))
    held = {str(part.uuid): part for part in parts.order_by("pk")}
    if any(part.deleted_at for part in held.values()):
        raise ServiceError("duplicate_unknown", status=404)
    if trash and (trash not in held or state != State.CONFIRMED):
        raise ServiceError("duplicate_trash")
    pair.state = State(state)
    decided = pair.state != State.OPEN
    pair.decided_by = cast("Any", user) if decided and user and user.pk else None
    pair.decided_at = timezone.now() if decided else None
    # A part that changed meanwhile takes its open pairs back.
    if not DuplicatePair.objects.filter(pk=pair.pk).update(
        state=pair.state, decided_by=pair.decided_by, decided_at=pair.decided_at
    ):
        raise ServiceError("duplicate_unknown", status=404)
    if trash:
        part_delete(part=held[trash])
    return pair
