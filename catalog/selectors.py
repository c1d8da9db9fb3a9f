"""Everything that is read of the catalogue. Nothing here writes."""

from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from django.core.cache import cache
from django.core.paginator import EmptyPage, Page, Paginator
from django.db.models import Case, Count, IntegerField, Q, QuerySet, When
from django.utils.functional import cached_property

from catalog.errors import ServiceError
from catalog.models import Category, Part, PipelineStep
from catalog.words import parts_by_words

ORDERINGS = {
    "-created_at": ("-created_at", "-pk"),
    "created_at": ("created_at", "pk"),
    "name": ("name", "pk"),
    "-name": ("-name", "-pk"),
    "number": ("number", "pk"),
    "-number": ("-number", "-pk"),
    "volume": ("volume_mm3", "pk"),
    "-volume": ("-volume_mm3", "-pk"),
}
# Words are looked for among this many best matches; a list that is longer is of no use to anyone.
WORD_MATCHES = 1000
RECENT_S = 30


@dataclass(frozen=True)
class PartFilters:
    """What a list of parts is narrowed to."""

    q: str = ""
    category: int | None = None
    status: str = ""
    ordering: str = "-created_at"


@dataclass(frozen=True)
class Counts:
    parts: int
    ready: int
    working: int
    failed: int
    categories: int


def part_get(uuid: UUID | str, *, trash: bool = False) -> Part:
    """The part, with what its page shows; in the trash only when `trash` says so."""
    parts = Part.objects.all() if trash else Part.objects.present()
    part = (
        parts.filter(uuid=uuid)
        .select_related("category", "owner")
        .prefetch_related("views", "steps", "suggestions__category")
        .first()
    )
    if part is None:
        raise ServiceError("part_unknown", status=404)
    return part


def part_by_number(number: str) -> Part:
    """The one part of this number. Raises `ServiceError` when there is none, or several."""
    found = list(Part.objects.present().filter(number=number).select_related("category")[:2])
    if len(found) != 1:
        code = "number_ambiguous" if found else "part_unknown"
        raise ServiceError(code, status=409 if found else 404, number=number)
    return found[0]


class PartPaginator(Paginator):
    """Counts the whole catalogue without its order; a page past the end is empty, not an error."""

    @cached_property
    def count(self) -> int:
        return self.object_list.order_by().count()


def parts_page(filters: PartFilters, *, page: int, per_page: int = 48) -> Page:
    """A page of the present parts. With words, the best match first unless an order is asked."""
    parts = Part.objects.present().select_related("category")
    if filters.category is not None:
        parts = parts.filter(category=filters.category)
    if filters.status:
        parts = parts.filter(status=filters.status)
    ordering = ORDERINGS.get(filters.ordering, ORDERINGS["-created_at"])
    if filters.q.strip():
        ids = [match.part for match in parts_by_words(filters.q, limit=WORD_MATCHES)]
        parts = parts.filter(pk__in=ids)
        if filters.ordering == PartFilters.ordering:
            ranks = [When(pk=pk, then=position) for position, pk in enumerate(ids)]
            parts = parts.annotate(
                word_rank=Case(*ranks, default=len(ids), output_field=IntegerField())
            )
            ordering = ("word_rank", "pk")
    return page_of(parts.order_by(*ordering), page, per_page)


def parts_trash_page(page: int, *, per_page: int = 48) -> Page:
    return page_of(Part.objects.trashed().order_by("-deleted_at", "-pk"), page, per_page)


def page_of(rows: QuerySet, number: int, per_page: int) -> Page:
    """A page of the rows; the last one for a number past the end."""
    paginator = PartPaginator(rows, per_page)
    try:
        return paginator.page(max(1, number))
    except EmptyPage:
        return paginator.page(paginator.num_pages)


def part_steps(part: Part) -> list[PipelineStep]:
    """The part's steps in the order they run; one not begun yet is waiting (and unsaved)."""
    held = {step.step: step for step in part.steps.all()}
    return [held.get(step) or PipelineStep(part=part, step=step) for step in PipelineStep.Step]


def categories_list() -> QuerySet[Category]:
    return Category.objects.annotate(
        n_parts=Count("parts", filter=Q(parts__deleted_at__isnull=True))
    )


def counts_recent() -> Counts:
    """The counts as of half a minute ago at most: counting grows with the catalogue."""
    # Plain values: the cache may be Redis, which keeps JSON.
    return Counts(
        **cache.get_or_set("catalog:counts", lambda: asdict(catalogue_counts()), RECENT_S)
    )


def categories_largest(n: int) -> list[Category]:
    """The categories with most parts, by the counts of half a minute ago at most."""
    ids = cache.get_or_set(
        "catalog:largest",
        lambda: list(
            categories_list().filter(n_parts__gt=0).order_by("-n_parts")[:20].values_list(
                "pk", flat=True
            )
        ),
        RECENT_S,
    )  # fmt: skip
    held = Category.objects.in_bulk(ids[:n])
    return [held[pk] for pk in ids[:n] if pk in held]


def catalogue_counts() -> Counts:
    by_status: dict[str, Any] = dict(
        Part.objects.present().order_by().values_list("status").annotate(n=Count("pk"))
    )
    working = by_status.get("queued", 0) + by_status.get("processing", 0)
    return Counts(
        parts=sum(by_status.values()),
        ready=by_status.get("ready", 0),
        working=working,
        failed=by_status.get("failed", 0),
        categories=Category.objects.count(),
    )
