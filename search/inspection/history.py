"""What earlier inspections say: of a part's pieces, over time, and which one comes next.

Every question here has its bound: a number of rows, of days, or both.
"""

from dataclasses import dataclass, replace
from datetime import date, timedelta

from django.db.models import Count, Q
from django.db.models.functions import TruncDay, TruncMonth, TruncWeek
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog.models import Part
from search.evaluation.charts import Lines, lines_draw
from search.inspection.models import Verdict
from search.inspection.selectors import InspectionFilters, inspections
from search.models import Inspection

# Periods that a chart shows, and the greatest number of inspections that it counts.
PERIODS = {"day": 30, "week": 26, "month": 24}
COUNTED_MOST = 20_000
PART_SHOWN, PART_COUNTED = 4, 100
DONE = Inspection.State.DONE
GOOD, BAD = Inspection.Decision.GOOD, Inspection.Decision.BAD


@dataclass(frozen=True)
class PartHistory:
    """The last few inspections of a part's pieces; of the last `counted`, how many passed."""

    last: list[Inspection]
    counted: int
    passed: int

    @property
    def rate(self) -> float | None:
        return self.passed / self.counted if self.counted else None


def part_history(part: Part) -> PartHistory:
    rows = Inspection.objects.filter(part=part).order_by("-pk")
    last = list(rows.prefetch_related("photos")[:PART_SHOWN])
    verdicts = list(rows.filter(state=DONE).values_list("verdict", flat=True)[:PART_COUNTED])
    return PartHistory(last, len(verdicts), verdicts.count(Verdict.PASS))


def inspection_next(inspection: Inspection, filters: InspectionFilters) -> Inspection | None:
    """The one after this in a list, newest first, that is done and that nobody decided."""
    rows = inspections(filters).filter(pk__lt=inspection.pk, state=DONE, decision="")
    return rows.order_by("-pk").first()


@dataclass(frozen=True)
class Period:
    """n pieces looked at in a day, week or month: passed by verdict; good and bad by decision."""

    begins: date
    n: int = 0
    passed: int = 0
    good: int = 0
    bad: int = 0

    @property
    def rate(self) -> float | None:
        return self.passed / self.n if self.n else None

    @property
    def decided_good(self) -> float | None:
        return self.good / (self.good + self.bad) if self.good + self.bad else None


@dataclass(frozen=True)
class Trend:
    by: str
    periods: list[Period]

    @property
    def counted(self) -> int:
        return sum(period.n for period in self.periods)

    @property
    def rate(self) -> float | None:
        passed = sum(period.passed for period in self.periods)
        return passed / self.counted if self.counted else None

    @property
    def cut(self) -> bool:
        """Whether there were more than are counted: what is oldest is missing then."""
        return self.counted >= COUNTED_MOST

    @property
    def told(self) -> list[Period]:
        """The periods in which anything was looked at, the newest first, for the table."""
        return [period for period in reversed(self.periods) if period.n]

    def chart(self) -> Lines:
        marks = [period_label(period.begins, self.by) for period in self.periods]
        series: dict[str, tuple[int, list[float | None]]] = {
            _("passed"): (1, [period.rate for period in self.periods]),
            _("decided good"): (2, [period.decided_good for period in self.periods]),
        }
        return lines_draw(marks, series, width=860, percent=True)


def pass_trend(filters: InspectionFilters, *, by: str = "day") -> Trend:
    """The pass rate of the last PERIODS days, weeks or months, until today or `filters.until`.

    One grouped query over the newest COUNTED_MOST inspections of that time.
    """
    by = by if by in PERIODS else "day"
    begins = periods_until(filters.until or timezone.localdate(), by)
    since, until = begins[0], _end(begins[-1], by)
    within = replace(
        filters,
        since=max(since, filters.since or since),
        until=min(until, filters.until or until),
    )
    rows = inspections(within).filter(state=DONE)
    newest = rows.order_by("-pk").values("pk")[:COUNTED_MOST]
    step = {"day": TruncDay, "week": TruncWeek, "month": TruncMonth}[by]
    counts = (
        Inspection.objects.filter(pk__in=newest)
        .order_by()
        .annotate(period=step("created_at"))
        .values("period")
        .annotate(
            n=Count("pk"),
            passed=Count("pk", filter=Q(verdict=Verdict.PASS)),
            good=Count("pk", filter=Q(decision=GOOD)),
            bad=Count("pk", filter=Q(decision=BAD)),
        )
    )
    found = {row.pop("period").date(): row for row in counts}
    return Trend(by, [Period(day, **found.get(day, {})) for day in begins])


def periods_until(last: date, by: str) -> list[date]:
    """The first days of the PERIODS periods that end with the one of `last`, oldest first."""
    if by == "month":
        months = [last.year * 12 + last.month - 1 - back for back in range(PERIODS[by])]
        return [date(month // 12, month % 12 + 1, 1) for month in reversed(months)]
    step = timedelta(days=7 if by == "week" else 1)
    first = last - timedelta(days=last.weekday()) if by == "week" else last
    return [first - step * back for back in reversed(range(PERIODS[by]))]


def _end(begins: date, by: str) -> date:
    """The last day of the period that begins then."""
    if by == "month":
        return (begins.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
    return begins + timedelta(days=6 if by == "week" else 0)


def period_label(begins: date, by: str) -> str:
    return f"{begins:%Y-%m}" if by == "month" else f"{begins.month}/{begins.day}"
