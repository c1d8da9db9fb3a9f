"""On PostgreSQL: searches are remembered, judged and measured by, with several threads at once."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection

from catalog.errors import ServiceError
from search.evaluation import logs
from search.evaluation import services as evaluation
from search.evaluation.judgement_import import upload_import
from search.evaluation.questions import Choice
from search.evaluation.services import Plan
from search.models import EvaluationQuery, EvaluationRun, Judgement, SearchLog
from tests.factories.shelf import axes_in_place, looks, part_on_shelf

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_judged_search_is_measured_by(logged_in: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    axes_in_place(monkeypatch)
    ring = part_on_shelf(looks(0.9), name="ring")
    asked = logged_in.post("/api/search/text", {"text": "ring"}, "application/json").json()
    logs._writer.drain()
    assert SearchLog.objects.get().hits == [ring.pk]
    for thumb in ("down", "up"):
        body = {"search": asked["search"], "part": str(ring.uuid), "thumb": thumb}
        assert logged_in.post("/api/judgements/", body, "application/json").status_code == 200
    assert Judgement.objects.get().grade == 2
    logged_in.post("/judge/click", {"search": asked["search"], "part": ring.uuid})
    logged_in.post("/judge/click", {"search": asked["search"], "part": ring.uuid})
    choice = Choice(sources=("staff", "click", "category"))
    run = evaluation.evaluation_start(names=["mini", "fusion"], plan=Plan(choice, threads=3))
    while evaluation.evaluation_work(run.pk, seconds=0):
        pass
    run = EvaluationRun.objects.get()
    assert (run.state, run.error_code) == ("done", "")
    assert run.metrics["engines"]["mini"]["all"]["ndcg"] == [1.0, 1.0, 1.0]
    assert run.metrics["threads"]["fusion"]["per_s"] > 0


def test_a_set_that_two_bring_in_at_once_is_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    axes_in_place(monkeypatch)
    part_on_shelf(looks(0.9), number="R1")
    table = "text,part\n" + "".join(f"ring {n},R1\n" for n in range(300))

    def bring(_n: int) -> str:
        try:
            file = SimpleUploadedFile("rings.csv", table.encode())
            return str(upload_import(file, query_set="rings").queries)
        except ServiceError as error:
            return error.code
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        said = set(pool.map(bring, range(8)))
    assert "300" in said <= {"300", "judgements_busy"}
    assert EvaluationQuery.objects.count() == Judgement.objects.count() == 300


def test_half_a_character_is_refused_and_no_fault(logged_in: Any) -> None:
    rows = b'{"text": "ri\\u0000ng", "part": "R1"}\n{"text": "\\ud800", "part": "R\\u0000"}\n'
    with pytest.raises(ServiceError, match="no text"):
        upload_import(SimpleUploadedFile("rings.jsonl", rows), query_set="rings")
    file = SimpleUploadedFile("rings.csv", b"text,part\nri\0ng,R1\n")
    with pytest.raises(ServiceError, match="UTF-8"):
        upload_import(file, query_set="rings")
