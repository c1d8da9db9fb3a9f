"""The inspector's pages without their scripts: forms, lists, who may do what, mangled addresses."""

import io
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import cv2
import numpy as np
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from PIL import Image, ImageDraw

from catalog.models import Part
from search.inspection.history import pass_trend, periods_until
from search.inspection.selectors import InspectionFilters
from search.models import Inspection, InspectionPhoto
from tests.factories.work import queued
from tests.pages.conftest import picture_bytes

HTMX = {"HX-Request": "true"}
NOBODY = "00000000-0000-0000-0000-000000000000"
EVIL = '"><script>alert(1)</script>'


def photo(name: str = "piece.jpg", data: bytes | None = None) -> SimpleUploadedFile:
    if data is None:
        picture, held = Image.new("RGB", (320, 240), "#8a6642"), io.BytesIO()
        ImageDraw.Draw(picture).ellipse((90, 50, 230, 190), outline="#c8ccd0", width=28)
        picture.save(held, "JPEG")
        data = held.getvalue()
    return SimpleUploadedFile(name, data, "image/jpeg")


@pytest.fixture
def inspected(part_make: Callable[..., Part]) -> Callable[..., Inspection]:
    """Makes an inspection as the worker leaves it; keywords are its fields."""

    def make(*, photos: int = 1, part: Part | None = None, **fields: Any) -> Inspection:
        known = {
            "part": part or part_make(),
            "piece": "Tray 4, place 2",
            "state": "done",
            "verdict": "fail",
            "similarity": 0.41,
            "p_good": 0.1,
            "threshold": 0.9,
            "reasons": [
                {
                    "code": "local_deviation",
                    "params": {"kind": "missing", "value_mm": 3.1, "limit_mm": 0.7},
                }
            ],
            "coverage": 0.37,
            "worst": 0,
            "rivals": [{"part": NOBODY, "name": "Wide ring", "margin": 0.08}],
            "limits": {"tolerance": 0.02, "tolerance_mm": 0.0, "size": 0.03},
            "finished_at": timezone.now(),
        }
        inspection = Inspection.objects.create(**(known | fields))
        for place in range(photos):
            name = default_storage.save(f"inspections/t/{place}.webp", ContentFile(picture_bytes()))
            InspectionPhoto.objects.create(
                inspection=inspection,
                place=place,
                file=name,
                width=560,
                height=420,
                sha256="0" * 64,
                verdict=inspection.verdict,
                reasons=inspection.reasons,
                pose={"rotation": np.eye(3).tolist(), "translation": [0, 0, 90], "focal": 600.0},
                measures={
                    "iou": 0.91, "mean": 0.004, "p95": 0.02, "thickness": 0.09, "blob": 0.002,
                    "unsupported": 0.2,
                },
                blobs=[
                    {"kind": "missing", "box": [200, 100, 260, 150], "place": [230, 125],
                     "thickness": 0.09, "area": 0.002},
                ],
                shown=name, overlay=name, drawn=name, mask=name,
            )  # fmt: skip
        return inspection

    return make


