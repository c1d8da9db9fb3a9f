"""Which pairs of parts are called duplicates, and how rightly: `python -m bench.duplicates`.

Families of parts made by code (catalog/families), one part of each, altered as files come twice to
a catalogue: turned and subdivided, exported with twice as many segments a circle, thinned to half
its triangles, scaled, mirrored; revised (every number moved by up to 2 %); and beside them two
other parts of the same family. Thresholds are chosen on one half of the families (--choose)
and judged on the other. A pair is what the product compares: the part and each of the nearest by
shape and by looks among all of them.

    python -m bench.duplicates [--every N] [--choose]
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import zlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fast_simplification
import numpy as np
from tqdm import tqdm

from bench.running import django_ready, table
from catalog.families.registry import FAMILIES
from catalog.families.solids import triangles_of
from catalog.families.types import Family, Look, Range, Value, look_draw
from search.engine.mesh.normalise import mesh_normalise
from search.engine.shape.duplicate import LIMITS, Limits, duplicate_decide
from search.engine.shape.invariants import Invariants, invariants_measure
from search.engine.shape.relation import invariants_apart, relation_decide
from tests.factories.solids import mirrored, moved, subdivided

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

WORK = Path(__file__).parent / "work" / "duplicates"
REVISED = 0.02
NEAREST = 12  # as search/duplicates/services.py compares
# What the altered part is to the part it was made from.
ALTERED = {
    "subdivided": "same",
    "finer": "same",
    "thinned": "same",
    "scaled": "scaled",
    "finer, scaled": "scaled",
    "mirrored": "mirrored",
    "mirrored, thinned": "mirrored",
    "revised": "near",
    "sibling": "none",
    "sibling 2": "none",
}
Triangles = Any


def drawn(family: Family, seed: int) -> tuple[Look, dict[str, Value]]:
    rng = np.random.default_rng([seed, zlib.crc32(family.key.encode())])
    look = look_draw(rng)
    # Fewer segments are another shape than the circle they stand for.
    look = dataclasses.replace(look, n=max(look.n, 32))
    return look, {name: kind.draw(rng, "all") for name, kind in family.parameters.items()}


def made(family: Family, look: Look, parameters: Mapping[str, Value]) -> Triangles:
    return triangles_of(family.make(look, **parameters)).astype(np.float64)


def revised(family: Family, parameters: Mapping[str, Value], seed: int) -> dict[str, Value]:
    """Every number that is not a count moved by up to REVISED of itself, within its range."""
    rng = np.random.default_rng(seed)
    new = dict(parameters)
    for name, kind in family.parameters.items():
        if isinstance(kind, Range) and not kind.whole:
            value = float(new[name]) * (1 + rng.choice((-1, 1)) * rng.uniform(0.5, 1) * REVISED)
            new[name] = float(np.clip(value, kind.low, kind.high))
    return new


def thinned(triangles: Triangles) -> Triangles:
    vertices, faces = np.unique(triangles.reshape(-1, 3), axis=0, return_inverse=True)
    faces = faces.reshape(-1, 3)
    proper = (np.diff(faces[:, [0, 1, 2, 0]], axis=1) != 0).all(axis=1)
    fewer, chosen = fast_simplification.simplify(
        vertices.astype(np.float32), faces[proper].astype(np.int32), target_reduction=0.5
    )
    return fewer.astype(np.float64)[chosen]


def altered(family: Family, seed: int) -> Iterator[tuple[str, Triangles]]:
    """The part itself first, then what came of it."""
    look, parameters = drawn(family, 0)
    finer = dataclasses.replace(look, n=2 * look.n)
    part = made(family, look, parameters)
    yield "part", part
    yield "subdivided", moved(subdivided(part, seed=seed), seed=seed)
    yield "finer", moved(made(family, finer, parameters), seed=seed + 1)
    yield "thinned", moved(thinned(part), seed=seed + 2)
    yield "scaled", moved(part, seed=seed + 3, scale=1.2)
    yield "finer, scaled", moved(made(family, finer, parameters), seed=seed + 4, scale=0.7)
    yield "mirrored", moved(mirrored(part), seed=seed + 5)
    yield "mirrored, thinned", moved(mirrored(thinned(part)), seed=seed + 6)
    yield "revised", moved(made(family, look, revised(family, parameters, seed)), seed=seed + 7)
    for other in (1, 2):
        name = "sibling" if other == 1 else "sibling 2"
        yield name, moved(made(family, *drawn(family, other)), seed=seed + 7 + other)


@dataclass(frozen=True)
class Item:
    """One part of the gallery."""

    family: int
    kind: str
    invariants: Invariants
    shape: NDArray[np.float32]  # (110,)
    looks: NDArray[np.float32]  # (views, d)


def items_of(number: int, family: Family) -> list[Item]:
    """A family's parts, kept between runs."""
    from search.encode import mesh_vectors

    path = WORK / f"{family.key}.npz"
    if not path.exists():
        kinds, numbers, shapes, looks = [], [], [], []
        for kind, triangles in altered(family, number * 20):
            mesh = mesh_normalise(triangles, format="stl-binary")
            found = invariants_measure(mesh)
            vectors = mesh_vectors(mesh, ["mini", "shape"])
            kinds.append(kind)
            numbers.append([found.size, *found.shape, *found.hand])
            shapes.append(vectors["shape"][0])
            looks.append(vectors["mini"].astype(np.float16))
        WORK.mkdir(parents=True, exist_ok=True)
        np.savez(path, kinds=kinds, numbers=numbers, shapes=shapes, looks=looks)
    held = np.load(path, allow_pickle=False)
    return [
        Item(
            number,
            str(kind),
            Invariants(float(n[0]), tuple(map(float, n[1:13])), tuple(map(float, n[13:]))),
            shape,
            looks.astype(np.float32),
        )
        for kind, n, shape, looks in zip(
            held["kinds"], held["numbers"], held["shapes"], held["looks"], strict=True
        )
    ]


