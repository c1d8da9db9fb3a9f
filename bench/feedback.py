"""What marking a hit is worth: more like the first right one, less like the first wrong one.

A simulated user looks at the ten first hits and marks the first right and the first wrong one among
them; the marked parts are then left out of both rankings, before and after, so that only what the
marks brought is counted (residual nDCG@10: Chang, Cirillo and Razon 1971). The constants are chosen
on the half of the names "for choosing", by the mean gain of all kinds of query in both catalogues
and of users who mark both, or only one; the other half reports.

    python -m bench.feedback [--most N] [--shipped]
"""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bench import running
from bench.engines_gallery import (
    Catalogue,
    Question,
    catalogue_filled,
    families_catalogue,
    furniture_catalogue,
    hybrids,
    items_make,
    question_encode,
    some,
)
from bench.quality_fusion import catalogue_name, configured
from bench.quality_icons import name_is_for_choosing
from search.engine import metrics
from search.engine.significance import paired_p

if TYPE_CHECKING:
    from search.feedback import Marks

K = 10
KINDS = ("image", "text", "hybrid", "mesh")
ALPHAS, BETAS, GAMMAS = (1.0,), (0.5, 1.0, 2.0), (0.1, 0.2, 0.4)
# Which marks the user makes.
USERS = ("both", "more", "less")

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Constants:
    """`alpha` of the query, `beta` of what is more, `gamma` of what is less like it."""

    alpha: float
    beta: float
    gamma: float

    @classmethod
    def shipped(cls) -> "Constants":
        from django.conf import settings

        held = settings.SEARCH.feedback
        return cls(held.alpha, held.beta, held.gamma)


@dataclass(frozen=True)
class Outcome:
    """Of one question, nDCG@10 without the marked parts: before and after marking."""

    question: Question
    before: float
    after: float


@cache
def unmarked(question: Question, ids: tuple[int, ...]) -> list[int]:
    """What the user sees before marking; the same whatever the constants are."""
    return ranked(question, ids)


def ranked(
    question: Question, ids: Sequence[int], marks: "Marks | None" = None, *, by_names: bool = False
) -> list[int]:
    """The places of the first hits, two more than K: as many as are marked.

    `by_names`: the lexical ranking is asked in the names of the parts marked as more, too.
    """
    from search.candidates import Stopwatch, candidates_find
    from search.engines import engine_names
    from search.feedback import NO_MARKS

    query, encoded = question_encode(question)
    marks = NO_MARKS if marks is None else marks
    if by_names:
        names = [name for part in marks.more for name in (part.name, part.name_zh) if name]
        encoded = replace(encoded, also=(*encoded.also, *names))
    _found, parts = candidates_find(
        query, engine_names(question.kind), encoded, k=K + 2, watch=Stopwatch(), marks=marks
    )
    places = {pk: place for place, pk in enumerate(ids)}
    return [places[part.pk] for part in parts]


def marked(question: Question, first: Sequence[int], user: str) -> dict[str, list[int]]:
    """The first right and the first wrong part among the hits, as far as the user marks them."""
    right = [place for place in first if question.grades[place] > 0][:1]
    wrong = [place for place in first if question.grades[place] == 0][:1]
    return {"more": right * (user != "less"), "less": wrong * (user != "more")}


def outcomes(
    questions: Sequence[Question],
    ids: Sequence[int],
    constants: Constants,
    user: str,
    *,
    by_names: bool = False,
) -> Iterator[Outcome]:
    """Questions that leave nothing right to be found after marking are left out."""
    from catalog.models import Part
    from search.feedback import Marks

    with configured(feedback=vars(constants)):
        for question in questions:
            first = unmarked(question, tuple(ids))
            marks = marked(question, first[:K], user)
            held = {place for of in marks.values() for place in of}
            rest = np.array([0.0 if n in held else g for n, g in enumerate(question.grades)])
            if not held or not rest.any():
                continue
            parts = Part.objects.in_bulk([ids[place] for place in held])
            chosen = Marks(**{name: tuple(parts[ids[p]] for p in of) for name, of in marks.items()})
            after = ranked(question, ids, chosen, by_names=by_names)
            yield Outcome(question, gain(first, held, rest), gain(after, held, rest))


