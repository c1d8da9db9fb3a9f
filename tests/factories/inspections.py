"""Inspections as their runs leave them, without running any."""

from typing import Any
from uuid import uuid4

from django.utils import timezone

from catalog.models import Part
from search.models import Inspection, InspectionPhoto


def part_make(name: str = "Bracket", **fields: Any) -> Part:
    """A part that looks ready; there is no file behind it."""
    known = {
        "status": Part.Status.READY,
        "file_size": 1,
        "size_x": 60.0,
        "size_y": 40.0,
        "size_z": 50.0,
    }
    return Part.objects.create(name=name, sha256=uuid4().hex, **(known | fields))


def inspection_make(
    part: Part, *, verdict: str = "pass", similarity: float | None = 0.95, odds: float = 2.0,
    photos: int = 1, **fields: Any,
) -> Inspection:  # fmt: skip
    """One that is done."""
    from search.engine.qc.judge import calibration_shipped

    known: dict[str, Any] = {
        "part": part, "state": "done", "verdict": verdict, "similarity": similarity,
        "p_good": similarity, "odds": odds, "threshold": 0.9, "finished_at": timezone.now(),
        "calibration": calibration_shipped().version,
    }  # fmt: skip
    known |= fields
    inspection = Inspection.objects.create(**{"odds_version": known["calibration"], **known})
    for place in range(photos):
        InspectionPhoto.objects.create(
            inspection=inspection, place=place, odds=odds, verdict=verdict, width=560, height=420,
            file=f"inspections/{inspection.uuid.hex}/{place}.jpg", sha256=str(place),
        )  # fmt: skip
    return inspection
