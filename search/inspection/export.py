"""Inspections as a table for a spreadsheet: CSV in UTF-8, streamed row by row."""

import csv
from collections.abc import Iterator
from itertools import islice
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from catalog.tables import MARK, Echo, cell
from search.inspection.selectors import InspectionFilters, inspections, others_of
from search.inspection.wording import Others, reason_sentences
from search.models import Inspection

CHUNK = 500

COLUMNS = (
    ("id", gettext_lazy("Inspection")),
    ("created", gettext_lazy("Made at")),
    ("part_number", gettext_lazy("Part number")),
    ("part_name", gettext_lazy("Part")),
    ("piece", gettext_lazy("Piece")),
    ("batch", gettext_lazy("Batch")),
    ("state", gettext_lazy("State")),
    ("verdict", gettext_lazy("Verdict")),
    ("similarity", gettext_lazy("Similarity")),
    ("threshold", gettext_lazy("Threshold")),
    ("alert", gettext_lazy("Alert")),
    ("p_good", gettext_lazy("Chance of a good piece")),
    ("max_dev_mm", gettext_lazy("Greatest deviation (mm)")),
    ("coverage", gettext_lazy("Surface seen")),
    ("photos", gettext_lazy("Photos")),
    ("reasons", gettext_lazy("Reasons")),
    ("decision", gettext_lazy("Decision")),
    ("decided_by", gettext_lazy("Decided by")),
    ("decided", gettext_lazy("Decided at")),
    ("note", gettext_lazy("Note")),
    ("url", gettext_lazy("Address")),
)


def inspections_csv(filters: InspectionFilters, *, base: str) -> Iterator[str]:
    """The lines of the table, in the reader's language; `base` is the site's address."""
    writer = csv.writer(Echo())
    yield MARK + writer.writerow([name for name, _title in COLUMNS])
    yield writer.writerow([str(title) for _name, title in COLUMNS])
    rows = inspections(filters).select_related("part", "batch", "decided_by")
    rest = rows.prefetch_related("photos").iterator(chunk_size=CHUNK)
    while chunk := list(islice(rest, CHUNK)):
        others = others_of(*chunk)
        for inspection in chunk:
            values = row_of(inspection, others, base=base)
            yield writer.writerow([cell(values[name]) for name, _title in COLUMNS])


def row_of(inspection: Inspection, others: Others, *, base: str) -> dict[str, Any]:
    photos = list(inspection.photos.all())
    deviations = [photo.max_dev_mm for photo in photos if photo.max_dev_mm is not None]
    done = inspection.state == Inspection.State.DONE
    return {
        "id": inspection.uuid,
        "created": moment(inspection.created_at),
        "part_number": inspection.part.number,
        "part_name": inspection.part.label,
        "piece": inspection.piece,
        "batch": inspection.batch or "",
        "state": inspection.get_state_display(),
        "verdict": inspection.get_verdict_display() if inspection.verdict else "",
        "similarity": rounded(inspection.similarity),
        "threshold": rounded(inspection.threshold),
        "alert": (_("yes") if inspection.alert else _("no")) if done else "",
        "p_good": rounded(inspection.p_good),
        "max_dev_mm": rounded(max(deviations, default=None), 3),
        "coverage": rounded(inspection.coverage, 3),
        "photos": len(photos),
        "reasons": " ".join(reason_sentences(inspection.reasons, others)),
        "decision": inspection.get_decision_display() if inspection.decision else "",
        "decided_by": inspection.decided_by or "",
        "decided": moment(inspection.decided_at),
        "note": inspection.note,
        "url": base + reverse("inspection", args=[inspection.uuid]),
    }


def moment(when: Any) -> str:
    return timezone.localtime(when).strftime("%Y-%m-%d %H:%M:%S") if when else ""


def rounded(value: float | None, digits: int = 4) -> str:
    return "" if value is None else f"{value:.{digits}f}"
