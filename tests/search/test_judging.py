"""Searches are remembered for the staff, who judge their hits; engines are measured by it."""

import io
import threading
import time
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.test import Client
from django.utils import timezone
from PIL import Image, ImageDraw

from catalog.errors import ServiceError
from search.evaluation import judging, logs
from search.evaluation.questions import Choice, Reader, grades_joined, refs_choose
from search.models import EvaluationQuery, Judgement, SearchLog
from search.query import Query
from search.services import Answer
from tests.factories.shelf import axes_in_place, looks, part_on_shelf

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def axes(monkeypatch: pytest.MonkeyPatch) -> Any:
    return axes_in_place(monkeypatch)


@pytest.fixture
def ring() -> Any:
    return part_on_shelf(looks(0.9), name="ring")


@pytest.fixture
def configured(settings: Any) -> Any:
    def change(**values: Any) -> None:
        log = settings.SEARCH.log.model_copy(update=values)
        settings.SEARCH = settings.SEARCH.model_copy(update={"log": log})

    return change


def ask(client: Client, text: str = "ring", **fields: Any) -> Any:
    answer = client.post("/api/search/text", {"text": text, **fields}, "application/json")
    assert answer.status_code == 200
    return answer.json()


def judge(client: Client, **asked: Any) -> Any:
    return client.post("/api/judgements/", asked, "application/json")


def photo(exif: bool = True) -> bytes:
    image = Image.new("RGB", (1600, 1200), "#e8e4da")
    ImageDraw.Draw(image).ellipse((400, 300, 1200, 900), fill="#556")
    held, facts = io.BytesIO(), Image.Exif()
    facts[0x010F] = "a camera that writes where it was"
    image.save(held, "JPEG", exif=facts.tobytes() if exif else b"")
    return held.getvalue()


class TestWhatIsRemembered:
    def test_a_search_by_page_and_by_api(self, client: Client, ring: Any) -> None:
        client.get("/", {"tab": "text", "q": "ring"})
        key = ask(client)["search"]
        by_api, by_page = SearchLog.objects.all()
        assert (by_page.door, by_api.door) == ("page", "api")
        assert by_api.key == key
        assert (by_api.text, by_api.language, by_api.kind) == ("ring", "en", "text")
        assert (by_api.hits, by_api.n) == ([ring.pk], 1)
        assert by_api.digest == by_page.digest
        assert by_api.took_ms > 0

    def test_a_refused_search_is_not(self, client: Client, ring: Any) -> None:
        client.post("/api/search/text", {"text": ""}, "application/json")
        client.get("/", {"tab": "text", "q": "x" * 600})
        assert not SearchLog.objects.exists()

    def test_it_can_be_switched_off(self, client: Client, ring: Any, configured: Any) -> None:
        configured(enabled=False)
        assert ask(client)["search"] is None
        assert not SearchLog.objects.exists()

    def test_people_are_named_only_where_that_is_wanted(
        self, client: Client, django_user_model: Any, ring: Any, configured: Any, logged_in: Client
    ) -> None:
        person = django_user_model.objects.create_user("someone")
        client.force_login(person)
        ask(client)
        assert SearchLog.objects.first().user is None
        configured(people=True)
        ask(client)
        assert SearchLog.objects.first().user == person
        configured(people=False)
        ask(logged_in)
        assert SearchLog.objects.first().user.is_staff

    def test_a_search_is_answered_when_it_cannot_be_remembered(
        self, client: Client, ring: Any, monkeypatch: pytest.MonkeyPatch, caplog: Any
    ) -> None:
        def full(*args: Any, **options: Any) -> None:
            raise OSError("no space left")

        monkeypatch.setattr(SearchLog, "save", full)
        answer = ask(client)
        assert answer["results"][0]["name"] == "ring"
        assert answer["search"] is None
        assert "no space left" in caplog.text

    def test_it_is_forgotten_after_its_days(
        self, configured: Any, django_capture_on_commit_callbacks: Any
    ) -> None:
        file = default_storage.save("asked/old.jpg", io.BytesIO(b"x"))
        for days, name in ((100, file), (80, "")):
            row = SearchLog.objects.create(
                door="api", kind="text", engine="mini", digest="0" * 64, k=5, n=0, took_ms=1,
                file=name, created_at=timezone.now() - timedelta(days=days),
            )  # fmt: skip
        configured(days=0)
        assert logs.logs_prune() == 0
        configured(days=90)
        with django_capture_on_commit_callbacks(execute=True):
            assert logs.logs_prune() == 1
        assert SearchLog.objects.get() == row
        assert not default_storage.exists(file)

    def test_a_photo_is_kept_for_staff_alone_and_without_where_it_was_taken(
        self, staff: Any, django_user_model: Any, ring: Any, client: Client, logged_in: Client
    ) -> None:
        hit = type("Hit", (), {"part": ring})()
        answer = Answer(results=[hit], took_ms={"total": 1.0}, engine="mini")
        query = Query(kind="image", image=photo(), crop=(0.0, 0.0, 0.5, 1.0))
        other = django_user_model.objects.create_user("someone")
        assert not logs.search_log(query=query, answer=answer, door="page", user=other).file
        row = logs.search_log(query=query, answer=answer, door="page", user=staff)
        with row.file.open("rb") as file:
            held = Image.open(io.BytesIO(file.read()))
            assert held.size == (600, 900)  # the half that was asked with
            assert not held.getexif()
        for way in ("", "./", "thumbnails/../", "%2e/", "x/%2e%2e/"):
            assert client.get(f"/media/{way}{row.file.name}").status_code == 404, way
        assert client.get("/media/%00").status_code == 404
        assert logged_in.get(f"/media/{row.file.name}").status_code == 200


