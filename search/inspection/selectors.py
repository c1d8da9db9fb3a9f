"""Everything that is read of inspections. Nothing here writes."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID

from django.core.paginator import Page
from django.db.models import Q, QuerySet
from django.utils import timezone

from catalog.errors import ServiceError
from catalog.models import Part
from catalog.selectors import PartPaginator
from search.models import Inspection, InspectionPhoto


@dataclass(frozen=True)
class InspectionFilters:
    """What a list of inspections is narrowed to. verdict "open": done, not decided by anyone."""

    part: UUID | None = None
    category: int | None = None
    batch: UUID | None = None
    verdict: str = ""
    state: str = ""
    decision: str | None = None
    since: date | None = None
    until: date | None = None  # that day too
    q: str = ""  # of the piece, the note, the part's number


def inspections(filters: InspectionFilters) -> QuerySet[Inspection]:
    """The newest first; those of parts in the trash are not shown."""
    rows = Inspection.objects.filter(part__deleted_at__isnull=True).select_related("part", "batch")
    wanted = {
        "part__uuid": filters.part,
        "part__category": filters.category,
        "batch__uuid": filters.batch,
        "verdict": filters.verdict or None,
        "state": filters.state or None,
        "decision": filters.decision,
        "created_at__gte": filters.since and _midnight(filters.since),
        "created_at__lt": filters.until and _midnight(filters.until + timedelta(days=1)),
    }
    rows = rows.filter(**{name: value for name, value in wanted.items() if value is not None})
    if words := filters.q.strip()[:120]:
        rows = rows.filter(
            Q(piece__icontains=words) | Q(note__icontains=words) | Q(part__number__iexact=words)
        )
    return rows


def inspections_page(filters: InspectionFilters, *, page: int, per_page: int = 30) -> Page:
    found = inspections(filters).prefetch_related("photos")
    return PartPaginator(found, per_page).get_page(page)


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


def inspection_get(uuid: UUID | str) -> Inspection:
    """The inspection with its part and photos. Raises `ServiceError` (404)."""
    found = (
        Inspection.objects.filter(uuid=uuid)
        .select_related("part__category", "batch", "decided_by", "by")
        .prefetch_related("photos__corrected_by")
        .first()
    )
    if found is None:
        raise ServiceError("inspection_unknown", status=404)
    return found


def others_of(*rows: Inspection | InspectionPhoto) -> dict[str, Part]:
    """The other parts that rows speak of, by uuid, in one query; those that are gone, or in the
    trash, are missing."""
    told = [reason.get("params", {}) for row in rows for reason in row.reasons]
    told += [rival for row in rows if isinstance(row, Inspection) for rival in row.rivals]
    ids = {held["part"] for held in told if held.get("part")}
    if not ids:
        return {}
    return {str(part.uuid): part for part in Part.objects.present().filter(uuid__in=ids)}
