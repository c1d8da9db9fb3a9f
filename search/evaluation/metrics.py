"""The figures of a run from its per-question values: pure, arrays in, JSON out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.engine.metrics import bootstrap_intervals, percentiles
from search.engine.significance import holm, paired_p

MEASURES = ("precision", "recall", "rr", "ndcg")
GROUPS = ("kind", "language", "source")
# Of fewer questions the bootstrap's interval is too narrow: of 10 whose values are 1 nine times in
# ten it holds the true mean two times in three, of 30 as often as it says.
FEW = 30
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Column:
    """One engine's answers: `positions` (n,) of the questions, `values` (n, 4) by MEASURES.

    `groups` has a word for each question: its kind, language and source.
    """

    positions: NDArray[np.int64]
    values: Floats
    ms: Floats
    groups: Mapping[str, Sequence[str]]


def figures(columns: Mapping[str, Column], *, seed: int) -> dict[str, Any]:
    """Of each engine: means with intervals over all questions and in each group, and times.

    "common" are the questions that every engine answered: only there are the means of engines
    that know words and of others side by side.
    """
    asked = [column.positions for column in columns.values()]
    common = reduce(np.intersect1d, asked) if asked else np.empty(0, np.int64)
    return {
        "engines": {name: _groups(column, common, seed) for name, column in columns.items()},
        "latency": {name: _latency(column) for name, column in columns.items() if len(column.ms)},
        "pairs": _pairs(columns, seed),
    }


def _groups(column: Column, common: NDArray[np.int64], seed: int) -> dict[str, Any]:
    found = {"all": _summary(column.values, seed)}
    found["common"] = _summary(column.values[np.isin(column.positions, common)], seed)
    for group in GROUPS:
        words = np.array(column.groups[group], dtype=str)
        for word in sorted(set(words.tolist()) - {""}):
            found[f"{group}:{word}"] = _summary(column.values[words == word], seed)
    return found


def _summary(values: Floats, seed: int) -> dict[str, Any]:
    """{"n", measure: [mean, low, high]}; the interval is the 95% bootstrap's."""
    summary: dict[str, Any] = {"n": len(values)}
    if len(values):
        summary |= _intervals(values, seed)
    return summary


def _latency(column: Column) -> dict[str, Any]:
    """Milliseconds of one question at a time, and how many a second that makes."""
    mean = float(column.ms.mean())
    found = {name: round(value, 2) for name, value in percentiles(column.ms).items()}
    return {"n": len(column.ms), "mean": round(mean, 2), **found,
            "per_s": round(1000 / mean, 2) if mean > 0 else None}  # fmt: skip


def _pairs(columns: Mapping[str, Column], seed: int) -> list[dict[str, Any]]:
    """Each two engines on the questions both answered; p adjusted over all pairs of a measure."""
    families: dict[str, list[dict[str, Any]]] = {measure: [] for measure in MEASURES}
    for a, b in combinations(columns, 2):
        both, in_a, in_b = np.intersect1d(
            columns[a].positions, columns[b].positions, return_indices=True
        )
        if not len(both):
            continue
        left, right = columns[a].values[in_a], columns[b].values[in_b]
        for place, (measure, difference) in enumerate(_intervals(left - right, seed).items()):
            p = paired_p(left[:, place], right[:, place], seed=seed)
            told = {"measure": measure, "a": a, "b": b, "n": len(both)}
            families[measure].append({**told, "difference": difference, "p": p})
    return [
        {**pair, "p_holm": p}
        for family in families.values()
        for pair, p in zip(family, holm([pair["p"] for pair in family]), strict=True)
    ]


def _intervals(values: Floats, seed: int) -> dict[str, list[float]]:
    """{measure: [mean, low, high]} of values (n, 4)."""
    means, reach = values.mean(axis=0), bootstrap_intervals(values, seed=seed)
    return {
        measure: _rounded([means[place], *reach[place]]) for place, measure in enumerate(MEASURES)
    }


def _rounded(values: Sequence[float]) -> list[float]:
    return [round(float(value), 6) for value in values]
