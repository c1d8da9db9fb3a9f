"""What is asked of a piece: the call's, its category's or the configuration's threshold and
tolerances; and what is known of the part's earlier pieces."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db.models import Q

from catalog.models import Part
from search.models import QcCalibration, QcThreshold

if TYPE_CHECKING:
    from search.engine.qc.judge import Calibration
    from search.engine.qc.types import QcLimits


@dataclass(frozen=True)
class Asked:
    """threshold: similarity from which a piece passes; tolerance and size as shares of 1;
    tolerance_mm; seconds a photo may take."""

    threshold: float
    tolerance: float
    tolerance_mm: float
    size: float
    seconds: float

    def to_json(self) -> dict[str, float]:
        return asdict(self)

    def limits(self, calibration: "Calibration") -> "QcLimits":
        """As the engine takes them: the threshold is one of p_good there."""
        from search.engine.qc.types import QcLimits

        return QcLimits(
            tolerance=self.tolerance,
            tolerance_mm=self.tolerance_mm,
            pass_at=p_good_at(calibration, self.threshold),
            size=self.size,
            seconds=self.seconds,
        )


def p_good_at(calibration: "Calibration", similarity: float) -> float:
    """The p_good that gives this similarity: the calibration's `similarity`, the other way."""
    from search.engine.qc.judge import ALERT

    if similarity == ALERT:
        return calibration.pass_at
    low, high = 0.0, 1.0
    for _ in range(60):  # monotone, so halving finds it whatever its formula is
        middle = (low + high) / 2
        if calibration.similarity(middle) < similarity:
            low = middle
        else:
            high = middle
    return high


def asked_of(part: Part, *, threshold: float | None = None) -> Asked:
    """What is asked of this part's pieces: `threshold` of the call, then its category's and those
    above it, then the general one, then the configuration's."""
    config = settings.SEARCH.inspection
    usual = QcThreshold(threshold=config.threshold)
    held = _threshold_of(part) or usual
    return Asked(
        threshold=held.threshold if threshold is None else threshold,
        tolerance=held.tolerance / 100,
        tolerance_mm=held.tolerance_mm,
        size=held.size / 100,
        seconds=config.seconds,
    )


def _threshold_of(part: Part) -> QcThreshold | None:
    chain: list[int] = []
    category = part.category
    while category is not None and category.pk not in chain:
        chain.append(category.pk)
        category = category.parent
    rows = QcThreshold.objects.filter(Q(category__in=chain) | Q(category=None))
    by = {row.category_id: row for row in rows.order_by("-pk")}
    return next((by[key] for key in [*chain, None] if key in by), None)


@dataclass(frozen=True)
class Learnt:
    """What decisions add to the log odds of a part's pieces; of how many of its own good and bad
    pieces, none when only the catalogue's were learnt from."""

    shift: float = 0.0
    n_good: int = 0
    n_bad: int = 0

    def to_json(self) -> dict[str, float | int]:
        return asdict(self)


def learnt_of(part: Part) -> Learnt:
    """What counts for this part of what was learnt (`learning.py`) by the shipped calibration."""
    from search.engine.qc.judge import calibration_shipped

    rows = QcCalibration.objects.filter(
        Q(part=part) | Q(part=None), version=calibration_shipped().version
    )
    by = {row.part_id: row for row in rows}
    catalogue, own = by.get(None), by.get(part.pk)
    shift = shift_joined(catalogue.data if catalogue else {}, own.data if own else None)
    return Learnt(shift, own.n_good if own else 0, own.n_bad if own else 0)


def shift_joined(catalogue: Mapping[str, Any], own: Mapping[str, Any] | None) -> float:
    """What is added to the log odds: a part's own shift, the catalogue's by what its own weighs
    less than 1, and no more than its confirmed bad pieces allow."""
    from search.engine.qc.simulate.calibrate import MOST_SHIFT

    shift = _number(catalogue, "shift")
    if own is not None:
        shift = _number(own, "shift") + (1 - _number(own, "weight")) * shift
        shift = min(shift, _number(own, "ceiling", MOST_SHIFT))
    return min(max(shift, -MOST_SHIFT), MOST_SHIFT)


def _number(data: Mapping[str, Any], name: str, without: float = 0.0) -> float:
    value = data.get(name)
    if not isinstance(value, int | float) or not math.isfinite(value):
        return without
    return float(value)


def calibration_of(learnt: Learnt) -> "Calibration":
    """The product's calibration, its odds moved by what was learnt."""
    from search.engine.qc.judge import calibration_shipped

    return replace(calibration_shipped(), shift=learnt.shift)
