"""Inspections in the admin: seen, run again, decided; thresholds, lessons and webhooks kept."""

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog.models import Category, Part
from search.inspection import services
from search.inspection.limits import learnt_of
from search.inspection.running import folder_of
from search.models import (
    Inspection,
    InspectionBatch,
    InspectionNotice,
    QcCalibration,
    QcThreshold,
    Webhook,
)
from tests.factories.inspections import inspection_make, part_make
from tests.factories.work import queued_by_task, work_off

pytestmark = pytest.mark.django_db(transaction=True)

MODELS = (Inspection, InspectionBatch, InspectionNotice, QcCalibration, QcThreshold, Webhook)
PAGE = "/admin/search/inspection/"


def address(model: Any) -> str:
    return f"/admin/search/{model._meta.model_name}/"


def act(client: Client, model: Any, action: str, *rows: Any, **fields: Any) -> Any:
    body = {"action": action, "_selected_action": [row.pk for row in rows], **fields}
    return client.post(address(model), body, follow=True)


@pytest.fixture
def part() -> Part:
    return part_make()


@pytest.fixture
def looker(django_user_model: Any) -> Client:
    user = django_user_model.objects.create_user("looker", password="a long word", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def one_of_each(part: Part) -> dict[Any, Any]:
    batch = InspectionBatch.objects.create(
        name="Tuesday", refused=[{"name": "a.txt", "code": "not_a_picture", "params": {}}]
    )
    inspection = inspection_make(
        part, verdict="fail", similarity=0.2, batch=batch, piece="no. 7",
        reasons=[{"code": "unlike", "params": {}}, {"code": "unheard of", "params": {"x": 1}}],
        learnt={"shift": 0.25, "n_good": 3, "n_bad": 1},
    )  # fmt: skip
    hook = Webhook.objects.create(name="line 3", url="https://example.com/", secret="of two")
    return {
        Inspection: inspection,
        InspectionBatch: batch,
        InspectionNotice: InspectionNotice.objects.create(
            inspection=inspection, revision=1, webhook=hook, event="fail", state="failed"
        ),
        QcCalibration: QcCalibration.objects.create(part=part, version="x", data={"shift": "?"}),
        QcThreshold: QcThreshold.objects.create(),
        Webhook: hook,
    }


def test_everything_can_be_looked_at(logged_in: Client, one_of_each: Any) -> None:
    for model, row in one_of_each.items():
        assert logged_in.get(address(model)).status_code == 200
        assert logged_in.get(f"{address(model)}{row.pk}/change/").status_code == 200
    page = logged_in.get(f"{PAGE}{one_of_each[Inspection].pk}/change/").content.decode()
    for text in ("no. 7", "it differs more than good pieces do", "3 good and 1 bad", "+0.25"):
        assert text in page
    assert 'name="verdict"' not in page and 'name="note"' not in page
    found = logged_in.get(PAGE, {"q": "no. 7", "verdict": "fail"}).content.decode()
    assert "no. 7" in found
    assert "no. 7" not in logged_in.get(PAGE, {"q": "no. 8"}).content.decode()
    batch = logged_in.get(f"{address(InspectionBatch)}{one_of_each[InspectionBatch].pk}/change/")
    assert "a.txt" in batch.content.decode()


def test_who_may_only_look_changes_nothing(looker: Client, rf: Any, one_of_each: Any) -> None:
    request = rf.get("/")
    request.user = looker.get("/admin/").wsgi_request.user
    for model, row in one_of_each.items():
        assert set(admin.site.get_model_admin(model).get_actions(request)) == set()
        assert looker.get(f"{address(model)}{row.pk}/change/").status_code == 200
        assert looker.get(f"{address(model)}{row.pk}/delete/").status_code == 403
        assert looker.post(f"{address(model)}{row.pk}/change/", {}).status_code == 403
    page = looker.get(f"{address(Webhook)}{one_of_each[Webhook].pk}/change/").content.decode()
    assert "line 3" in page and "of two" not in page
    act(looker, Inspection, "decide_good", one_of_each[Inspection])
    assert Inspection.objects.get().decision == ""


def test_pieces_are_decided_and_looked_at_again(logged_in: Client, part: Part, staff: Any) -> None:
    made = [inspection_make(part) for _ in range(2)]
    page = act(logged_in, Inspection, "decide_bad", *made).content.decode()
    assert "2 inspections were decided." in page
    rows = Inspection.objects.all()
    assert {(row.decision, row.decided_by) for row in rows} == {("bad", staff)}
    work_off()
    assert QcCalibration.objects.get(part=part).n_bad == 2
    act(logged_in, Inspection, "decide_open", made[0])
    act(logged_in, Inspection, "run_again", made[1])
    rows = {row.pk: row for row in Inspection.objects.all()}
    assert rows[made[0].pk].decision == "" and rows[made[1].pk].state == "queued"
    Part.objects.filter(pk=part.pk).update(status=Part.Status.FAILED)
    page = act(logged_in, Inspection, "run_again", made[0]).content.decode()
    assert "could not be processed" in page


def test_only_a_superuser_deletes_and_then_whole(
    logged_in: Client, django_user_model: Any, part: Part
) -> None:
    inspection = inspection_make(part, odds=0.1)
    services.inspection_decide(inspection, decision="bad")
    work_off()
    name = default_storage.save(f"{folder_of(inspection)}/0.jpg", ContentFile(b"x"))
    user = django_user_model.objects.create_user("editor", password="a long word", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="search"))
    editor = Client()
    editor.force_login(user)
    assert editor.post(f"{PAGE}{inspection.pk}/delete/", {"post": "yes"}).status_code == 403
    assert "delete_selected" not in editor.get(PAGE).content.decode()
    assert act(logged_in, Inspection, "delete_selected", inspection, post="yes").status_code == 200
    assert not Inspection.objects.exists() and not default_storage.exists(name)
    work_off()
    assert not QcCalibration.objects.exists()


