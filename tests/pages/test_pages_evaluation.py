"""Evaluations in the admin: started, watched, read, compared, by those who may."""

import csv
import io
import re
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from catalog.models import Part
from search.evaluation import services as evaluation
from search.evaluation.charts import lines_draw
from search.evaluation.services import Plan
from search.models import EvaluationQuery, EvaluationRun, Judgement, SearchLog
from tests.factories.shelf import axes_in_place, looks, part_on_shelf
from tests.pages.test_pages_safe import EVIL, faults

pytestmark = pytest.mark.django_db

START = reverse("admin:search_evaluationrun_add")
LIST = reverse("admin:search_evaluationrun_changelist")
IMPORT = reverse("admin:search_evaluationquery_add")


@pytest.fixture(autouse=True)
def axes(monkeypatch: pytest.MonkeyPatch) -> Any:
    return axes_in_place(monkeypatch)


@pytest.fixture
def ring() -> Part:
    part = part_on_shelf(looks(0.9), name="ring", number="R1")
    part_on_shelf(looks(0.8), name="ring too", number="R2")
    for n, text in enumerate(["ring", "戒指 ring", EVIL + " ring"]):
        query = EvaluationQuery.objects.create(
            origin="file", kind="text", text=text, language=["en", "zh", "en"][n], digest=f"{n:064}"
        )
        Judgement.objects.create(query=query, part=part, grade=2, source="file")
    return part