@pytest.mark.django_db(transaction=True)
class TestItIsWrittenAside:
    """Outside a transaction, as requests are."""

    def test_a_search_does_not_wait_for_its_row(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        part_on_shelf(looks(0.9))
        held, go_on = SearchLog.save, threading.Event()

        def slow(self: SearchLog, **options: Any) -> None:
            go_on.wait(20)
            held(self, **options)

        monkeypatch.setattr(SearchLog, "save", slow)
        key = ask(client)["search"]
        assert not SearchLog.objects.exists()
        go_on.set()
        logs._writer.drain()
        assert SearchLog.objects.get().key == key

    def test_a_photo_is_judged_while_it_is_being_drawn(
        self, staff: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A script, or a quick hand, judges before the row or its picture is written."""
        ring = part_on_shelf(looks(0.9))
        answer = Answer([type("Hit", (), {"part": ring})()], {"total": 1.0}, "mini")
        save, draw = SearchLog.save, logs.picture_kept

        def slow(self: SearchLog, **options: Any) -> None:
            time.sleep(0.1)
            save(self, **options)

        def slowly(*args: Any) -> Any:
            time.sleep(0.1)
            return draw(*args)

        monkeypatch.setattr(SearchLog, "save", slow)
        monkeypatch.setattr(logs, "picture_kept", slowly)
        query = Query(kind="image", image=photo())
        row = logs.search_log(query=query, answer=answer, door="page", user=staff)
        assert judging.thumb_give(search=row.key, part=ring.uuid, thumb="up", by=staff) == "up"
        assert EvaluationQuery.objects.get().file
        logs._writer.drain()

    def test_what_cannot_be_written_is_told_to_the_log(
        self, client: Client, monkeypatch: pytest.MonkeyPatch, caplog: Any
    ) -> None:
        part_on_shelf(looks(0.9))

        def locked(*args: Any, **options: Any) -> None:
            raise OSError("database is locked")

        monkeypatch.setattr(SearchLog, "save", locked)
        assert ask(client)["results"]
        logs._writer.drain()
        assert "database is locked" in caplog.text

    def test_many_that_wait_are_not_kept(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        part_on_shelf(looks(0.9))
        monkeypatch.setattr(logs, "WAITING_MOST", 0)
        assert ask(client)["search"] is None
        logs._writer.drain()
        assert not SearchLog.objects.exists()

    def test_a_photo_is_drawn_anew_aside(self, staff: Any) -> None:
        hit = type("Hit", (), {"part": part_on_shelf(looks(0.9))})()
        answer = Answer(results=[hit], took_ms={"total": 1.0}, engine="mini")
        query = Query(kind="image", image=photo())
        row = logs.search_log(query=query, answer=answer, door="page", user=staff)
        logs._writer.drain()
        assert default_storage.exists(SearchLog.objects.get(key=row.key).file.name)


class TestThumbs:
    def test_a_thumb_makes_a_query_to_measure_by(self, logged_in: Client, ring: Any) -> None:
        key = ask(logged_in)["search"]
        answer = judge(logged_in, search=key, part=str(ring.uuid), thumb="up")
        assert answer.json() == {"success": True, "part": str(ring.uuid), "thumb": "up"}
        query = EvaluationQuery.objects.get()
        assert (query.origin, query.text, str(query)) == ("staff", "ring", "ring")
        assert grades_joined(query, ["staff"]) == ("staff", {ring.pk: 2.0})
        assert refs_choose(Choice(sources=("staff",))) == [f"q:{query.pk}"]
        question = Reader(Choice()).read(f"q:{query.pk}")
        assert (question.query.text, question.source) == ("ring", "staff")

    def test_it_can_be_changed_and_taken_back(self, logged_in: Client, ring: Any) -> None:
        key, part = ask(logged_in)["search"], str(ring.uuid)
        for thumb, grades in (("up", [2.0]), ("down", [0.0]), ("none", []), ("none", [])):
            judge(logged_in, search=key, part=part, thumb=thumb)
            assert list(Judgement.objects.values_list("grade", flat=True)) == grades

    def test_each_person_has_one(
        self, logged_in: Client, django_user_model: Any, ring: Any
    ) -> None:
        key = ask(logged_in)["search"]
        other = Client()
        other.force_login(django_user_model.objects.create_user("second", is_staff=True))
        for client, thumb in ((logged_in, "up"), (other, "down"), (logged_in, "up")):
            judge(client, search=key, part=str(ring.uuid), thumb=thumb)
        assert sorted(Judgement.objects.values_list("grade", flat=True)) == [0.0, 2.0]
        judge(other, search=key, part=str(ring.uuid), thumb="none")
        assert Judgement.objects.get().grade == 2.0

    def test_words_are_judged_by_grade(self, token_client: Any, ring: Any) -> None:
        client = token_client("admin")
        for grade in (1, 3):
            asked = {"text": " 戒指 ", "part": str(ring.uuid), "grade": grade}
            assert client.post("/api/judgements/", asked).status_code == 201
        assert Judgement.objects.get().grade == 3  # a newer one replaces it
        query = EvaluationQuery.objects.get()
        assert (query.text, query.language) == ("戒指", "zh")

    @pytest.mark.parametrize(
        ("change", "status", "code"),
        [
            ({"thumb": "maybe"}, 400, "choice_unknown"),
            ({"search": "nothing"}, 404, "search_unknown"),
            ({"part": "00000000-0000-4000-8000-000000000000"}, 404, "part_unknown"),
            ({"part": "seven"}, 400, "invalid"),
            ({"thumb": None}, 400, "judgement_incomplete"),
            ({"search": None, "text": "ring", "grade": 11}, 400, "invalid"),
            ({"search": None, "text": "ring", "grade": "NaN"}, 400, "invalid"),
        ],
    )
    def test_what_cannot_be_judged(
        self, logged_in: Client, ring: Any, change: Any, status: int, code: str
    ) -> None:
        asked = {"search": ask(logged_in)["search"], "part": str(ring.uuid), "thumb": "up"}
        asked = {name: value for name, value in (asked | change).items() if value is not None}
        answer = judge(logged_in, **asked)
        assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
        assert not Judgement.objects.exists()

    def test_only_what_was_found_is_judged(self, logged_in: Client, ring: Any) -> None:
        key = ask(logged_in, k=1)["search"]
        later = part_on_shelf(looks(0.95))
        answer = judge(logged_in, search=key, part=str(later.uuid), thumb="up")
        assert answer.json()["error"]["code"] == "not_a_hit"

    def test_a_picture_that_was_not_kept_cannot_be(self, staff: Any, ring: Any) -> None:
        row = SearchLog.objects.create(
            door="page", kind="image", engine="mini", digest="1" * 64, k=5, n=1, took_ms=1,
            hits=[ring.pk],
        )  # fmt: skip
        with pytest.raises(ServiceError, match="was not kept"):
            judging.thumb_give(search=row.key, part=ring.uuid, thumb="up", by=staff)

    def test_others_may_not(self, client: Client, token_client: Any, ring: Any) -> None:
        asked = {"search": ask(client)["search"], "part": str(ring.uuid), "thumb": "up"}
        assert judge(client, **asked).status_code == 401
        assert token_client("read", "write").post("/api/judgements/", asked).status_code == 403
        assert client.post("/judge", asked).status_code == 403
        assert not Judgement.objects.exists()


class TestThePage:
    def test_thumbs_are_for_staff(self, client: Client, logged_in: Client, ring: Any) -> None:
        assert 'class="judge"' not in client.get("/?q=ring").content.decode()
        assert 'class="judge"' in logged_in.get("/?q=ring").content.decode()

    def test_without_the_script_a_thumb_leads_back(self, logged_in: Client, ring: Any) -> None:
        logged_in.get("/?q=ring")
        asked = {"search": SearchLog.objects.get().key, "part": ring.uuid, "thumb": "up"}
        answer = logged_in.post("/judge", {**asked, "back": "/?q=ring"})
        assert (answer.status_code, answer["Location"]) == (302, "/?q=ring")
        html = logged_in.get("/?q=ring").content.decode()
        assert 'aria-pressed="true"' in html
        assert logged_in.post("/judge", {**asked, "back": "https://evil.test/"}).status_code == 200
        html = logged_in.post("/judge", asked).content.decode()
        assert "is right for what was asked" in html
        assert 'value="none"' in html
        logged_in.post("/judge", {**asked, "thumb": "none"})
        assert not Judgement.objects.exists()

    def test_the_script_gets_the_thumbs_alone(self, logged_in: Client, ring: Any) -> None:
        logged_in.get("/?q=ring")
        asked = {"search": SearchLog.objects.get().key, "part": ring.uuid, "thumb": "down"}
        answer = logged_in.post("/judge", asked, headers={"X-Requested-With": "judge"})
        html = answer.content.decode()
        assert "<html" not in html
        assert html.count('aria-pressed="true"') == 1

    def test_an_opened_hit_is_a_weak_sign(self, logged_in: Client, ring: Any) -> None:
        logged_in.get("/?q=ring")
        asked = {"search": SearchLog.objects.get().key, "part": ring.uuid}
        for _ in range(2):
            assert logged_in.post("/judge/click", asked).status_code == 204
        noted = Judgement.objects.get()
        assert (noted.source, noted.grade, noted.rank) == ("click", 0.5, 1)

    @pytest.mark.parametrize("asked", [{}, {"search": "x"}, {"search": "x", "part": "y"}])
    def test_broken_forms_are_refused(self, logged_in: Client, db: None, asked: Any) -> None:
        assert logged_in.post("/judge", asked).status_code == 400
        assert logged_in.post("/judge/click", asked).status_code == 400

    def test_a_photo_is_judged_and_asked_again(
        self, logged_in: Client, staff: Any, ring: Any
    ) -> None:
        hit = type("Hit", (), {"part": ring})()
        answer = Answer(results=[hit], took_ms={"total": 1.0}, engine="mini")
        query = Query(kind="image", image=photo())
        row = logs.search_log(query=query, answer=answer, door="page", user=staff)
        asked = {"search": row.key, "part": ring.uuid, "thumb": "up"}
        assert logged_in.post("/judge", asked).status_code == 200
        kept = EvaluationQuery.objects.get()
        row.delete()
        question = Reader(Choice()).read(f"q:{kept.pk}")
        assert question.kind == "image"
        assert Image.open(io.BytesIO(question.query.image)).size == (1200, 900)
