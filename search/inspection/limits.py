"""What is asked of a piece: the call's, its category's or the configuration's threshold and
tolerances; and what is known of the part's earlier pieces."""

import math
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


def calibration_of(part: Part) -> "Calibration":
    """The product's calibration, its limit moved by what is known of this part's pieces."""
    from search.engine.qc.judge import calibration_shipped

    shipped = calibration_shipped()
    row = QcCalibration.objects.filter(part=part, version=shipped.version).first()
    shift = row.data.get("shift") if row else None
    if not isinstance(shift, int | float) or not math.isfinite(shift):
        return shipped
    return replace(shipped, shift=float(shift))


def calibration_json(calibration: "Calibration", part: Part) -> dict[str, Any]:
    """What an answer says of the calibration that judged it."""
    row = QcCalibration.objects.filter(part=part, version=calibration.version).first()
    return {
        "version": calibration.version,
        "n_good": calibration.n_good + (row.n_good if row else 0),
        "n_bad": calibration.n_bad + (row.n_bad if row else 0),
        "of_part": row is not None,
    }