# Judging ----------------------------------------------------------------------------------------

GRID = {
    "shape": (5e-4, 1e-3, 2e-3, 3e-3, 5e-3, 8e-3),
    "hand": (1e-4, 3e-4, 1e-3),
    "size": (1e-3, 2e-3, 5e-3),
    "near": (0.02, 0.03, 0.05),
    "cosine": (0.995, 0.997, 0.998, 0.999),
    "revised": (0.0, 0.02, 0.03),
}
KINDS = ("same", "scaled", "mirrored", "near")
# Which alterations leave the size, and which the hand.
SIZES = {"scaled": 1.2, "finer, scaled": 0.7}
# What is the exact mirror image of what. A thinned part has a hand even where the part had none.
IMAGES = {"part": "mirrored", "thinned": "mirrored, thinned"}
GEOMETRY = {name for name, kind in ALTERED.items() if kind in {"same", "scaled", "mirrored"}}


@dataclass(frozen=True)
class Case:
    """Two items of the gallery, their descriptors' similarity, and what they truly are."""

    one: Item
    other: Item
    cosine: float
    truth: str
    met: bool  # whether either is among the nearest of the other


def cases_of(items: list[Item]) -> list[Case]:
    """Every pair that the product would compare, and every true pair that it would not."""
    handed = _handed(items)
    shapes = np.stack([item.shape for item in items])
    similar = shapes @ shapes.T
    np.fill_diagonal(similar, -1)
    near = [set(row) for row in np.argsort(-similar, axis=1)[:, :NEAREST]]
    for row, order in zip(near, _by_looks(items), strict=True):
        row.update(order)
    cases = []
    for i, one in enumerate(items):
        for j in range(i + 1, len(items)):
            other, met = items[j], j in near[i] or i in near[j]
            truth = _truth(one, other, handed)
            if truth is not None and (met or truth != "none"):
                cases.append(Case(one, other, float(similar[i, j]), truth, met))
    return cases


def _handed(items: list[Item]) -> set[tuple[int, str]]:
    """(family, kind) of the surfaces that are not their own mirror image."""
    known = {(item.family, item.kind): item.invariants for item in items}
    return {
        (family, kind)
        for family, kind in known
        if kind in IMAGES
        and relation_decide(known[family, kind], known[family, IMAGES[kind]]).kind == "mirrored"
    }


def _by_looks(items: list[Item]) -> list[list[int]]:
    """The NEAREST of each by the mean over its views of the other's best view."""
    views = len(items[0].looks)
    flat = np.concatenate([item.looks for item in items])
    found = []
    for i, item in enumerate(items):
        similar = (item.looks @ flat.T).reshape(views, len(items), views).max(2).mean(0)
        similar[i] = -1
        found.append(np.argsort(-similar)[:NEAREST].tolist())
    return found


def _truth(one: Item, other: Item, handed: set[tuple[int, str]]) -> str | None:
    """None where nobody can say: other numbers of a family may give one shape in two sizes."""
    if one.family != other.family:
        return "none"
    kinds = {one.kind, other.kind}
    if kinds <= GEOMETRY | {"part"}:
        surface = "thinned" if kinds == {"thinned", IMAGES["thinned"]} else "part"
        if (one.family, surface) in handed and _mirrored(one) != _mirrored(other):
            return "mirrored"
        return "same" if SIZES.get(one.kind, 1) == SIZES.get(other.kind, 1) else "scaled"
    if relation_decide(one.invariants, other.invariants).kind != "similar":
        return None
    return "near" if "revised" in kinds and kinds <= GEOMETRY | {"part", "revised"} else "none"