def test_there_is_one_general_threshold(logged_in: Client) -> None:
    def add(category: Any = "") -> Any:
        body = {"category": category, "threshold": 0.8, "tolerance": 2, "tolerance_mm": 0}
        return logged_in.post(f"{address(QcThreshold)}add/", body | {"size": 3})

    ring = Category.objects.create(name="Rings")
    assert add().status_code == 302 and add(ring.pk).status_code == 302
    assert "general threshold already" in add().content.decode()
    assert add(ring.pk).status_code == 200
    assert QcThreshold.objects.count() == 2
    general = QcThreshold.objects.get(category=None)
    body = {"category": "", "threshold": 0.7, "tolerance": 2, "tolerance_mm": 0, "size": 3}
    url = f"{address(QcThreshold)}{general.pk}/change/"
    assert logged_in.post(url, body).status_code == 302
    assert logged_in.post(url, body | {"threshold": 1}).status_code == 200
    general.refresh_from_db()
    assert general.threshold == 0.7


def test_what_was_learnt_is_forgotten_but_not_the_decisions(logged_in: Client, part: Part) -> None:
    inspection = inspection_make(part, odds=0.3)
    services.inspection_decide(inspection, decision="bad")
    work_off()
    row = QcCalibration.objects.get(part=part)
    assert learnt_of(part).shift < 0
    act(logged_in, QcCalibration, "forget", row)
    act(logged_in, QcCalibration, "learn_anew", row)
    assert queued_by_task() == {"workers.inspection_learn": [part.pk]}
    act(logged_in, QcCalibration, "learn_anew", row)
    work_off()
    assert learnt_of(part).shift == 0 and Inspection.objects.get().decision == "bad"
    services.inspection_decide(inspection_make(part, odds=0.4), decision="bad")
    work_off()
    row.refresh_from_db()
    assert row.n_bad == 1 and learnt_of(part).shift < 0


def test_a_webhook_is_tried_and_a_notice_sent_again(logged_in: Client, one_of_each: Any) -> None:
    hook, notice = one_of_each[Webhook], one_of_each[InspectionNotice]
    Webhook.objects.update(url="http://127.0.0.1:9/")
    page = act(logged_in, Webhook, "test", hook).content.decode()
    assert "ine 3: refused: 127.0.0.1" in page
    hook.refresh_from_db()
    assert hook.last_status.startswith("refused")
    act(logged_in, InspectionNotice, "send_again", notice)
    notice.refresh_from_db()
    assert (notice.state, notice.attempts) == ("waiting", 0)
    assert queued_by_task() == {"workers.inspection_notice": [notice.pk]}


def test_a_webhook_leads_to_the_web(logged_in: Client) -> None:
    for url, status in (("ftp://example.com/", 200), ("https://example.com/in", 302)):
        body = {"name": "x", "url": url, "event": "fail", "active": "on", "secret": ""}
        assert logged_in.post(f"{address(Webhook)}add/", body).status_code == status


def test_lists_ask_as_much_of_many_as_of_few(logged_in: Client, part: Part) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as asked:
            for model in MODELS:
                assert logged_in.get(address(model)).status_code == 200
        return len(asked)

    def more(n: int) -> None:
        for number in range(n):
            other = part_make(f"Part {number}")
            category = Category.objects.create(name=f"{Category.objects.count()}")
            hook = Webhook.objects.create(name="x", url="https://example.com/")
            made = inspection_make(other, photos=3, batch=InspectionBatch.objects.create(name="x"))
            InspectionNotice.objects.create(inspection=made, revision=1, webhook=hook, event="fail")
            QcCalibration.objects.create(part=other, version="x")
            QcThreshold.objects.create(category=category)

    more(2)
    queries()
    few = queries()
    more(8)
    assert queries() <= few
