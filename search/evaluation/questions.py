"""What engines are asked when they are measured, and which parts would be right.

Three sources: queries of a file with their judgements; the categories that people filed parts in
(a category's name or prompt asks for its parts, a part's picture for its siblings); what staff
searched and judged. A question is known by a short name (`ref`), so that a run can go on where
it was left; what the name stands for is read when it is asked.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

import numpy as np
from django.db.models import Count, QuerySet
from django.db.models.fields.files import FieldFile

from catalog.models import Category, Part
from search.expand import script_of
from search.models import EvaluationQuery, Judgement
from search.query import Query

log = logging.getLogger(__name__)

SOURCES = ("file", "category", "staff", "click")
# A click says that a part was worth a look: measured with it only where that is asked.
DEFAULT_SOURCES = ("file", "category", "staff")
KINDS = ("text", "image", "hybrid", "mesh")
# Of categories, unless more is asked: a mesh takes as long as a hundred texts.
CATEGORY_KINDS = ("text", "image")
# Names begin with a letter: q a judged query, c a category's words, and what a part asks with,
# p its picture, b the picture and its category's name (both), m its mesh.
CATEGORY_KIND_OF = {"c": "text", "p": "image", "b": "hybrid", "m": "mesh"}


class Truth(Protocol):
    """Which parts are right for a question, and how right."""

    relevant: int  # parts that are right at all

    def grades(self, parts: Sequence[Part]) -> list[float]:
        """The grade of each; 0 where nobody judged it."""
        ...

    def ideal(self, k: int) -> list[float]:
        """The grades of the k best parts there are, best first."""
        ...


@dataclass(frozen=True)
class Judged:
    """By people: {part id: grade}."""

    held: Mapping[int, float]

    @cached_property
    def relevant(self) -> int:
        return sum(grade > 0 for grade in self.held.values())

    def grades(self, parts: Sequence[Part]) -> list[float]:
        return [self.held.get(part.pk, 0.0) for part in parts]

    def ideal(self, k: int) -> list[float]:
        return sorted(self.held.values(), reverse=True)[:k]


@dataclass(frozen=True)
class Filed:
    """By membership: every part in the category, or in one below it, is right."""

    categories: frozenset[int]
    relevant: int

    def grades(self, parts: Sequence[Part]) -> list[float]:
        return [float(part.category_id in self.categories) for part in parts]

    def ideal(self, k: int) -> list[float]:
        return [1.0] * min(k, self.relevant)


@dataclass(frozen=True)
class Question:
    """`asker` is the part whose own picture asks: it is no answer to itself."""

    ref: str
    label: str
    kind: str
    language: str
    source: str
    query: Query
    truth: Truth
    asker: int | None = None


@dataclass(frozen=True)
class Choice:
    """Which questions are wanted: `limit` of each source at most, drawn by `seed`."""

    sources: tuple[str, ...] = DEFAULT_SOURCES
    kinds: tuple[str, ...] = ()  # none: all of judged queries, CATEGORY_KINDS of categories
    query_set: str = ""
    limit: int = 500
    seed: int = 0

    def of_judged(self) -> list[str]:
        return [source for source in self.sources if source != "category"]


def refs_choose(choice: Choice) -> list[str]:
    """The names of the questions to ask, in a fixed order."""
    refs = list(_judged_refs(choice))
    if "category" in choice.sources and not choice.query_set:
        refs += _category_refs(choice)
    return refs


def kinds_first(refs: Sequence[str]) -> dict[str, str]:
    """The first of the names for each kind of query that is among them."""
    judged = [int(ref[2:]) for ref in refs if ref.startswith("q:")]
    of_judged = dict(EvaluationQuery.objects.filter(pk__in=judged).values_list("pk", "kind"))
    found: dict[str, str] = {}
    for ref in refs:
        kind = CATEGORY_KIND_OF.get(ref[0]) or of_judged.get(int(ref[2:]))
        if kind:
            found.setdefault(kind, ref)
    return found


@dataclass
class Reader:
    """Reads questions by their names; what many of them share is read once."""

    choice: Choice
    _counts: dict[frozenset[int], int] = field(default_factory=dict)

    def read(self, ref: str) -> Question | None:
        """The question, or None when what it asks about is gone or nothing would be right."""
        try:
            question = self._question(ref)
        except FileNotFoundError as error:
            log.warning("the question %s cannot be asked: %s", ref, error)
            return None
        return question if question and question.truth.relevant else None

    def _question(self, ref: str) -> Question | None:
        kind, _, rest = ref.partition(":")
        match kind:
            case "q":
                return self._judged(ref, int(rest))
            case "c":
                category, what = rest.split(":", 1)
                return self._category_words(ref, int(category), what)
            case _:
                return self._part_asks(ref, kind, int(rest))

    def _judged(self, ref: str, pk: int) -> Question | None:
        row = EvaluationQuery.objects.filter(pk=pk).first()
        if row is None:
            return None
        source, grades = grades_joined(
            row, self.choice.of_judged(), query_set=self.choice.query_set
        )
        return Question(
            ref=ref,
            label=str(row)[:120],
            kind=row.kind,
            language=row.language,
            source=source,
            query=query_of(row),
            truth=Judged(grades),
        )

    def _category_words(self, ref: str, pk: int, what: str) -> Question | None:
        category = self._tree.held.get(pk)
        text = category and category_texts(category).get(what)
        if not text:
            return None
        return Question(
            ref=ref,
            label=text[:120],
            kind="text",
            language=script_of(text),
            source="category",
            query=Query(kind="text", text=text),
            truth=self._filed(pk),
        )

    def _part_asks(self, ref: str, kind: str, pk: int) -> Question | None:
        part = ready_parts().filter(pk=pk).select_related("category").first()
        if part is None or part.category is None:
            return None
        text = part.category.name if kind == "b" else ""
        image = None if kind == "m" else _picture(part)
        if kind != "m" and image is None:
            return None
        asked = CATEGORY_KIND_OF[kind]
        mesh = _there(part.file) if kind == "m" else None
        return Question(
            ref=ref,
            label=str(part)[:120],
            kind=asked,
            language=script_of(text) if text else "",
            source="category",
            query=Query(kind=asked, image=image, text=text, mesh=mesh),
            truth=self._filed(part.category_id, but=1),
            asker=part.pk,
        )

    @cached_property
    def _tree(self) -> "Tree":
        return Tree()

    def _filed(self, category: int, *, but: int = 0) -> Filed:
        within = self._tree.within(category)
        if within not in self._counts:
            self._counts[within] = ready_parts().filter(category__in=within).count()
        return Filed(within, max(0, self._counts[within] - but))


class Tree:
    """The categories and which are below which."""

    def __init__(self) -> None:
        self.held = Category.objects.in_bulk()
        self._below: dict[int, list[int]] = {}
        for category in self.held.values():
            if category.parent_id is not None:
                self._below.setdefault(category.parent_id, []).append(category.pk)

    def within(self, pk: int) -> frozenset[int]:
        """The category and all below it; a circle of them ends, too."""
        found, waiting = {pk}, [pk]
        while waiting:
            new = [child for child in self._below.get(waiting.pop(), ()) if child not in found]
            found.update(new)
            waiting += new
        return frozenset(found)


def ready_parts() -> QuerySet[Part]:
    """What users find without filters."""
    return Part.objects.present().filter(status=Part.Status.READY)


def category_texts(category: Category) -> dict[str, str]:
    """How words ask for a category: its names and prompts."""
    texts = {"en": category.name, "zh": category.name_zh}
    texts |= {f"p{n}": str(prompt) for n, prompt in enumerate(category.prompts or ())}
    return {what: text.strip() for what, text in texts.items() if text.strip()}


def query_of(row: EvaluationQuery) -> Query:
    """The judged query as it was asked."""
    held = {}
    if row.file:
        if row.kind == "mesh":
            held["mesh"] = _there(row.file)
        else:
            with row.file.open("rb") as file:
                held["image"] = file.read()
    return Query(kind=row.kind, text=row.text, **held)


def grades_joined(
    row: EvaluationQuery, sources: Sequence[str], *, query_set: str = ""
) -> tuple[str, dict[int, float]]:
    """Where its judgements come from, and {part: grade} of the parts that can be found.

    The same query may be in several sets, and judged by staff besides: it is one question, and all
    that was said of it counts. People who disagree meet in the middle; a click counts only where
    nobody judged, whichever sources are wanted.
    """
    said_of = Judgement.objects.filter(
        query__digest=row.digest,
        part__deleted_at__isnull=True,
        part__status=Part.Status.READY,
    )
    if query_set:
        said_of = said_of.filter(query__query_set=query_set)
    rows = said_of.values_list("part", "grade", "source")
    said: dict[int, list[float]] = {}
    clicked: dict[int, float] = {}
    found, judged = set(), set()
    for part, grade, source in rows:
        if source != Judgement.Source.CLICK:
            judged.add(part)
        if source not in sources:
            continue
        found.add(source)
        if source == Judgement.Source.CLICK:
            clicked[part] = max(grade, clicked.get(part, 0.0))
        else:
            said.setdefault(part, []).append(grade)
    grades = {part: grade for part, grade in clicked.items() if part not in judged}
    grades |= {part: float(np.mean(of)) for part, of in said.items()}
    first = next((source for source in SOURCES if source in found), row.origin)
    return first, grades


def _judged_refs(choice: Choice) -> Iterator[str]:
    """Of each source the queries with a part that is right, each query once.

    Known by its hash: in two sets the same words would count twice, with two truths.
    """
    rng = np.random.default_rng(choice.seed)
    seen: set[str] = set()
    for source in choice.of_judged():
        rows = EvaluationQuery.objects.filter(
            judgements__source=source,
            judgements__grade__gt=0,
            judgements__part__deleted_at__isnull=True,
            judgements__part__status=Part.Status.READY,
        )
        if choice.kinds:
            rows = rows.filter(kind__in=choice.kinds)
        if choice.query_set:
            rows = rows.filter(query_set=choice.query_set)
        firsts: dict[str, int] = {}
        for pk, digest in rows.order_by("pk").values_list("pk", "digest").distinct():
            if digest not in seen:
                firsts.setdefault(digest, pk)
        drawn = _drawn(list(firsts.items()), choice.limit, rng)
        seen.update(digest for digest, _pk in drawn)
        yield from (f"q:{pk}" for _digest, pk in drawn)


def _category_refs(choice: Choice) -> list[str]:
    kinds = [kind for kind in choice.kinds or CATEGORY_KINDS if kind in KINDS]
    share = choice.limit // max(1, len(kinds))
    rng = np.random.default_rng(choice.seed)
    counted = ready_parts().filter(category__isnull=False).order_by("category")
    sizes = dict(counted.values_list("category").annotate(n=Count("pk")))
    refs: list[str] = []
    for kind in kinds:
        if kind == "text":
            refs += _drawn(_texts(sizes), share, rng)
        else:
            letter = next(of for of, asks in CATEGORY_KIND_OF.items() if asks == kind)
            refs += [f"{letter}:{pk}" for pk in _parts_drawn(sizes, share, rng)]
    return refs


def _texts(sizes: Mapping[int, int]) -> list[str]:
    tree = Tree()
    return [
        f"c:{pk}:{what}"
        for pk, category in sorted(tree.held.items())
        if tree.within(pk) & sizes.keys()
        for what in category_texts(category)
    ]


def _parts_drawn(sizes: Mapping[int, int], most: int, rng: np.random.Generator) -> list[int]:
    """Parts that have siblings, as many of each category as of the others while they last."""
    categories = sorted(pk for pk, size in sizes.items() if size > 1)
    if not categories or most < 1:
        return []
    rng.shuffle(categories)
    each = -(-most // len(categories))
    drawn: list[list[int]] = []
    for category in categories[:most]:
        rows = ready_parts().filter(category=category).order_by("pk").values_list("pk", flat=True)
        size = sizes[category]
        places = sorted(rng.choice(size, min(size, each), replace=False).tolist())
        # By their places: the ids of a large category are never held.
        drawn.append([pk for place in places for pk in rows[place : place + 1]])
    turns = [pks[turn] for turn in range(each) for pks in drawn if turn < len(pks)]
    return turns[:most]


def _drawn(items: list, most: int, rng: np.random.Generator) -> list:
    """At most so many of the items, in their order."""
    if len(items) <= most:
        return items
    return [items[place] for place in sorted(rng.choice(len(items), most, replace=False).tolist())]


def _there(file: FieldFile) -> FieldFile:
    """A file that is read later. Raises `FileNotFoundError`."""
    if not file.storage.exists(str(file.name)):
        raise FileNotFoundError(file.name)
    return file


def _picture(part: Part) -> bytes | None:
    view = None if part.thumbnail else part.views.first()
    image = part.thumbnail or (view and view.image)
    if not image:
        return None
    with image.open("rb") as file:
        return file.read()
