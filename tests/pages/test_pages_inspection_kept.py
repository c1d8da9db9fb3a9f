"""What is kept of inspections and printed for them: the list, the part's page, codes, sheets."""

import io
import re
from datetime import timedelta
from typing import Any

import cv2
import numpy as np
import pytest
from django.test import Client
from django.utils import timezone
from PIL import Image

from catalog.models import Part
from search.inspection.history import pass_trend, periods_until
from search.inspection.selectors import InspectionFilters


class TestHistory:
    def test_filters_narrow_and_a_mangled_address_shows_the_list(
        self, client: Client, inspected: Any, part: Part, category: Any
    ) -> None:
        Part.objects.filter(pk=part.pk).update(category=category)
        inspected(part=part, note="bent claw")
        inspected(verdict="pass", decision="good", created_at=timezone.now() - timedelta(days=9))
        yesterday = timezone.localdate() - timedelta(days=1)

        def n(**asked: str) -> int:
            answer = client.get("/qc/history", asked)
            assert answer.status_code == 200
            return answer.context["page"].paginator.count

        assert n() == 2
        assert n(verdict="pass") == n(decision="good") == n(decision="open") == 1
        assert n(part=str(part.uuid)) == n(category=str(category.pk)) == n(q="bent") == 1
        assert n(since=str(yesterday)) == n(until=str(yesterday)) == 1
        assert n(q="nothing of the kind") == 0
        for odd in ("verdict", "decision", "since", "category", "part", "page", "by"):
            assert n(**{odd: "\x00x"}) == 2, odd
        assert n(category="9" * 30) == 2

    def test_rows_lead_to_the_inspection_within_this_list(
        self, client: Client, inspected: Any
    ) -> None:
        inspection = inspected()
        page = client.get("/qc/history?verdict=fail").content.decode()
        assert f"/qc/{inspection.uuid}?in=verdict%3Dfail" in page
        assert "Tray 4, place 2" in page

    def test_empty_lists_say_what_to_do(self, client: Client, db: None) -> None:
        assert "Nothing was inspected yet" in client.get("/qc/history").content.decode()
        assert "No inspection fits" in client.get("/qc/history?q=x").content.decode()

    def test_the_list_costs_the_same_however_long_it_is(
        self, client: Client, inspected: Any, part: Part, django_assert_max_num_queries: Any
    ) -> None:
        for _ in range(12):
            inspected(part=part, photos=2)
        with django_assert_max_num_queries(10):
            assert client.get("/qc/history").status_code == 200

    def test_the_pass_rate_by_day_week_and_month(self, inspected: Any, part: Part) -> None:
        now = timezone.localtime().replace(hour=12)
        for days, verdict, decision in (
            (0, "pass", "good"), (0, "pass", ""), (0, "fail", "bad"), (3, "review", "good"),
            (400, "pass", ""),
        ):  # fmt: skip
            inspected(part=part, verdict=verdict, decision=decision,
                      created_at=now - timedelta(days=days))  # fmt: skip
        inspected(part=part, state="failed", verdict="")  # says nothing of the piece
        by_day = pass_trend(InspectionFilters(), by="day")
        last = by_day.periods[-1]
        assert (last.n, last.passed, last.good, last.bad) == (3, 2, 1, 1)
        assert last.rate == pytest.approx(2 / 3) and last.decided_good == 0.5
        assert by_day.periods[-4].n == 1 and by_day.counted == 4
        assert by_day.periods[-2].rate is None
        assert pass_trend(InspectionFilters(), by="month").counted == 5
        assert sum(p.n for p in pass_trend(InspectionFilters(), by="week").periods) == 4
        chart = by_day.chart()
        assert len(chart.lines[0].points) == 2 and len(chart.marks) <= 8
        # In percent, as the rate above it.
        assert [tick.label for tick in chart.ticks][-2:] == ["75%", "100%"]
        assert chart.lines[0].points[0].title.endswith("%")

    def test_a_trend_of_too_many_counts_the_newest_and_says_so(
        self, client: Client, inspected: Any, part: Part, monkeypatch: Any
    ) -> None:
        for verdict in ("fail", "pass", "pass"):
            inspected(part=part, verdict=verdict)
        monkeypatch.setattr("search.inspection.history.COUNTED_MOST", 2)
        answer = client.get("/qc/history")
        assert answer.context["trend"].rate == 1
        assert "Only the newest 2 are counted" in answer.content.decode()

    def test_the_trend_is_one_question(
        self, inspected: Any, django_assert_num_queries: Any
    ) -> None:
        inspected()
        with django_assert_num_queries(1):
            pass_trend(InspectionFilters(), by="week").chart()

    def test_periods_follow_each_other(self) -> None:
        day = timezone.localdate().replace(year=2026, month=3, day=31)
        months = periods_until(day, "month")
        assert [str(m) for m in months[-3:]] == ["2026-01-01", "2026-02-01", "2026-03-01"]
        assert len(months) == len(set(months)) == 24
        weeks = periods_until(day, "week")
        assert all(w.weekday() == 0 for w in weeks) and weeks[-1] <= day < weeks[-1] + timedelta(7)
        assert periods_until(day, "day")[-1] == day


