"""Is the fusion of the engines better than the best of them alone?.

The development furniture and parts of families, anonymous, every second part named, and all named;
what is asked of them is in `bench.engines_gallery`. Beside the shipped fusion stands every ranking
that can answer the kind by itself: `shape` sees no pictures and reads no words, and names find
nothing of a picture or a mesh. nDCG@10 with its bootstrap interval over the queries, and of the
fusion's lead over the best of the others its own interval and the paired p. Nothing is chosen
here; both halves of the names are shown.

    python -m bench.quality_engines [--most N] [--sweep]
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
    question_encode,
    some,
)
from bench.quality_fusion import Item, catalogue_name, catalogues, configured
from bench.quality_icons import name_is_for_choosing
from search.engine import metrics
from search.engine.significance import paired_p
from search.engine.text.fold import fold

K = 10
KINDS = ("image", "text", "hybrid", "mesh")
MESH_SHARES = (0.0, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0)  # of mini beside the shape

Floats = NDArray[np.float64]


def gains(questions: Sequence[Question], ids: Sequence[int], names: Sequence[str]) -> Floats:
    """nDCG@10 of each question, answered by these rankings."""
    from search.candidates import Stopwatch, candidates_find

    places = {pk: place for place, pk in enumerate(ids)}
    found = []
    for question in questions:
        query, encoded = question_encode(question)
        _candidates, parts = candidates_find(query, names, encoded, k=K, watch=Stopwatch())
        grades = question.grades[[places[part.pk] for part in parts]]
        found.append(metrics.ndcg_at_k(grades, K, ideal=question.grades))
    return np.array(found)


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


def items_make(catalogue: Catalogue) -> list[Item]:
    return [
        Item(name, name_zh, frozenset({fold(name), fold(name_zh)}))
        for name, name_zh in zip(catalogue.names, catalogue.names_zh, strict=True)
    ]


def sweep_mesh(catalogue: Catalogue, questions: Sequence[Question]) -> Iterator[list[object]]:
    """Other weights of `mini` beside the shape, for mesh queries."""
    from search.engines import engine_names

    asked = [question for question in questions if question.kind == "mesh"]
    with catalogue_filled(catalogue) as ids:
        for share in MESH_SHARES:
            weights = {"mini": share, "shape": 1 - share}
            with configured(search={"mesh_weights": weights}):
                found = gains(asked, ids, engine_names("mesh"))
            yield [catalogue.title, share, *(interval(found[w]) for w in halves(asked).values())]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--most", type=int, default=300, help="questions of a kind and half")
    parser.add_argument("--limit", type=int, help="models of the furniture")
    parser.add_argument("--sweep", action="store_true", help="other weights for meshes, too")
    chosen = parser.parse_args(arguments)
    with running.data_folder():
        found = [furniture_catalogue(limit=chosen.limit), families_catalogue()]
        rows: list[list[object]] = []
        for catalogue in found:
            every = [*catalogue.questions, *hybrids(catalogue.questions)]
            questions = some(every, chosen.most)
            with catalogue_filled(catalogue) as ids:
                for naming, named in catalogues(len(ids)):
                    catalogue_name(items_make(catalogue), ids, named)
                    # Names matter to words only.
                    asked = [q for q in questions if q.text or not named.any()]
                    rows += rows_make(f"{catalogue.title}, {naming}", asked, ids)
        headers = ["catalogue", "query", "half", "queries", "mini", "shape", "words", "fusion",
                   "best alone", "fusion's lead", "p", "won/lost"]  # fmt: skip
        print(running.table(headers, rows), flush=True)
        if chosen.sweep:
            swept = [row for of in found for row in sweep_mesh(of, some(of.questions, chosen.most))]
            print("\n" + running.table(["catalogue", "mini's share", "choose", "report"], swept))


if __name__ == "__main__":
    main()
