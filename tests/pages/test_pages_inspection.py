"""The inspector's pages without their scripts: forms, lists, who may do what, mangled addresses."""

import io
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from PIL import Image, ImageDraw

from catalog.models import Part
from search.models import Inspection, InspectionPhoto
from tests.factories.work import queued
from tests.pages.conftest import NOBODY

HTMX = {"HX-Request": "true"}
EVIL = '"><script>alert(1)</script>'


def photo(name: str = "piece.jpg", data: bytes | None = None) -> SimpleUploadedFile:
    if data is None:
        picture, held = Image.new("RGB", (320, 240), "#8a6642"), io.BytesIO()
        ImageDraw.Draw(picture).ellipse((90, 50, 230, 190), outline="#c8ccd0", width=28)
        picture.save(held, "JPEG")
        data = held.getvalue()
    return SimpleUploadedFile(name, data, "image/jpeg")


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


@pytest.mark.parametrize("language", ["en", "zh-hant"])
def test_every_page_speaks_both_languages(logged_in: Client, inspected: Any, language: str) -> None:
    inspection = inspected(photos=2)
    words = {"en": "Inspect", "zh-hant": "檢測"}[language]
    for address in ("/qc", "/qc/history", "/qc/sheet", f"/qc/{inspection.uuid}"):
        page = logged_in.get(address, headers={"Accept-Language": language}).content.decode()
        assert words in page, address