class TestPartsPage:
    def test_the_last_inspections_the_rate_and_the_button(
        self, client: Client, part: Part, inspected: Any
    ) -> None:
        for verdict in ("pass", "pass", "pass", "fail"):
            inspected(part=part, verdict=verdict)
        page = client.get(part.get_absolute_url()).content.decode()
        assert "75%" in page and "of the last 4 pieces" in page
        assert f'href="/qc?part={part.uuid}"' in page
        assert f'href="/qc/history?part={part.uuid}"' in page

    def test_the_code_holds_the_address_of_the_inspection(
        self, client: Client, part: Part, settings: Any
    ) -> None:
        settings.ALLOWED_HOSTS = ["testserver", "stl.example"]
        page = client.get(f"/parts/{part.uuid}/label").content.decode()
        assert code_read(page) == f"http://testserver/qc?part={part.uuid}"
        assert part.number in page
        page = client.get(part.get_absolute_url(), headers={"Host": "stl.example:8443"})
        assert code_read(page.content.decode()) == f"http://stl.example:8443/qc?part={part.uuid}"


def code_read(page: str) -> str:
    """The QR code in a page, drawn and read by OpenCV."""
    svg = re.search(r'<svg[^>]*class="code"[^>]*>.*?</svg>', page, re.S)[0]
    side = int(re.search(r'viewBox="0 0 (\d+)', svg)[1])
    path = re.findall(r'<path[^>]*d="([^"]+)"', svg)[-1]
    cells = np.full((side, side), 255, np.uint8)
    x = y = 0.0
    for letter, numbers in re.findall(r"([MmHh])([-\d. ]*)", path):
        values = [float(n) for n in re.findall(r"-?[\d.]+", numbers)]
        if letter == "M":
            x, y = values
        elif letter == "m":
            x, y = x + values[0], y + values[1]
        else:
            end = x + values[0] if letter == "h" else values[0]
            cells[int(y), int(x) : int(end)] = 0
            x = end
    large = cv2.resize(cells, None, fx=8, fy=8, interpolation=cv2.INTER_NEAREST)
    # Not QRCodeDetector, which fails at one code in sixteen.
    return cv2.QRCodeDetectorAruco().detectAndDecode(large)[0]


class TestPaper:
    @pytest.mark.parametrize("paper", ["a4", "letter"])
    def test_sheets_are_files_that_the_product_itself_reads(
        self, client: Client, db: None, paper: str
    ) -> None:
        answer = client.get(f"/qc/sheet/{paper}.png")
        assert "attachment" in answer["Content-Disposition"]
        rgb = np.asarray(Image.open(io.BytesIO(answer.content)).convert("RGB"))
        found, ids, _ = cv2.aruco.ArucoDetector(
            cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_50)
        ).detectMarkers(rgb)
        assert len(found) == len(ids) == 18
        drawing = client.get(f"/qc/sheet/{paper}.svg")
        assert drawing["Content-Type"] == "image/svg+xml"
        assert b"<svg" in drawing.content and b"100 mm" in drawing.content

    def test_the_page_says_how_and_other_papers_are_none(self, client: Client, db: None) -> None:
        page = client.get("/qc/sheet").content.decode()
        assert "/qc/sheet/a4.svg" in page and "/qc/sheet/letter.png" in page
        assert client.get("/qc/sheet/a5.svg").status_code == 404
