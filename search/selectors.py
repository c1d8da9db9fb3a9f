"""Turns ranked part ids into hits people can look at."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from catalog.models import Part, View

Extents = tuple[float | None, float | None, float | None]


@dataclass(frozen=True)
class Filters:
    """What hits are narrowed to. Extents are millimetres along x, y, z; None is no limit."""

    category: tuple[int, ...] = ()
    size_min: Extents | None = None
    size_max: Extents | None = None
    volume_min: float | None = None
    volume_max: float | None = None
    watertight: bool | None = None
    status: tuple[str, ...] = (Part.Status.READY,)

    @property
    def narrow(self) -> bool:
        """Whether anything but the status is asked."""
        return self != Filters(status=self.status)

    def condition(self) -> Q:
        condition = Q(deleted_at__isnull=True, status__in=self.status)
        if self.category:
            condition &= Q(category__in=self.category)
        for bound, lookup in ((self.size_min, "gte"), (self.size_max, "lte")):
            for axis, value in zip("xyz", bound or (), strict=False):
                if value is not None:
                    condition &= Q(**{f"size_{axis}__{lookup}": value})
        if self.volume_min is not None:
            condition &= Q(volume_mm3__gte=self.volume_min)
        if self.volume_max is not None:
            condition &= Q(volume_mm3__lte=self.volume_max)
        if self.watertight is not None:
            condition &= Q(watertight=self.watertight)
        return condition


def hits_hydrate(part_ids: Sequence[int], filters: Filters, *, limit: int) -> list[Part]:
    """The parts among `part_ids` that are to be seen and pass the filters, their order kept.

    At most `limit`: of each thousand ids the database first says which pass, and whole rows are
    read of those only that are shown.
    """
    condition = filters.condition()
    passing: list[int] = []
    for start in range(0, len(part_ids), 1000):
        some = part_ids[start : start + 1000]
        allowed = set(Part.objects.among(some, condition).values_list("pk", flat=True))
        passing += [pk for pk in some if pk in allowed]
        if len(passing) >= limit:
            break
    shown = passing[:limit]
    # Asked again whether they are to be seen: one may have gone to the trash in between.
    rows = Part.objects.among(shown, condition).select_related("category").in_bulk()
    return [rows[pk] for pk in shown if pk in rows]


def parts_allowed(filters: Filters, *, most: int) -> list[int]:
    """Ids of the parts that pass the filters, at most so many."""
    return list(_visible(filters).order_by("pk").values_list("pk", flat=True)[:most])


def view_images(best: Mapping[int, int]) -> dict[int, View]:
    """The view of each part from the given viewpoint: {part id: viewpoint} -> {part id: view}."""
    if not best:
        return {}
    views = View.objects.filter(part__in=best, viewpoint__in=set(best.values()))
    return {view.part_id: view for view in views if view.viewpoint == best[view.part_id]}


def _visible(filters: Filters) -> QuerySet[Part]:
    return Part.objects.filter(filters.condition())


def confirmed_categories(part_ids: Iterable[int]) -> dict[int, int]:
    """The category that people gave each of the parts: {part id: category id}."""
    filed = Q(deleted_at__isnull=True, category__isnull=False)
    rows = Part.objects.among(list(part_ids), filed)
    return dict(rows.values_list("pk", "category_id"))


def filed_newest(most: int) -> list[int]:
    """Ids of the parts that people have filed, the newest first, at most so many."""
    rows = Part.objects.present().filter(category__isnull=False)
    return list(rows.order_by("-pk").values_list("pk", flat=True)[:most])