class TestBeginning:
    @pytest.mark.django_db(transaction=True)
    def test_a_form_without_a_script_leads_to_the_inspection(
        self, logged_in: Client, part: Part
    ) -> None:
        body = {"part": str(part.uuid), "piece": "No. 7", "photo": [photo("a.jpg"), photo("b.jpg")]}
        answer = logged_in.post("/qc", body)
        inspection = Inspection.objects.get()
        assert answer.status_code == 302
        assert answer["Location"] == f"/qc/{inspection.uuid}"
        assert inspection.piece == "No. 7"
        assert inspection.by.username == "admin"
        assert [photo.file_name for photo in inspection.photos.all()] == ["a.jpg", "b.jpg"]
        assert queued() == 1
        page = logged_in.get(answer["Location"]).content.decode()
        assert "Waiting for a worker" in page
        assert f'hx-get="/qc/{inspection.uuid}/progress"' in page

    def test_the_codes_address_has_the_part_chosen(self, logged_in: Client, part: Part) -> None:
        page = logged_in.get(f"/qc?part={part.uuid}").content.decode()
        assert f'name="part" value="{part.uuid}"' in page
        assert part.number in page

    @pytest.mark.parametrize(
        ("files", "sentence"),
        [
            ([], "An inspection takes 1 to 4 photos; 0 were sent."),
            (["a"] * 5, "An inspection takes 1 to 4 photos; 5 were sent."),
            ([b"<html>" * 40], "This is not a picture."),
        ],
    )
    def test_what_cannot_be_inspected_is_told_and_the_part_kept(
        self, logged_in: Client, part: Part, files: list[Any], sentence: str
    ) -> None:
        sent = [photo() if file == "a" else photo(data=file) for file in files]
        answer = logged_in.post("/qc", {"part": str(part.uuid), "piece": "N7", "photo": sent})
        page = answer.content.decode()
        assert answer.status_code == 400
        assert sentence in page
        assert f'name="part" value="{part.uuid}"' in page and 'value="N7"' in page
        assert not Inspection.objects.exists()

    def test_a_part_that_is_not_ready_says_so_at_once(self, logged_in: Client, part: Part) -> None:
        Part.objects.filter(pk=part.pk).update(status="processing")
        page = logged_in.get(f"/qc?part={part.uuid}").content.decode()
        assert "still being processed" in page
        body = {"part": str(part.uuid), "photo": photo()}
        assert logged_in.post("/qc", body).status_code == 409

    def test_words_and_numbers_find_parts(self, client: Client, part_make: Any) -> None:
        ring = part_make(name="Claw ring", number="R7001")
        part_make(name="Hidden", number="R7002", status=Part.Status.FAILED)
        for words in ("claw", "R7001", "r70"):
            page = client.get(f"/qc/parts?q={words}", headers=HTMX).content.decode()
            assert f"/qc?part={ring.uuid}" in page, words
            assert "Hidden" not in page and "<html" not in page
        assert "No part is called so" in client.get("/qc/parts?q=zzz").content.decode()
        # Without a script the same words are asked by the page itself.
        assert f"/qc?part={ring.uuid}" in client.get("/qc?q=claw").content.decode()

    def test_without_words_the_last_inspected_parts_come_first(
        self, client: Client, part_make: Any, inspected: Any
    ) -> None:
        old, new = part_make(), part_make()
        inspected(part=old)
        page = client.get("/qc").content.decode()
        assert page.index(str(old.uuid)) < page.index(str(new.uuid))

    def test_a_photo_that_is_none_is_told_where_parts_are_chosen(self, logged_in: Client) -> None:
        for body, sentence in (
            ({}, "Send a picture."),
            ({"photo": photo(data=b"no")}, "not a pic"),
        ):
            answer = logged_in.post("/qc/parts/by-photo", body, headers=HTMX)
            assert answer.status_code == 400
            assert sentence in answer.content.decode()

    @pytest.mark.parametrize("address", [f"/qc?part={NOBODY}", f"/qc/{NOBODY}", "/qc/x"])
    def test_what_is_not_there(self, client: Client, db: None, address: str) -> None:
        assert client.get(address).status_code == 404

    def test_a_mangled_part_is_none(self, client: Client, db: None) -> None:
        for odd in ("x", "%00", "'; --"):
            assert client.get(f"/qc?part={odd}").status_code == 200


