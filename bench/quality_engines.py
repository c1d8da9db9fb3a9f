"""Is the fusion of the engines better than the best of them alone?.

The development furniture and parts of families, anonymous, every second part named, and all named;
what is asked of them is in `bench.engines_gallery`. Beside the shipped fusion stands every ranking
that can answer the kind by itself: `shape` sees no pictures and reads no words, and names find
nothing of a picture or a mesh. nDCG@10 with its bootstrap interval over the queries, and of the
fusion's lead over the best of the others its own interval and the paired p. `--sweep` tries other
weights for meshes: chosen on the half of the names "for choosing"; the other half reports.

The shipped weights have learnt the furniture's names, though not the paraphrases: what `mini` does
with names alone is flattered here. `bench.quality_fusion` judges weights that never saw them.

    python -m bench.quality_engines [--most N] [--kinds mesh] [--sweep]
"""

import argparse
from collections.abc import Iterator, Mapping, Sequence

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
from bench.quality_fusion import catalogue_name, catalogues, configured
from bench.quality_icons import name_is_for_choosing
from search.engine import metrics
from search.engine.significance import paired_p

K = 10
KINDS = ("image", "text", "hybrid", "mesh")
MESH_SHARES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0)  # of mini beside the shape

Floats = NDArray[np.float64]


def graded(
    questions: Sequence[Question], ids: Sequence[int], names: Sequence[str]
) -> Iterator[tuple[Question, Floats]]:
    """Each question and the grades of its first hits, answered by these rankings."""
    from search.candidates import Stopwatch, candidates_find

    places = {pk: place for place, pk in enumerate(ids)}
    for question in questions:
        query, encoded = question_encode(question)
        _candidates, parts = candidates_find(query, names, encoded, k=K, watch=Stopwatch())
        yield question, question.grades[[places[part.pk] for part in parts]]


def gains(questions: Sequence[Question], ids: Sequence[int], names: Sequence[str]) -> Floats:
    """nDCG@10 of each question, answered by these rankings."""
    found = graded(questions, ids, names)
    return np.array([metrics.ndcg_at_k(grades, K, ideal=one.grades) for one, grades in found])


def interval(values: Floats) -> str:
    low, high = metrics.bootstrap_interval(values)
    return f"{values.mean():.3f} ({low:.3f}-{high:.3f})"


def lead(fusion: Floats, alone: Mapping[str, Floats]) -> list[object]:
    """The best alone, and the fusion's lead over it."""
    best = max(alone, key=lambda name: float(alone[name].mean()))
    ahead = fusion - alone[best]
    low, high = metrics.bootstrap_interval(ahead)
    won, lost = int((ahead > 0).sum()), int((ahead < 0).sum())
    return [
        best, f"{ahead.mean():+.3f} ({low:+.3f} to {high:+.3f})",
        f"{paired_p(fusion, alone[best]):.4f}", f"{won}/{lost}",
    ]  # fmt: skip


def rows_make(
    title: str, questions: Sequence[Question], ids: Sequence[int]
) -> Iterator[list[object]]:
    from search.engines import engine_names

    for kind in KINDS:
        asked = [question for question in questions if question.kind == kind]
        if not asked:
            continue
        names = engine_names(kind)
        single = [[name] for name in names] if kind != "hybrid" else [["mini"], ["words"]]
        rankings = {of[0]: gains(asked, ids, of) for of in single} if len(names) > 1 else {}
        fusion = gains(asked, ids, names)
        for half, which in halves(asked).items():
            cells = {name: interval(values[which]) for name, values in rankings.items()}
            alone = {name: values[which] for name, values in rankings.items()}
            yield [
                title, kind, half, int(which.sum()),
                *(cells.get(name, "-") for name in ("mini", "shape", "words")),
                interval(fusion[which]), *(lead(fusion[which], alone) if alone else ["-"] * 4),
            ]  # fmt: skip


def halves(asked: Sequence[Question]) -> dict[str, NDArray[np.bool_]]:
    choosing = np.array([name_is_for_choosing(one.name) for one in asked], np.bool_)
    return {"choose": choosing, "report": ~choosing}


def sweep_mesh(catalogue: Catalogue, questions: Sequence[Question]) -> Iterator[list[object]]:
    """Other weights of `mini` beside the shape, for mesh queries: nDCG@10, and R@1 of the best."""
    from search.engines import engine_names

    asked = [question for question in questions if question.kind == "mesh"]
    with catalogue_filled(catalogue) as ids:
        for share in MESH_SHARES:
            weights = {"mini": share, "shape": round(1 - share, 2)}
            with configured(search={"mesh_weights": weights}):
                found = list(graded(asked, ids, engine_names("mesh")))
            ndcg = np.array([metrics.ndcg_at_k(g, K, ideal=one.grades) for one, g in found])
            first = np.array([g[:1].max(initial=0) == one.grades.max() for one, g in found])
            cells = [
                (interval(ndcg[of]), f"{first[of].mean():.3f}") for of in halves(asked).values()
            ]
            yield [catalogue.title, share, *(cell for pair in cells for cell in pair)]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--most", type=int, default=300, help="questions of a kind and half")
    parser.add_argument("--limit", type=int, help="models of the furniture")
    parser.add_argument("--kinds", nargs="*", choices=KINDS, default=KINDS)
    parser.add_argument("--sweep", action="store_true", help="only other weights for meshes")
    chosen = parser.parse_args(arguments)
    with running.data_folder():
        found = [furniture_catalogue(limit=chosen.limit), families_catalogue()]
        if chosen.sweep:
            swept = [row for of in found for row in sweep_mesh(of, some(of.questions, chosen.most))]
            headers = ["catalogue", "mini's share", "choose", "R@1", "report", "R@1"]
            print(running.table(headers, swept))
            return
        rows: list[list[object]] = []
        for catalogue in found:
            every = [*catalogue.questions, *hybrids(catalogue.questions)]
            questions = [one for one in some(every, chosen.most) if one.kind in chosen.kinds]
            with catalogue_filled(catalogue) as ids:
                for naming, named in catalogues(len(ids)):
                    catalogue_name(items_make(catalogue), ids, named)
                    # Names matter to words only.
                    asked = [q for q in questions if q.text or not named.any()]
                    rows += rows_make(f"{catalogue.title}, {naming}", asked, ids)
        headers = ["catalogue", "query", "half", "queries", "mini", "shape", "words", "fusion",
                   "best alone", "fusion's lead", "p", "won/lost"]  # fmt: skip
        print(running.table(headers, rows), flush=True)


if __name__ == "__main__":
    main()
