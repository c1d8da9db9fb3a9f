"""Numbers that may be read as probabilities: how they are fitted, and how far they can be trusted.

A strength is a similarity calibrated to 0..1: the share of first hits this similar that were right
when it was measured. A confidence is the same of a classifier's answer. Pure functions on arrays;
knows no engines and no files.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, overload

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

    Float = NDArray[np.float64]

STEPS = 100  # of Newton's method; a logistic fit takes about ten
COLDEST, HOTTEST = 1e-4, 1e4  # temperatures looked at: a fit at either end says nothing was learnt


@dataclass(frozen=True)
class Logistic:
    """strength = 1 / (1 + exp(-(slope * similarity + offset)))."""

    slope: float
    offset: float

    @overload
    def strength(self, similarity: float) -> float: ...

    @overload
    def strength(self, similarity: NDArray[np.floating]) -> Float: ...

    def strength(self, similarity: float | NDArray[np.floating]) -> float | Float:
        """The strength in 0..1 of one similarity, or of an array of any shape."""
        # By tanh: exp of a large number would overflow.
        raised = self.slope * np.asarray(similarity, np.float64) + self.offset
        strength = 0.5 * (1 + np.tanh(raised / 2))
        return strength if isinstance(similarity, np.ndarray) else float(strength)

    def to_json(self) -> dict[str, float]:
        return {"slope": self.slope, "offset": self.offset}

    @classmethod
    def from_json(cls, data: Mapping[str, float]) -> Logistic:
        return cls(slope=float(data["slope"]), offset=float(data["offset"]))


def logistic_fit(similarities: ArrayLike, right: ArrayLike) -> Logistic:
    """The logistic that tells best how often an answer this similar is right.

    similarities (n,), right (n,) bool, n >= 1. Platt, "Probabilistic outputs for support vector
    machines" (1999), with its softened targets, which keep the curve finite when right and wrong
    do not overlap; Newton's method with backtracking as in Lin, Lin and Weng, "A note on Platt's
    probabilistic outputs" (2007). Raises ValueError when there is nothing to fit.
    """
    values, truth = np.asarray(similarities, np.float64), np.asarray(right, bool)
    if values.ndim != 1 or values.shape != truth.shape or not len(values):
        raise ValueError(f"cannot fit similarities {values.shape} to answers {truth.shape}")
    n_right = int(truth.sum())
    n_wrong = len(truth) - n_right
    targets = np.where(truth, (n_right + 1) / (n_right + 2), 1 / (n_wrong + 2))
    # Similarities of one engine lie close together; standardised, Newton's steps fit them all.
    centre, width = float(values.mean()), float(values.std()) or 1.0
    columns = np.stack([(values - centre) / width, np.ones_like(values)], axis=1)

    def loss(weights: Float) -> float:
        raised = columns @ weights
        return float(np.sum(np.logaddexp(0, raised) - targets * raised))

    weights = np.array([0.0, np.log((n_right + 1) / (n_wrong + 1))])
    for _ in range(STEPS):
        strengths = 0.5 * (1 + np.tanh(columns @ weights / 2))
        gradient = columns.T @ (strengths - targets)
        curvature = (columns * (strengths * (1 - strengths))[:, None]).T @ columns
        step = np.linalg.solve(curvature + 1e-9 * np.eye(2), gradient)
        held, length = loss(weights), 1.0
        while length > 1e-9 and loss(weights - length * step) > held:
            length /= 2
        weights = weights - length * step
        if np.abs(step).max() < 1e-9:
            break
    slope = float(weights[0]) / width
    return Logistic(slope=slope, offset=float(weights[1]) - slope * centre)


def softmax(logits: ArrayLike) -> Float:
    """(..., c) -> probabilities of the same shape along the last axis."""
    values = np.asarray(logits, np.float64)
    raised = np.exp(values - values.max(axis=-1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=-1, keepdims=True), np.float64)


def temperature_fit(logits: ArrayLike, labels: ArrayLike) -> float:
    """The temperature T for which softmax(logits / T) gives the labels the greatest likelihood.

    logits (n, c), labels (n,) of the right columns, n >= 1. Guo et al., "On calibration of modern
    neural networks", ICML 2017. The loss is convex in 1/T, so its slope is bisected. Labels that
    the logits always, or never, favour give the coldest or the hottest temperature.
    """
    values, truth = np.asarray(logits, np.float64), np.asarray(labels, np.int64)
    if values.ndim != 2 or truth.shape != values.shape[:1] or not values.size:
        raise ValueError(f"cannot fit logits {values.shape} to labels {truth.shape}")
    given = values[np.arange(len(values)), truth].mean()
    low, high = np.log(COLDEST), np.log(HOTTEST)
    for _ in range(60):
        middle = (low + high) / 2
        expected = np.sum(softmax(values / np.exp(middle)) * values, axis=1).mean()
        # What is expected falls as it gets hotter; at the best T it is what was given.
        low, high = (middle, high) if expected > given else (low, middle)
    return float(np.exp((low + high) / 2))


@dataclass(frozen=True)
class Reliability:
    """One bin of a reliability curve: answers whose confidence lay in low..high."""

    low: float
    high: float
    n: int
    confidence: float  # their mean
    right: float  # the share of them that was right


def reliability(confidence: ArrayLike, right: ArrayLike, *, bins: int = 10) -> list[Reliability]:
    """The reliability curve: answers (n,) in equal bins of confidence, the empty ones left out.

    DeGroot and Fienberg, "The comparison and evaluation of forecasters" (1983).
    """
    values, truth = np.asarray(confidence, np.float64), np.asarray(right, bool)
    if values.ndim != 1 or values.shape != truth.shape:
        raise ValueError(f"confidences {values.shape} are not those of answers {truth.shape}")
    if len(values) and not (values.min() >= 0 and values.max() <= 1):
        raise ValueError("a confidence lies in 0..1")
    places = np.minimum((values * bins).astype(np.int64), bins - 1)
    return [
        Reliability(
            low=place / bins,
            high=(place + 1) / bins,
            n=int(np.count_nonzero(places == place)),
            confidence=float(values[places == place].mean()),
            right=float(truth[places == place].mean()),
        )
        for place in np.unique(places).tolist()
    ]


def calibration_error(confidence: ArrayLike, right: ArrayLike, *, bins: int = 10) -> float:
    """Expected calibration error: how far confidence is from the share that was right, on average.

    Naeini, Cooper and Hauskrecht, "Obtaining well calibrated probabilities using Bayesian
    binning", AAAI 2015. 0 for no answers.
    """
    rows = reliability(confidence, right, bins=bins)
    total = sum(row.n for row in rows)
    return sum(row.n * abs(row.confidence - row.right) for row in rows) / total if total else 0.0