class TestVerdict:
    def test_colour_word_reasons_measures_and_rivals(self, client: Client, inspected: Any) -> None:
        inspection = inspected(photos=2)
        page = client.get(f"/qc/{inspection.uuid}").content.decode()
        for text in (
            "qc-verdict bad",
            "Fail",
            "The piece differs from the part.",
            "0.41",
            "passes from 0.90",
            "Something is missing: 3.1 mm wide, where 0.7 mm is allowed.",
            "Seen: 37 percent of the surface.",
            "Wide ring",
            "fits better",
            "Widest deviation",
            "3.11 mm",  # 0.09 of the diagonal of 24 x 24 x 6.25 mm
            "Photo 2",
            'viewBox="0 0 560 420"',
        ):
            assert text in page, text

    def test_a_part_in_inches_is_laid_over_the_photo_in_millimetres(
        self, client: Client, inspected: Any, part_make: Any
    ) -> None:
        inspection = inspected(part=part_make(unit="in"))
        assert 'data-mm="25.4"' in client.get(f"/qc/{inspection.uuid}").content.decode()

    def test_nothing_found_in_the_photo_is_told(self, client: Client, inspected: Any) -> None:
        inspection = inspected(
            verdict="review", similarity=None, p_good=None, coverage=None, rivals=[],
            reasons=[{"code": "no_object", "params": {}}],
        )  # fmt: skip
        InspectionPhoto.objects.update(
            pose=None, measures={}, blobs=[], overlay="", drawn="", mask=""
        )
        page = client.get(f"/qc/{inspection.uuid}").content.decode()
        assert "Nothing in the photo stands out from the ground." in page
        assert "Look at it" in page
        assert 'data-pose="null"' in page

    def test_what_was_corrected_and_what_earlier_runs_said(
        self, client: Client, inspected: Any
    ) -> None:
        run = {
            "revision": 1,
            "verdict": "review",
            "similarity": 0.63,
            "finished_at": "",
            "photos": [],
        }
        inspection = inspected(earlier=[run])
        InspectionPhoto.objects.update(box_given=[0, 0, 90, 90], pose_given={"rotation": []})
        page = client.get(f"/qc/{inspection.uuid}").content.decode()
        for text in (
            "Looked for only in a rectangle.",
            "Pose corrected by hand.",
            "Before:",
            "0.63",
        ):
            assert text in page, text
        assert "Outline corrected by hand." not in page

    def test_a_failed_run_says_why(self, client: Client, inspected: Any) -> None:
        inspection = inspected(state="failed", verdict="", error_code="no_surface")
        page = client.get(f"/qc/{inspection.uuid}").content.decode()
        assert "The part has no surface to inspect." in page

    def test_names_are_only_words(self, client: Client, inspected: Any) -> None:
        rivals = [{"part": NOBODY, "name": EVIL, "margin": 0}]
        inspection = inspected(piece=EVIL, note=EVIL, rivals=rivals)
        for address in (f"/qc/{inspection.uuid}", "/qc/history", f"/qc/history?q={EVIL}"):
            assert "<script>alert" not in client.get(address).content.decode(), address

    def test_of_a_part_in_the_trash_there_is_none(self, client: Client, inspected: Any) -> None:
        inspection = inspected()
        Part.objects.update(deleted_at=timezone.now())
        assert client.get(f"/qc/{inspection.uuid}").status_code == 404

    def test_progress_is_told_by_photo_and_stage(self, client: Client, inspected: Any) -> None:
        inspection = inspected(photos=2, state="running", stage="pose", stage_photo=1, verdict="")
        answer = client.get(f"/qc/{inspection.uuid}/progress")
        stages = [[stage.state for stage in photo] for photo in answer.context["stages"]]
        assert stages == [["done"] * 4, ["done", "running", "waiting", "waiting"]]
        assert "HX-Trigger" not in answer
        Inspection.objects.update(state="done")
        answer = client.get(f"/qc/{inspection.uuid}/progress")
        assert answer["HX-Trigger"] == "inspection-done"
        assert "hx-trigger" not in answer.content.decode()


class TestDeciding:
    def test_buttons_and_the_note_work_without_a_script(
        self, logged_in: Client, inspected: Any
    ) -> None:
        inspection = inspected()
        address = f"/qc/{inspection.uuid}/decide"
        answer = logged_in.post(address, {"decision": "bad", "in": "verdict=fail"})
        assert answer["Location"] == f"/qc/{inspection.uuid}?in=verdict%3Dfail"
        logged_in.post(address, {"note": "The claw is bent."})
        inspection.refresh_from_db()
        assert (inspection.decision, inspection.note) == ("bad", "The claw is bent.")
        assert inspection.decided_by.username == "admin"
        logged_in.post(address, {"decision": "open"})
        inspection.refresh_from_db()
        assert (inspection.decision, inspection.decided_by) == ("", None)
        assert logged_in.post(address, {"decision": "perhaps"}).status_code == 400

    def test_with_the_script_the_card_alone_comes_back(
        self, logged_in: Client, inspected: Any
    ) -> None:
        address = f"/qc/{inspected().uuid}/decide"
        page = logged_in.post(address, {"decision": "good"}, headers=HTMX).content.decode()
        assert "<html" not in page
        assert 'aria-pressed="true"' in page

    def test_next_goes_through_a_list_and_else_to_another_piece(
        self, logged_in: Client, inspected: Any, part: Part
    ) -> None:
        first = inspected(part=part)
        inspected(part=part, decision="good")  # decided: passed over
        inspected(part=part, verdict="pass")  # not in the list
        last = inspected(part=part)

        def following(inspection: Inspection, listed: str = "") -> str:
            return logged_in.get(f"/qc/{inspection.uuid}", {"in": listed}).context["next_url"]

        assert following(last, "verdict=fail") == f"/qc/{first.uuid}"
        assert following(first, "verdict=fail") == f"/qc?part={part.uuid}"
        assert following(last) == f"/qc?part={part.uuid}"
        for odd in ("%%%", "verdict=x&page=-1", "since=never", "category=99999999999999999999999"):
            assert following(last, odd).startswith("/qc")

    @pytest.mark.django_db(transaction=True)
    def test_looking_again_queues_a_run(self, logged_in: Client, inspected: Any) -> None:
        inspection = inspected()
        answer = logged_in.post(f"/qc/{inspection.uuid}/again")
        assert answer["Location"] == f"/qc/{inspection.uuid}"
        assert queued() == 1
        # What was found before is still to be seen, and a second press waits its turn.
        assert "qc-verdict bad old" in logged_in.get(answer["Location"]).content.decode()
        assert logged_in.post(f"/qc/{inspection.uuid}/again").status_code == 409


