"""Does a word find the part it names, by the part's looks alone? The words side's figures.

Names of files are never read: text and views meet in the words space only. Relevant is a part of
exactly the name, family or class asked for, so that a synonym's part counts as wrong. Choices are
made on the validation split; the test split is looked at once, when all is chosen.

    python -m bench.quality_words [--split validation] [--folder models] [--others DIR]
"""

import argparse
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bench.others import CLASSES, others_read
from bench.quality_icons import WORK
from bench.words_galleries import (
    Gallery,
    Split,
    families_gallery,
    furniture_gallery,
    furniture_parts,
    others_gallery,
)
from catalog.families.registry import FAMILIES
from catalog.families.types import Family, Phrases
from search.engine import metrics
from search.engine.encoders.mini import MiniEncoder
from search.engine.fusion import views_mean
from search.engine.text.fold import fold
from training.collections.held_out import HELD_OUT_FAMILIES
from training.collections.types import CollectionPart

MODELS = WORK.parents[1] / "models"
OTHERS = WORK / "others"
FURNITURE_SCRIPTS = ("en", "zh_hant", "zh_hans")


class WordHeads(Protocol):
    """What is measured: texts and features into one space."""

    def texts_embed(self, texts: list[str]) -> NDArray[np.float32]: ...

    def features_words(self, features: NDArray[np.float32]) -> NDArray[np.float32]: ...


@dataclass(frozen=True)
class Task:
    """Queries in one script against a gallery; `relevant` (q, p) says which parts are right."""

    name: str
    script: str
    queries: list[str]
    relevant: NDArray[np.bool_]
    gallery: NDArray[np.float32]  # (p, dw)


@dataclass(frozen=True)
class Result:
    """One value a query of each measure."""

    task: Task
    values: Mapping[str, NDArray[np.float64]]

    def mean(self, measure: str) -> float:
        return float(self.values[measure].mean())


def task_run(task: Task, heads: WordHeads) -> Result:
    """Every query of the task against its whole gallery."""
    similarity = heads.texts_embed(task.queries) @ task.gallery.T
    order = np.argsort(-similarity, axis=1, kind="stable")
    ranked = np.take_along_axis(task.relevant, order, axis=1).astype(np.float64)
    counts = task.relevant.sum(axis=1)
    values = {
        **{f"S@{k}": (ranked[:, :k].max(axis=1) > 0).astype(np.float64) for k in (1, 5, 10)},
        "R@10": np.array(
            [
                metrics.recall_at_k(row, 10, relevant=int(n))
                for row, n in zip(ranked, counts, strict=True)
            ]
        ),
        "MRR": np.array([metrics.reciprocal_rank(row) for row in ranked]),
        "nDCG@10": np.array([metrics.ndcg_at_k(row, 10, ideal=row) for row in ranked]),
    }
    return Result(task, values)


def parts_embed(heads: WordHeads, gallery: Gallery) -> NDArray[np.float32]:
    """(p, dw): one row a part, the mean of its views, as the product keeps it."""
    return np.concatenate(
        [views_mean(heads.features_words(part.astype(np.float32))) for part in gallery.features]
    )


def task_make(
    name: str,
    script: str,
    asked: Mapping[str, Iterable[str]],
    kinds: NDArray[np.str_],
    vectors: NDArray[np.float32],
) -> Task | None:
    """`asked` maps each query to the kinds it means. None when nothing can be asked."""
    relevant = {query: np.isin(kinds, list(meant)) for query, meant in asked.items()}
    relevant = {query: row for query, row in relevant.items() if row.any()}
    if not relevant:
        return None
    return Task(name, script, list(relevant), np.stack(list(relevant.values())), vectors)


# --- furniture: names that training never saw ----------------------------------------------


def furniture_tasks(
    gallery: Gallery, vectors: NDArray[np.float32], split: Split
) -> Iterator[Task | None]:
    """Names of the split, among the parts with names unknown to training, and among all.

    A name is asked in a script when no part that trains bears it, in either Chinese script.
    """
    parts = furniture_parts()
    kinds = gallery.kinds
    unseen = np.array([parts[part.key].split == split for part in gallery.parts])
    for script in FURNITURE_SCRIPTS:
        asked = _names_asked(parts.values(), script, split)
        for name, which in (("unseen names", unseen), ("all parts", unseen | True)):
            yield task_make(f"furniture, {name}", script, asked, kinds[which], vectors[which])


def _names_asked(parts: Iterable[CollectionPart], script: str, split: Split) -> dict[str, set[str]]:
    """Each name in the script -> the English names of the parts that bear it."""
    bearers: dict[str, set[str]] = {}
    known: set[str] = set()
    wanted: dict[str, str] = {}
    for part in parts:
        # Either Chinese name is a name in Chinese: the encoder reads both folded.
        scripts = ("en",) if script == "en" else ("zh_hant", "zh_hans")
        names = {fold(name) for each in scripts for name in getattr(part.captions, each)[:1]}
        for name in names:
            bearers.setdefault(name, set()).add(part.name)
        if part.split != split:  # weights judged on a split learn from all the others
            known |= names
        else:
            wanted |= {fold(name): name for name in getattr(part.captions, script)[:1]}
    return {name: bearers[folded] for folded, name in wanted.items() if folded not in known}