@pytest.fixture
def visitor(django_user_model: Any) -> Callable[..., Client]:
    """Makes a client of staff with these permissions only."""

    def make(*permissions: str) -> Client:
        n = django_user_model.objects.count()
        user = django_user_model.objects.create_user(f"clerk {n}", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
        client = Client()
        client.force_login(user)
        return client

    return make


def page(client: Client, address: str, **fields: Any) -> str:
    answer = client.get(address, fields)
    assert answer.status_code == 200, address
    html = answer.content.decode()
    assert faults(html) == []
    assert "<script>alert" not in html
    return html


def report_of(run: EvaluationRun) -> str:
    return reverse("admin:search_evaluationrun_change", args=[run.pk])


def measured(*names: str, **plan: Any) -> EvaluationRun:
    return evaluation.engines_measure(names or ("mini", "words"), plan=Plan(threads=0, **plan))


def test_a_run_is_started_here_and_done_by_a_worker(
    logged_in: Client, ring: Part, work: Callable[[], int], django_capture_on_commit_callbacks: Any
) -> None:
    assert "Looks" in page(logged_in, START)
    asked = {"engines": ["mini", "words"], "sources": ["file"], "k": 5, "limit": 10, "threads": 0}
    with django_capture_on_commit_callbacks(execute=True):
        answer = logged_in.post(START, {**asked, "note": "before the new weights"})
    run = EvaluationRun.objects.get()
    assert answer["Location"] == report_of(run)
    waiting = logged_in.get(report_of(run))
    assert waiting["Refresh"] == "3"
    assert "queued" in waiting.content.decode()
    work()
    run.refresh_from_db()
    assert run.state == "done"
    html = page(logged_in, report_of(run))
    assert "before the new weights" in html
    assert "nDCG@5" in html
    assert "Refresh" not in logged_in.get(report_of(run))


def test_a_report_says_what_was_found(logged_in: Client, ring: Part) -> None:
    run = measured()
    html = page(logged_in, report_of(run))
    assert re.search(r"<svg[^>]*role=\"img\"", html)
    for said in ("Engines side by side", "English", "Chinese", "Looks − Words", "p95", "Holm"):
        assert said in html
    html = page(logged_in, report_of(run), measure="recall")
    assert "Recall@10 by kind" in html
    assert page(logged_in, report_of(run), measure=EVIL)
    chinese = logged_in.get(report_of(run), headers={"Accept-Language": "zh-hant"})
    assert "引擎比較" in chinese.content.decode()


def test_a_report_says_what_weakens_it(logged_in: Client, ring: Part) -> None:
    run = measured()
    html = page(logged_in, report_of(run))
    assert "Fewer than 30 questions" in html
    assert "switched or exchanged" not in html
    assert "under way at the same time" not in html
    other = measured()
    EvaluationRun.objects.filter(pk=other.pk).update(started_at=run.started_at)
    EvaluationRun.objects.filter(pk=run.pk).update(metrics={**run.metrics, "switched": True})
    html = page(logged_in, report_of(run))
    assert "switched or exchanged" in html
    assert "under way at the same time" in html


def test_values_are_a_table_without_formulas(
    logged_in: Client, visitor: Callable[..., Client], ring: Part
) -> None:
    query = EvaluationQuery.objects.create(
        origin="file", kind="text", text='=HYPERLINK("http://evil.test")', digest="f" * 64
    )
    Judgement.objects.create(query=query, part=ring, grade=2, source="file")
    run = measured()
    address = reverse("admin:search_evaluationrun_values", args=[run.pk])
    assert address in page(logged_in, report_of(run))
    answer = logged_in.get(address)
    text = b"".join(answer.streaming_content).decode()
    assert text.startswith("\ufeff")
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    assert len(rows) == 8
    assert {row["label"] for row in rows} > {"ring", '\'=HYPERLINK("http://evil.test")'}
    assert rows[0]["ndcg"] == "1.0"
    assert visitor().get(address).status_code == 403
    assert visitor("view_evaluationrun").get(address).status_code == 200
    assert logged_in.get(address.replace(str(run.pk), "999999")).status_code == 404


def test_a_line_breaks_where_there_is_nothing() -> None:
    (line,) = lines_draw(["#1", "#2", "#3", "#4"], {"Looks": (0, [0.5, None, 0.5, 0.6])}).lines
    assert [step[0] for step in line.path.split(" ") if step[0] in "ML"] == ["M", "M", "L"]
    assert len(line.points) == 3


def test_a_failed_run_says_why(logged_in: Client, db: None) -> None:
    run = evaluation.evaluation_start(names=["mini"], plan=Plan(threads=0), background=False)
    evaluation.evaluation_work(run.pk)
    html = page(logged_in, report_of(run))
    assert "nothing to measure by" in html
    assert "failed" in page(logged_in, LIST)


def test_a_run_can_be_stopped(logged_in: Client, ring: Part) -> None:
    run = evaluation.evaluation_start(names=["mini"], plan=Plan(threads=0), background=False)
    cancel = reverse("admin:search_evaluationrun_cancel", args=[run.pk])
    assert cancel in page(logged_in, report_of(run))
    assert logged_in.get(cancel).status_code == 403
    logged_in.post(cancel)
    run.refresh_from_db()
    assert run.state == "cancelled"
    html = logged_in.post(cancel, follow=True).content.decode()
    assert "over already" in html


def test_two_runs_are_compared_and_many_are_charted(logged_in: Client, ring: Part) -> None:
    assert "<svg" not in page(logged_in, LIST).split('id="changelist"')[0].split("evaluation")[-1]
    first = measured()
    part_on_shelf(looks(0.95), name="ring that is nearer")
    second = measured()
    html = page(logged_in, LIST)
    assert 'class="chart lines"' in html
    table = html[html.index("The same as a table") :]
    assert table.index(f">#{first.pk}</a>") < table.index(f">#{second.pk}</a>")
    assert "1.000" in table
    assert f"#{second.pk}: " in html
    pks = [first.pk, second.pk]
    chosen = {"action": "compare", "_selected_action": pks}
    answer = logged_in.post(LIST, chosen)
    assert answer["Location"].endswith(f"?runs={first.pk},{second.pk}")
    html = page(logged_in, answer["Location"])
    assert "Looks" in html
    assert "-0." in html  # what is nearer now stands before what is right
    assert "different lengths" not in html
    deeper = measured(k=3)
    compare = reverse("admin:search_evaluationrun_compare")
    assert "different lengths" in page(logged_in, compare, runs=f"{first.pk},{deeper.pk}")
    for wrong in ("", "1", "x,y", f"{first.pk},999999", "9" * 40):
        assert logged_in.get(compare, {"runs": wrong}).status_code == 404
    answer = logged_in.post(LIST, {**chosen, "_selected_action": pks[:1]}, follow=True)
    assert "Choose two" in answer.content.decode()


def test_only_those_who_may(visitor: Callable[..., Client], ring: Part) -> None:
    run = measured("mini")
    cancel = reverse("admin:search_evaluationrun_cancel", args=[run.pk])
    nobody, reader = visitor(), visitor("view_evaluationrun")
    compare = reverse("admin:search_evaluationrun_compare")
    delete = reverse("admin:search_evaluationrun_delete", args=[run.pk])
    assert reader.post(delete, {"post": "yes"}).status_code == 403
    for address in (LIST, START, IMPORT, report_of(run), compare, delete):
        assert nobody.get(address).status_code == 403, address
    for name in ("evaluationquery", "judgement", "searchlog"):
        address = reverse(f"admin:search_{name}_changelist")
        assert reader.get(address).status_code == 403
        assert visitor(f"view_{name}").get(address).status_code == 200
    assert reader.get(report_of(run)).status_code == 200
    assert reader.get(START).status_code == 403
    assert reader.post(cancel).status_code == 403
    assert visitor("add_evaluationrun").get(START).status_code == 200
    assert Client().get(LIST).status_code == 302


@pytest.mark.parametrize(
    "change",
    [{"engines": ["none"]}, {"k": 0}, {"k": 10**9}, {"limit": "x"}, {"sources": []},
     {"kinds": ["smell"]}, {"query_set": "none"}, {"threads": 1000}],
)  # fmt: skip
def test_a_form_that_cannot_be_is_shown_again(logged_in: Client, ring: Part, change: Any) -> None:
    asked = {"engines": ["mini"], "sources": ["file"], "k": 5, "limit": 10, "threads": 0, **change}
    answer = logged_in.post(START, asked)
    assert answer.status_code == 200
    assert "errorlist" in answer.content.decode()
    assert not EvaluationRun.objects.exists()


def test_judgements_are_brought_in_here(logged_in: Client, ring: Part) -> None:
    assert "six" not in page(logged_in, IMPORT)
    table = b"text,part,grade\nsix rings,R1,3\nsix rings,R9,1\nnone,R9,1\n" + EVIL.encode() + b",R2"
    file = SimpleUploadedFile("six.csv", table)
    answer = logged_in.post(IMPORT, {"file": file, "query_set": ""})
    html = answer.content.decode()
    assert "Set “six”: 1 queries with 1 judgements." in html or "Set “six”: 2 queries" in html
    assert "<script>alert" not in html
    assert EvaluationQuery.objects.filter(query_set="six", text="six rings").exists()
    listed = page(logged_in, reverse("admin:search_evaluationquery_changelist"))
    assert "six rings" in listed
    query = EvaluationQuery.objects.get(text="six rings")
    assert page(logged_in, reverse("admin:search_evaluationquery_change", args=[query.pk]))
    assert page(logged_in, reverse("admin:search_judgement_changelist"))
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("../../evil.csv", "text,part\nx,R1\n")
    bad = SimpleUploadedFile("bad.zip", held.getvalue())
    html = logged_in.post(IMPORT, {"file": bad}).content.decode()
    assert "errorlist" in html


def test_what_is_deleted_here_leaves_no_file(
    logged_in: Client, ring: Part, django_capture_on_commit_callbacks: Any
) -> None:
    def kept(model: Any, **values: Any) -> Any:
        name = default_storage.save("asked/one.jpg", ContentFile(b"a photo"))
        return model.objects.create(kind="image", digest="1" * 64, file=name, **values)

    asked = {"door": "page", "engine": "mini", "k": 5, "n": 0, "took_ms": 1}
    for rows in (
        [kept(SearchLog, **asked) for _ in range(2)],
        [kept(EvaluationQuery, origin="staff", query_set=str(n)) for n in range(2)],
    ):
        of = f"admin:search_{rows[0]._meta.model_name}"
        with django_capture_on_commit_callbacks(execute=True):
            logged_in.post(reverse(f"{of}_delete", args=[rows[0].pk]), {"post": "yes"})
            chosen = {"action": "delete_selected", "_selected_action": [rows[1].pk], "post": "yes"}
            logged_in.post(reverse(f"{of}_changelist"), chosen)
        assert not type(rows[0]).objects.filter(kind="image").exists()
        assert not any(default_storage.exists(row.file.name) for row in rows)


def test_a_run_is_deleted_without_a_list_of_its_values(logged_in: Client, ring: Part) -> None:
    run = measured("mini")
    address = reverse("admin:search_evaluationrun_delete", args=[run.pk])
    html = page(logged_in, address)
    assert "values: 3" in html.lower()
    assert f"{run.pk}/mini/0" not in html
    logged_in.post(address, {"post": "yes"})
    assert not EvaluationRun.objects.exists()


def test_searches_made_are_listed(logged_in: Client, client: Client, ring: Part) -> None:
    logged_in.get("/", {"q": EVIL + " ring"})
    logged_in.get("/", {"q": "ring"})
    address = reverse("admin:search_searchlog_changelist")
    html = page(logged_in, address)
    assert "ring" in html
    for found in ("none", "weak", "good", "x"):
        page(logged_in, address, found=found)
    row = SearchLog.objects.first()
    assert "ring too" in page(logged_in, reverse("admin:search_searchlog_change", args=[row.pk]))


class TestTheApi:
    def test_a_run_is_asked_for_and_read(
        self, token_client: Any, ring: Part, work: Callable[[], int],
        django_capture_on_commit_callbacks: Any,
    ) -> None:  # fmt: skip
        admin, reader = token_client("admin"), token_client("read")
        asked = {"engines": ["mini", "mini+words"], "k": 5, "threads": 0}
        with django_capture_on_commit_callbacks(execute=True):
            answer = admin.post("/api/evaluations/", asked)
        assert answer.status_code == 202
        assert answer.json()["state"] == "queued"
        work()
        run = reader.get(f"/api/evaluations/{answer.json()['id']}").json()
        assert (run["state"], run["percent"]) == ("done", 100)
        assert run["metrics"]["engines"]["mini"]["all"]["n"] == 3
        (listed,) = reader.get("/api/evaluations/").json()["results"]
        assert "metrics" not in listed
        assert admin.delete(f"/api/evaluations/{run['id']}").status_code == 409

    def test_it_can_be_stopped(self, token_client: Any, ring: Part) -> None:
        run = evaluation.evaluation_start(names=["mini"], plan=Plan(threads=0), background=False)
        answer = token_client("admin").delete(f"/api/evaluations/{run.pk}/")
        assert answer.json()["state"] == "cancelled"

    def test_only_admin_may_start_one(self, token_client: Any, ring: Part) -> None:
        assert token_client("read", "write").post("/api/evaluations/", {}).status_code == 403
        assert not EvaluationRun.objects.exists()

    @pytest.mark.parametrize(
        ("asked", "code"),
        [
            ({"engines": ["none"]}, "engine_unknown"),
            ({"engines": "mini"}, "invalid"),
            ({"k": 1000}, "number_out_of_range"),
            ({"seed": -1}, "number_out_of_range"),
            ({"sources": ["stars"]}, "invalid"),
            ({"sources": []}, "choice_unknown"),
        ],
    )
    def test_what_cannot_be_is_refused(self, token_client: Any, asked: Any, code: str) -> None:
        answer = token_client("admin").post("/api/evaluations/", asked)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)

    def test_what_is_not_there(self, token_client: Any) -> None:
        for pk in ("999999", "9" * 18):
            assert token_client("read").get(f"/api/evaluations/{pk}").status_code == 404