class TestAnotherPart:
    @pytest.mark.django_db(transaction=True)
    def test_the_photos_are_inspected_as_the_part_that_fits_better(
        self, logged_in: Client, part_make: Any
    ) -> None:
        part, other = part_make(), part_make(name="Wide ring")
        logged_in.post("/qc", {"part": str(part.uuid), "piece": "N7", "photo": photo("a.jpg")})
        first = Inspection.objects.get()
        rivals = [{"part": str(other.uuid), "name": "Wide ring", "margin": 0.2}]
        Inspection.objects.update(state="done", verdict="fail", similarity=0.2, rivals=rivals)
        page = logged_in.get(f"/qc/{first.uuid}").content.decode()
        assert "Inspect it as this part" in page
        assert other.get_absolute_url() in page
        answer = logged_in.post(f"/qc/{first.uuid}/as", {"part": str(other.uuid)})
        second = Inspection.objects.latest("pk")
        assert answer["Location"] == f"/qc/{second.uuid}"
        assert (second.part, second.piece) == (other, "N7")
        assert second.photos.get().sha256 == first.photos.get().sha256
        for odd in (NOBODY, "x", ""):
            assert logged_in.post(f"/qc/{first.uuid}/as", {"part": odd}).status_code == 404


class TestWho:
    def test_who_has_not_logged_in_sees_the_way_in_and_no_buttons(
        self, client: Client, inspected: Any, part: Part
    ) -> None:
        inspection = inspected(part=part)
        for address in (f"/qc?part={part.uuid}", f"/qc/{inspection.uuid}"):
            page = client.get(address).content.decode()
            assert "/login?next=" in page, address
            for button in ('name="photo"', 'name="decision"', 'data-do="brush"', "/again"):
                assert button not in page, (address, button)

    def test_nothing_is_written_without_a_login(
        self, client: Client, inspected: Any, part: Part
    ) -> None:
        inspection = inspected(part=part)
        calls = {
            "/qc": {"part": str(part.uuid), "photo": photo()},
            "/qc/parts/by-photo": {"photo": photo()},
            f"/qc/{inspection.uuid}/decide": {"decision": "good"},
            f"/qc/{inspection.uuid}/again": {},
            f"/qc/{inspection.uuid}/as": {"part": str(part.uuid)},
        }
        for address, body in calls.items():
            answer = client.post(address, body)
            assert answer.status_code == 302 and answer["Location"].startswith("/login"), address
            # A script is told where to go instead of being handed the login's page.
            answer = client.post(address, body, headers=HTMX)
            assert answer.status_code == 204 and answer["HX-Redirect"].startswith("/login"), address
        inspection.refresh_from_db()
        assert inspection.decision == "" and Inspection.objects.count() == 1

    def test_readers_only(self, client: Client, inspected: Any, settings: Any) -> None:
        inspection = inspected()
        settings.READING_OPEN = False
        for address in ("/qc", "/qc/history", f"/qc/{inspection.uuid}", "/qc/sheet"):
            assert client.get(address).status_code == 302, address


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


@pytest.mark.parametrize("language", ["en", "zh-hant"])
def test_every_page_speaks_both_languages(logged_in: Client, inspected: Any, language: str) -> None:
    inspection = inspected(photos=2)
    words = {"en": "Inspect", "zh-hant": "檢測"}[language]
    for address in ("/qc", "/qc/history", "/qc/sheet", f"/qc/{inspection.uuid}"):
        page = logged_in.get(address, headers={"Accept-Language": language}).content.decode()
        assert words in page, address