# --- families: paraphrases, ranges and whole families that training never saw --------------


def families_tasks(
    gallery: Gallery, vectors: NDArray[np.float32], turned: str
) -> Iterator[Task | None]:
    """Held-out paraphrases of families that train; every wording of families that do not."""
    for script in Phrases._fields:
        meant = _meanings(script)
        trained = [f for key, f in FAMILIES.items() if key not in HELD_OUT_FAMILIES]
        asked = {name: meant[fold(name)] for f in trained for name in getattr(f.held_out, script)}
        yield task_make(f"families, paraphrases, {turned}", script, asked, gallery.kinds, vectors)
        apart = [FAMILIES[key] for key in sorted(HELD_OUT_FAMILIES)]
        asked = {name: meant[fold(name)] for f in apart for name in _wordings(f, script)}
        yield task_make(f"families left out, {turned}", script, asked, gallery.kinds, vectors)


def _wordings(family: Family, script: str) -> tuple[str, ...]:
    return getattr(family.phrases, script) + getattr(family.held_out, script)


def _meanings(script: str) -> dict[str, set[str]]:
    """Each wording, folded -> the families called so."""
    meant: dict[str, set[str]] = {}
    for key, family in FAMILIES.items():
        for name in _wordings(family, script):
            meant.setdefault(fold(name), set()).add(key)
    return meant


# --- parts made by others ------------------------------------------------------------------


def others_tasks(
    gallery: Gallery, vectors: NDArray[np.float32], source: Path, split: Split
) -> Iterator[Task | None]:
    """Half of the classes by name, among the parts of all classes; and half of the broad names."""
    parts = others_read(source)
    for script in ("en", "zh_hant"):
        called: dict[str, set[str]] = {}
        for part in parts:
            name = part.class_en if script == "en" else part.class_zh
            called.setdefault(name, set()).add(part.class_en)
        for task, asked in (("class", called), ("broad class", _broader(called, script))):
            half = {name: meant for name, meant in asked.items() if _half(min(meant)) == split}
            name = f"others, {task}, {source.name}"
            yield task_make(name, script, half, gallery.kinds, vectors)


def _broader(called: Mapping[str, set[str]], script: str) -> dict[str, set[str]]:
    """What several classes are: the last word, or the last two characters, that they share."""
    found: dict[str, set[str]] = {}
    for name, meant in called.items():
        last = name.split()[-1] if script == "en" else name[-2:]
        found.setdefault(last, set()).update(meant)
    return {last: meant for last, meant in found.items() if len(meant) > 1}


def _half(kind: str) -> Split:
    even = hashlib.sha256(f"others:{kind}".encode()).digest()[0] % 2 == 0
    return "validation" if even else "test"


# --- the run -------------------------------------------------------------------------------


def tasks_all(
    encoder: MiniEncoder, folder: Path, *, split: Split, others: Iterable[Path] = ()
) -> Iterator[Task]:
    """Every task there is; galleries never seen by this network are drawn first."""
    gallery = furniture_gallery(encoder, folder)
    found = list(furniture_tasks(gallery, parts_embed(encoder, gallery), split))
    for turned in ("upright", "any"):
        gallery = families_gallery(encoder, folder, split=split, turned=turned)
        found += families_tasks(gallery, parts_embed(encoder, gallery), turned)
    for source in others:
        gallery = others_gallery(encoder, folder, source)
        found += others_tasks(gallery, parts_embed(encoder, gallery), source, split)
    return (task for task in found if task is not None)


def results_print(results: Iterable[Result]) -> None:
    """Markdown; S@k is the share of queries with a right part among the first k."""
    shown = ("S@1", "S@5", "S@10", "R@10", "MRR", "nDCG@10")
    print(f"| task | script | queries -> parts | {' | '.join(shown)} |")
    print("|---" * (len(shown) + 3) + "|")
    for result in results:
        task = result.task
        cells = [f"{result.mean(measure):.3f}" for measure in shown]
        for measure in ("S@10", "nDCG@10"):
            low, high = metrics.bootstrap_interval(result.values[measure])
            cells[shown.index(measure)] += f" ({low:.2f}-{high:.2f})"
        queries, parts = task.relevant.shape
        row = (task.name, task.script, f"{queries} -> {parts}", *cells)
        print(f"| {' | '.join(row)} |")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--split", choices=("validation", "test"), default="validation")
    parser.add_argument("--folder", type=Path, default=MODELS, help="the encoder's files")
    parser.add_argument("--others", type=Path, nargs="*", default=[OTHERS])
    chosen = parser.parse_args(arguments)
    others = [folder for folder in chosen.others if (folder / CLASSES).exists()]
    for folder in set(chosen.others) - set(others):
        print(f"{folder} holds no parts: python -m bench.others says how to make them")
    encoder = MiniEncoder(chosen.folder)
    tasks = tasks_all(encoder, chosen.folder, split=chosen.split, others=others)
    print(f"{encoder.words_space.key}, {chosen.split} split")
    results_print(task_run(task, encoder) for task in tasks)


if __name__ == "__main__":
    main()
