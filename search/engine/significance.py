"""Whether one engine is better than another on the same queries, or only luckier.

Pure functions on arrays of per-query values: (n,) each, paired by their places.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

EXACT_MOST = 12  # queries up to which every assignment of signs is tried: 4096


def paired_p(a: ArrayLike, b: ArrayLike, *, rounds: int = 10_000, seed: int = 0) -> float:
    """Two-sided p of the mean of a - b, (n,) each, n >= 1, by the paired randomisation test.

    Were the engines alike, each difference could as well have the other sign (Fisher; Smucker,
    Allan and Carterette, "A comparison of statistical significance tests for information retrieval
    evaluation", CIKM 2007). Exact for few queries; else of `rounds` random assignments, the one
    observed counted among them, so that p is never 0 (Phipson and Smyth, 2010).
    """
    differences = np.asarray(a, np.float64) - np.asarray(b, np.float64)
    if differences.ndim != 1 or not len(differences):
        raise ValueError("pairs of at least one query are compared")
    moved = differences[differences != 0]  # a sign changes nothing of the others
    if not len(moved):
        return 1.0
    seen = abs(float(moved.sum()))
    # Sums of the same numbers in another order differ in their last digits.
    least = seen - 1e-9 * max(1.0, seen)
    if len(moved) <= EXACT_MOST:
        sums = _signs_all(len(moved)) @ moved
        return float(np.mean(np.abs(sums) >= least))
    rng = np.random.default_rng(seed)
    sums = np.zeros(rounds)
    # A byte is eight signs; what its eight differences then add up to is looked up.
    for start in range(0, len(moved), 8):
        some = moved[start : start + 8]
        sums += (_signs_all(len(some)) @ some)[rng.integers(0, 2 ** len(some), rounds)]
    as_far = int(np.count_nonzero(np.abs(sums) >= least))
    return (1 + as_far) / (1 + rounds)


def _signs_all(n: int) -> NDArray[np.float64]:
    """(2^n, n) every assignment of +1 and -1."""
    bits = (np.arange(2**n)[:, None] >> np.arange(n)) & 1
    return (2.0 * bits - 1.0).astype(np.float64)


def holm(p_values: Sequence[float]) -> list[float]:
    """The p values of a family of tests, adjusted so that one false alarm in all is as unlikely.

    Holm, "A simple sequentially rejective multiple test procedure", 1979.
    """
    p = np.asarray(p_values, np.float64)
    order = np.argsort(p, kind="stable")
    factors = np.arange(len(p), 0, -1)
    stepped = np.minimum(1.0, np.maximum.accumulate(p[order] * factors))
    adjusted = np.empty(len(p))
    adjusted[order] = stepped
    return [float(value) for value in adjusted]
