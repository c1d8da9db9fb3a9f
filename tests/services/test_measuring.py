"""On PostgreSQL: searches are remembered, judged and measured by, with several threads at once."""

from typing import Any

import pytest

from search.evaluation import logs
from search.evaluation import services as evaluation
from search.evaluation.questions import Choice
from search.evaluation.services import Plan
from search.models import EvaluationRun, Judgement, SearchLog
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