def gain(ranking: Sequence[int], held: set[int], grades: Floats) -> float:
    rest = [place for place in ranking if place not in held]
    return metrics.ndcg_at_k(grades[rest], K, ideal=grades)


def row_make(title: str, kind: str, user: str, found: Sequence[Outcome]) -> list[object]:
    before = np.array([of.before for of in found])
    after = np.array([of.after for of in found])
    low, high = metrics.bootstrap_interval(after - before)
    return [
        title, kind, user, len(found), f"{before.mean():.3f}", f"{after.mean():.3f}",
        f"{(after - before).mean():+.3f} ({low:+.3f} to {high:+.3f})",
        f"{paired_p(after, before):.4f}",
    ]  # fmt: skip


def choose(catalogues: Mapping[Catalogue, Sequence[Question]]) -> Constants:
    """The constants of the largest mean gain over kinds and catalogues, on the choosing half."""
    gains: dict[Constants, list[float]] = {}
    for catalogue, questions in catalogues.items():
        with catalogue_filled(catalogue) as ids:
            for kind, values in product(KINDS, product(ALPHAS, BETAS, GAMMAS)):
                constants = Constants(*values)
                of = [q for q in questions if q.kind == kind and name_is_for_choosing(q.name)]
                means = [
                    np.mean([one.after - one.before for one in outcomes(of, ids, constants, user)])
                    for user in USERS
                ]
                gains.setdefault(constants, []).append(float(np.mean(means)))
    rows = [
        [*vars(constants).values(), f"{np.mean(means):+.4f}", *(f"{mean:+.3f}" for mean in means)]
        for constants, means in sorted(gains.items(), key=lambda pair: -np.mean(pair[1]))
    ]
    titles = [f"{catalogue.title} {kind}" for catalogue in catalogues for kind in KINDS]
    print(running.table(["alpha", "beta", "gamma", "mean gain", *titles], rows), "\n", flush=True)
    return max(gains, key=lambda constants: float(np.mean(gains[constants])))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--most", type=int, default=120, help="questions of a kind and half")
    parser.add_argument("--limit", type=int, help="models of the furniture")
    parser.add_argument("--shipped", action="store_true", help="report only, as configured")
    chosen = parser.parse_args(arguments)
    with running.data_folder():
        catalogues = {
            catalogue: questions_binary(catalogue, chosen.most)
            for catalogue in (families_catalogue(), furniture_catalogue(limit=chosen.limit))
        }
        constants = Constants.shipped() if chosen.shipped else choose(catalogues)
        print(constants, flush=True)
        rows = []
        for catalogue, questions in catalogues.items():
            with catalogue_filled(catalogue) as ids:
                for kind, user in product(KINDS, USERS):
                    of = [
                        q for q in questions if q.kind == kind and not name_is_for_choosing(q.name)
                    ]
                    found = list(outcomes(of, ids, constants, user))
                    rows.append(row_make(catalogue.title, kind, user, found))
                rows += rows_named(catalogue, questions, ids, constants)
        headers = ["catalogue", "query", "marks", "queries", "before", "after", "gain", "p"]
        print(running.table(headers, rows))


def rows_named(
    catalogue: Catalogue, questions: Sequence[Question], ids: list[int], constants: Constants
) -> Iterator[list[object]]:
    """Words where every second part has a name: marks alone, and the marked part's names beside."""
    half = np.random.default_rng(2).permutation(len(ids)) % 2 == 0
    catalogue_name(items_make(catalogue), ids, half)
    unmarked.cache_clear()
    of = [q for q in questions if q.kind == "text" and not name_is_for_choosing(q.name)]
    for title, by_names in (("words as asked", False), ("its names too", True)):
        found = list(outcomes(of, ids, constants, "both", by_names=by_names))
        yield row_make(f"{catalogue.title}, half named, {title}", "text", "both", found)


def questions_binary(catalogue: Catalogue, most: int) -> list[Question]:
    """Some of the questions, with every part right or wrong."""
    every = [*catalogue.questions, *hybrids(catalogue.questions)]
    return [replace(one, grades=np.minimum(one.grades, 1.0)) for one in some(every, most)]


if __name__ == "__main__":
    main()
