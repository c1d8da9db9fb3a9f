"""The figures of a run from its per-question values: pure, arrays in, JSON out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.engine.metrics import bootstrap_interval, percentiles
from search.engine.significance import holm, paired_p

MEASURES = ("precision", "recall", "rr", "ndcg")
GROUPS = ("kind", "language", "source")
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
        for place, measure in enumerate(MEASURES):
            of = values[:, place]
            summary[measure] = _rounded([of.mean(), *bootstrap_interval(of, seed=seed)])
    return summary


def _latency(column: Column) -> dict[str, Any]:
    """Milliseconds of one question at a time, and how many a second that makes."""
    mean = float(column.ms.mean())
    found = {name: round(value, 2) for name, value in percentiles(column.ms).items()}
    return {"n": len(column.ms), "mean": round(mean, 2), **found,
            "per_s": round(1000 / mean, 2) if mean > 0 else None}  # fmt: skip


def _pairs(columns: Mapping[str, Column], seed: int) -> list[dict[str, Any]]:
    """Each two engines on the questions both answered; p adjusted over all pairs of a measure."""
    found: list[dict[str, Any]] = []
    for place, measure in enumerate(MEASURES):
        family = []
        for a, b in combinations(columns, 2):
            both, in_a, in_b = np.intersect1d(
                columns[a].positions, columns[b].positions, return_indices=True
            )
            if not len(both):
                continue
            left, right = columns[a].values[in_a, place], columns[b].values[in_b, place]
            low, high = bootstrap_interval(left - right, seed=seed)
            family.append(
                {
                    "measure": measure,
                    "a": a,
                    "b": b,
                    "n": len(both),
                    "difference": _rounded([float((left - right).mean()), low, high]),
                    "p": paired_p(left, right, seed=seed),
                }
            )
        adjusted = holm([pair["p"] for pair in family])
        found += [{**pair, "p_holm": p} for pair, p in zip(family, adjusted, strict=True)]
    return found


def _rounded(values: Sequence[float]) -> list[float]:
    return [round(float(value), 6) for value in values]
