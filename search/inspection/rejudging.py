"""Decided inspections by the calibration of today, when another one judged them.

A run keeps what it measured of each photo, so the log odds follow anew without looking at pictures
again. Verdicts and similarities stay as they were told; only what is learnt from decisions
(`learning.py`) reads these odds. Measures that lack what the calibration reads give none: that run
teaches nothing until it is run again, or until another calibration reads what there is.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np
from django.db import transaction
from django.db.models import Prefetch, Q, QuerySet

from search.inspection.running import HOPELESS
from search.models import Inspection, InspectionPhoto

if TYPE_CHECKING:
    from search.engine.qc.judge import Calibration
    from search.engine.qc.types import Measures

# Of one part's decisions at a time, the latest ones; and as many held in one transaction.
MOST, BATCH = 2000, 200


def part_rejudge(part_id: int, shipped: "Calibration") -> int:
    """Give a part's decided inspections their odds by the shipped calibration. Returns how many.

    Each is marked as unlearnt, so that a worker that dies before the lesson leaves it to the sweep.
    """
    done = 0
    while done < MOST:
        with transaction.atomic():
            # Held, so that a run that ends meanwhile is not overwritten.
            rows = list(
                outdated(shipped)
                .filter(part_id=part_id)
                .select_for_update()
                .order_by("-decided_at", "-pk")
                .only("odds", "odds_version", "unlearnt")
                .prefetch_related(Prefetch("photos", _photos()))[: min(BATCH, MOST - done)]
            )
            photos = [photo for row in rows for photo in row.photos.all()]
            for row in rows:
                _rejudge(row, shipped)
            Inspection.objects.bulk_update(rows, ["odds", "odds_version", "unlearnt"])
            InspectionPhoto.objects.bulk_update(photos, ["odds"])
        if not rows:
            break
        done += len(rows)
    return done


def parts_outdated(shipped: "Calibration", *, most: int) -> set[int]:
    """Parts with decisions about pieces that another calibration judged, up to `most`."""
    # In the order of the index, of which alone it is answered then.
    rows = outdated(shipped).order_by("odds_version", "part_id")
    return {part for _, part in rows.values_list("odds_version", "part_id").distinct()[:most]}


def outdated(shipped: "Calibration") -> QuerySet[Inspection]:
    # Less or greater, not unequal: these are ranges of an index, and empty on most days.
    other = Q(odds_version__lt=shipped.version) | Q(odds_version__gt=shipped.version)
    return Inspection.objects.exclude(decision=Inspection.Decision.OPEN).filter(other)


def _photos() -> QuerySet[InspectionPhoto]:
    return InspectionPhoto.objects.only("inspection", "odds", "measures", "reasons")


def _rejudge(row: Inspection, shipped: "Calibration") -> None:
    """Its odds and those of its photos, as a run by this calibration would leave them."""
    photos = row.photos.all()
    for photo in photos:
        photo.odds = measures_odds(photo.measures, shipped)
    odds = [photo.odds for photo in photos if photo.measures]
    hopeless = any(reason["code"] in HOPELESS for photo in photos for reason in photo.reasons)
    row.odds = None if hopeless else odds_fused(odds, shipped)
    row.odds_version, row.unlearnt = shipped.version, True


def measures_odds(kept: Mapping[str, Any], shipped: "Calibration") -> float | None:
    """Log odds of a photo that measured this; None without what the calibration reads."""
    measures = measures_read(kept, shipped.features)
    odds = None if measures is None else shipped.odds(measures)
    return odds if odds is not None and math.isfinite(odds) else None


def measures_read(kept: Mapping[str, Any], wanted: Sequence[str]) -> "Measures | None":
    """Measures as a photo's row keeps them; None when one of `wanted` is missing or no number."""
    from search.engine.qc.types import Measures

    if not all(isinstance(kept.get(name), int | float) for name in wanted):
        return None
    known = {field.name: kept.get(field.name) for field in fields(Measures)}
    return Measures(**{name: math.nan if v is None else float(v) for name, v in known.items()})


def odds_fused(odds: Sequence[float | None], shipped: "Calibration") -> float | None:
    """Log odds of a piece by those of its photos; None without any, or with one unknown."""
    known = [value for value in odds if value is not None]
    if not known or len(known) < len(odds):
        return None
    return shipped.fused_odds(np.array(known))
