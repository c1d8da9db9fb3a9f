"""From measures to a probability and a verdict.

A calibration is a logistic regression over how far piece and part differ, learnt from photos of
good pieces and bad ones, and two limits read from the good ones alone. It travels as JSON.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from search.engine.qc.types import Measures
    from search.engine.render.types import Doubles

SHIPPED = Path(__file__).with_name("calibration.json")
# Shares of good pieces that lie under the limits: one in 25 is looked at again, one in a
# hundred would be called bad.
REVIEWED, FAILED = 0.04, 0.01
# A piece that is likelier bad than good is looked at again, although good ones may be so unlike.
EVEN = 0.5
# A deviation of the outline this wide (diagonals, weighed by its colours) counts whatever else
# speaks for the piece: sums of evidence would outvote a missing corner.
PLAIN = 0.05
# The similarity of a piece just at the limit of passing: the alert people know.
ALERT = 0.9
_FLOOR = {
    "iou": 0.01, "mean": 0.002, "p95": 0.003, "thickness": 0.006, "blob": 1e-4, "weighed": 0.005,
    "unexplained": 3e-4, "surface": 3e-4, "strength": 0.5, "contrast": 0.5, "pixel": 1e-4,
}  # fmt: skip
FEATURES = (
    "iou", "mean", "p95", "thickness", "blob", "evidence", "weighed", "supported", "unsupported",
    "unexplained", "shading", "surface", "strength", "contrast", "pixel",
)  # fmt: skip


def measures_features(measures: Measures) -> Doubles:
    """(f,) what the regression reads: lengths and areas by their logarithm, which a doubling
    changes alike everywhere."""
    values = asdict(measures) | {"iou": 1 - measures.iou}
    return np.array(
        [
            np.log(values[name] + _FLOOR[name]) if name in _FLOOR else values[name]
            for name in FEATURES
        ]
    )


@dataclass(frozen=True)
class Calibration:
    """p_good = 1 / (1 + exp(-(offset + weights . (features - middles) / spreads))).

    `pass_at` and `fail_under` are p_good of the shares REVIEWED and FAILED of good pieces: below
    the first a piece counts as unlike them (`pass_limit` tells what passes);
    `fused` mixes the log odds of several photos: the weights of their mean and of their lowest.
    """

    version: str
    n_good: int
    n_bad: int
    features: tuple[str, ...]
    middles: tuple[float, ...]
    spreads: tuple[float, ...]
    weights: tuple[float, ...]
    offset: float
    pass_at: float
    fail_under: float
    fused: tuple[float, float] = (0.6, 0.6)
    shift: float = 0.0
    """added to the log odds: what is known of one part"""

    def odds(self, measures: Measures) -> float:
        """Log odds that the piece is good."""
        features = measures_features(measures)
        scaled = (features - np.array(self.middles)) / np.array(self.spreads)
        odds = float(self.offset + self.shift + np.clip(scaled, -4, 4) @ np.array(self.weights))
        if measures.weighed <= PLAIN:
            return odds
        limit = float(np.log(self.pass_at / (1 - self.pass_at)))
        return min(odds, limit - 0.01 - 0.5 * float(np.log(measures.weighed / PLAIN)))

    def fused_odds(self, odds: Doubles) -> float:
        """Log odds that the piece of these photos (n,) is good; of one, its own."""
        if len(odds) == 1:
            return float(odds[0])
        return float(self.fused[0] * odds.mean() + self.fused[1] * odds.min())

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Calibration:
        """Raises ValueError when it was made for other features."""
        values: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in data.items()
        }
        made = cls(**values)
        if made.features != FEATURES:
            raise ValueError("the calibration is of other features")
        return made

    def similarity(self, p_good: float) -> float:
        """0..1, monotone in p_good; ALERT at `pass_at`, even on either side of it."""
        limit = min(max(self.pass_at, 1e-6), 1 - 1e-6)
        if p_good < limit:
            return float(ALERT * max(p_good, 0.0) / limit)
        return float(1 - (1 - ALERT) * (1 - min(p_good, 1.0)) / (1 - limit))


@cache
def calibration_shipped() -> Calibration:
    """Learnt by `python -m bench.qc --calibrate`."""
    return Calibration.from_json(json.loads(SHIPPED.read_text()))


def pass_limit(asked: float, shipped: float) -> float:
    """p_good from which a piece passes: even odds at least, unless people ask for less than the
    calibration does. `shipped` is its `pass_at`, by which alone a piece counts as unlike."""
    return asked if asked < shipped else max(asked, EVEN)


def probability(odds: float) -> float:
    return float(0.5 * (1 + np.tanh(odds / 2)))


def calibration_fit(
    features: Doubles, good: Sequence[bool], *, version: str, penalty: float = 1.0
) -> Calibration:
    """Of (n, f) features and whether each is of a good piece; classes weigh alike.

    Logistic regression with a ridge, by Newton's method (Hastie, Tibshirani, Friedman 2009, 4.4).
    Raises ValueError without both kinds.
    """
    truth = np.asarray(good, bool)
    if not truth.any() or truth.all():
        raise ValueError("a calibration needs good pieces and bad ones")
    middles, spreads = features.mean(0), features.std(0) + 1e-9
    scaled = np.clip((features - middles) / spreads, -4, 4)
    columns = np.column_stack([np.ones(len(scaled)), scaled])
    per = np.where(truth, 0.5 / truth.sum(), 0.5 / (~truth).sum()) * len(truth)
    weights = np.zeros(columns.shape[1])
    ridge = penalty * np.eye(len(weights))
    ridge[0, 0] = 0
    for _ in range(50):
        chance = 0.5 * (1 + np.tanh(columns @ weights / 2))
        gradient = columns.T @ (per * (chance - truth)) + ridge @ weights
        curvature = (columns * (per * chance * (1 - chance) + 1e-9)[:, None]).T @ columns + ridge
        step = np.linalg.solve(curvature, gradient)
        weights = weights - step
        if np.abs(step).max() < 1e-8:
            break
    chance = 0.5 * (1 + np.tanh(columns @ weights / 2))
    reviewed, failed = np.quantile(chance[truth], [REVIEWED, FAILED]).round(6).tolist()
    return Calibration(
        version=version,
        n_good=int(truth.sum()),
        n_bad=int((~truth).sum()),
        features=FEATURES,
        middles=tuple(middles.round(6).tolist()),
        spreads=tuple(spreads.round(6).tolist()),
        weights=tuple(weights[1:].round(6).tolist()),
        offset=round(float(weights[0]), 6),
        pass_at=reviewed,
        fail_under=min(failed, EVEN),
    )