def _mirrored(item: Item) -> bool:
    return item.kind.startswith("mirrored")


def counted(cases: list[Case], limits: Limits) -> Counter[tuple[str, str]]:
    """(truth, answer) -> pairs."""
    found: Counter[tuple[str, str]] = Counter()
    for case in cases:
        answer = None
        if case.met:
            answer = duplicate_decide(
                case.one.invariants, case.other.invariants, cosine=case.cosine, limits=limits
            )
        found[case.truth, answer.kind if answer else "none"] += 1
    return found


def rates(found: Counter[tuple[str, str]], kinds: tuple[str, ...]) -> tuple[float, float]:
    """Precision and recall of calling a pair one of these kinds."""
    said = sum(n for (_, answer), n in found.items() if answer in kinds)
    true = sum(n for (truth, _), n in found.items() if truth in kinds)
    right = sum(n for (truth, answer), n in found.items() if truth in kinds and answer in kinds)
    return right / max(said, 1), right / max(true, 1)


def goodness(found: Counter[tuple[str, str]]) -> float:
    """The mean of the harmonic means of precision and recall, of each kind and of them all."""
    each = [rates(found, (kind,)) for kind in KINDS] + [rates(found, KINDS)]
    return float(np.mean([2 * p * r / max(p + r, 1e-9) for p, r in each]))


def choose(cases: list[Case]) -> Limits:
    """The best of the grid; of equals the narrowest."""
    best = max(
        (Limits(*values) for values in itertools.product(*GRID.values())),
        key=lambda limits: (round(goodness(counted(cases, limits)), 4), -limits.shape),
    )
    print(f"chosen: {best}, goodness {goodness(counted(cases, best)):.3f}\n")
    return best


def report(title: str, cases: list[Case], limits: Limits) -> None:
    found = counted(cases, limits)
    rows: list[list[object]] = []
    for name, kinds in [*((kind, (kind,)) for kind in KINDS), ("a duplicate at all", KINDS)]:
        precision, recall = rates(found, kinds)
        true = sum(n for (truth, _), n in found.items() if truth in kinds)
        rows.append([name, true, f"{precision:.3f}", f"{recall:.3f}"])
    print(f"{title}: {len(cases)} pairs, {sum(case.met for case in cases)} compared\n")
    print(table(["relation", "true pairs", "precision", "recall"], rows), "\n")
    answers = [*KINDS, "none"]
    print(
        table(
            ["truth \\ answer", *answers],
            [[truth, *(found[truth, answer] for answer in answers)] for truth in answers],
        ),
        "\n",
    )


def alterations_report(items: list[Item], limits: Limits) -> None:
    """How far each alteration moves the invariants, and what the part and it are called."""
    parts = {item.family: item for item in items if item.kind == "part"}
    rows: list[list[object]] = []
    for name in ALTERED:
        some = [item for item in items if item.kind == name]
        apart, cosines, said = [], [], Counter()
        for item in some:
            part = parts[item.family]
            cosines.append(float(part.shape @ item.shape))
            apart.append(invariants_apart(part.invariants.shape, item.invariants.shape))
            found = duplicate_decide(
                part.invariants, item.invariants, cosine=cosines[-1], limits=limits
            )
            said[found.kind if found else "none"] += 1
        middle, most = np.quantile(apart, [0.5, 0.95])
        rows.append(
            [name, *(said[kind] for kind in (*KINDS, "none")), f"{middle:.1e}", f"{most:.1e}",
             f"{min(cosines):.4f}", f"{np.median(cosines):.4f}"]
        )  # fmt: skip
    head = ["altered", *KINDS, "none", "apart, median", "95 %", "cosine, least", "median"]
    print(table(head, rows), "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--every", type=int, default=3, help="of the families, one in so many")
    parser.add_argument("--choose", action="store_true", help="search the grid on the first half")
    options = parser.parse_args()
    django_ready()
    chosen = list(enumerate(FAMILIES.values()))[:: options.every]
    halves: list[list[Item]] = [[], []]
    for place, (number, family) in enumerate(tqdm(chosen, desc="families")):
        halves[place % 2] += items_of(number, family)
    first, second = map(cases_of, halves)
    limits = choose(first) if options.choose else LIMITS
    print(f"{len(chosen)} families, {limits}\n")
    report("First half, chosen on", first, limits)
    report("Second half", second, limits)
    alterations_report(halves[1], limits)


if __name__ == "__main__":
    main()
