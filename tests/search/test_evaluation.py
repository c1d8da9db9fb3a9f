"""Engines are measured on judged queries, as users would have been answered."""

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import OperationalError
from django.utils import timezone

from catalog import services
from catalog.errors import ServiceError
from catalog.models import Category, Part
from search import encoders
from search.engine.encoders.space import Space
from search.engine.errors import EncoderError
from search.evaluation import services as evaluation
from search.evaluation import steps as evaluation_steps
from search.evaluation.questions import Choice, Reader, grades_joined, refs_choose
from search.evaluation.services import Plan
from search.evaluation.steps import rankings_of
from search.models import (
    Embedding,
    EvaluationQuery,
    EvaluationRun,
    EvaluationValue,
    Judgement,
    SearchLog,
    Selection,
)
from tests.factories.shelf import axes_in_place, looks, part_on_shelf

pytestmark = pytest.mark.django_db

QUICK = Plan(threads=0)


@pytest.fixture(autouse=True)
def axes(monkeypatch: pytest.MonkeyPatch) -> Any:
    return axes_in_place(monkeypatch)


def judged(text: str, grades: dict[Part, float], source: str = "file") -> EvaluationQuery:
    query = EvaluationQuery.objects.create(
        origin="file", kind="text", text=text, language="en", digest=f"{text:0<64}"[:64]
    )
    for part, grade in grades.items():
        Judgement.objects.create(query=query, part=part, grade=grade, source=source)
    return query


def test_an_engine_that_finds_what_is_right_first_is_perfect() -> None:
    ring = part_on_shelf(looks(0.9))
    part_on_shelf(looks(0, 0.9))
    judged("ring", {ring: 2})
    run = evaluation.engines_measure(["mini"], plan=QUICK)
    assert run.state == "done"
    of = run.metrics["engines"]["mini"]["all"]
    assert of["n"] == 1
    assert of["rr"] == of["ndcg"] == of["recall"] == [1.0, 1.0, 1.0]
    assert of["precision"][0] == pytest.approx(0.1)


def test_grades_and_places_count() -> None:
    best, second = part_on_shelf(looks(0.99)), part_on_shelf(looks(0.9))
    judged("ring", {best: 1, second: 3})
    of = evaluation.engines_measure(["mini"], plan=QUICK).metrics["engines"]["mini"]["all"]
    ideal = 7 / 1 + 1 / 1.584962500721156
    assert of["ndcg"][0] == pytest.approx((1 + 7 / 1.584962500721156) / ideal, abs=1e-6)


def test_what_nobody_finds_any_more_is_not_asked_for() -> None:
    ring, gone = part_on_shelf(looks(0.9)), part_on_shelf(looks(0.8))
    judged("ring", {ring: 2, gone: 2})
    judged("box", {gone: 2})
    services.part_delete(part=gone)
    of = evaluation.engines_measure(["mini"], plan=QUICK).metrics["engines"]["mini"]["all"]
    assert (of["n"], of["recall"][0]) == (1, 1.0)


def test_categories_ask_for_their_parts_and_parts_for_their_siblings() -> None:
    rings = Category.objects.create(name="ring", name_zh="戒指", prompts=["a box"])
    inner = Category.objects.create(name="gear", parent=rings)
    members = [part_on_shelf(looks(0.9, grain=n), category=rings) for n in range(3)]
    part_on_shelf(looks(0, 0, 0.9), category=inner)
    choice = Choice(sources=("category",), kinds=("text",))
    run = evaluation.engines_measure(["mini", "words"], plan=Plan(choice, k=3, threads=0))
    rows = {row.label: row for row in run.values.filter(engine="mini")}
    assert set(rows) == {"ring", "戒指", "a box", "gear"}
    assert rows["ring"].precision == 1.0
    assert rows["ring"].recall == pytest.approx(3 / 4)  # the one of the category below counts
    assert (rows["戒指"].language, rows["ring"].language) == ("zh", "en")
    assert {"language:zh", "source:category"} < run.metrics["engines"]["words"].keys()
    refs = refs_choose(Choice(sources=("category",), kinds=("image", "mesh")))
    assert sorted(refs) == sorted(f"{of}:{part.pk}" for of in "pm" for part in members)


def test_a_part_that_asks_is_no_answer_to_itself() -> None:
    rings = Category.objects.create(name="ring")
    thumbnail = default_storage.save("thumbnails/ring.webp", ContentFile(b"a picture"))
    asking = part_on_shelf(looks(0.9), category=rings, thumbnail=thumbnail)
    question = Reader(Choice()).read(f"m:{asking.pk}")
    assert question is None  # alone, it has no sibling
    sibling = part_on_shelf(looks(0.8), category=rings)
    question = Reader(Choice()).read(f"p:{asking.pk}")
    assert (question.asker, question.truth.relevant) == (asking.pk, 1)
    assert question.truth.grades([sibling]) == [1.0]
    assert question.query.image == b"a picture"


def test_people_who_disagree_meet_and_clicks_only_fill_gaps(staff: Any) -> None:
    one, two, three = (part_on_shelf(looks(0.9, grain=n)) for n in range(3))
    query = judged("ring", {one: 2, two: 2}, source="staff")
    Judgement.objects.create(query=query, part=one, grade=0, source="staff", by=staff)
    for part in (two, three):
        Judgement.objects.create(query=query, part=part, grade=0.5, source="click", by=staff)
    assert grades_joined(query, ["staff", "click"])[1] == {one.pk: 1, two.pk: 2, three.pk: 0.5}
    assert grades_joined(query, ["staff"])[1] == {one.pk: 1, two.pk: 2}
    assert grades_joined(query, ["click"])[1] == {three.pk: 0.5}
    assert refs_choose(Choice(sources=("click",))) == [f"q:{query.pk}"]
    assert refs_choose(Choice(sources=("file",))) == []


def test_the_same_query_in_two_sets_is_one_question(staff: Any) -> None:
    one, two = (part_on_shelf(looks(0.9, grain=n)) for n in range(2))
    for origin, query_set, part, source in (
        ("file", "a", one, "file"), ("file", "b", two, "file"), ("staff", "", two, "staff")
    ):  # fmt: skip
        query = EvaluationQuery.objects.create(
            origin=origin, query_set=query_set, kind="text", text="ring", digest="7" * 64
        )
        Judgement.objects.create(query=query, part=part, grade=2, source=source)
    (ref,) = refs_choose(Choice(sources=("file", "staff")))
    question = Reader(Choice()).read(ref)
    assert question.truth.held == {one.pk: 2, two.pk: 2}
    assert question.source == "file"
    (ref,) = refs_choose(Choice(query_set="b"))
    assert Reader(Choice(query_set="b")).read(ref).truth.held == {two.pk: 2}


def test_a_question_whose_picture_is_lost_does_not_end_the_run() -> None:
    ring = part_on_shelf(looks(0.9))
    judged("ring", {ring: 1})
    for kind in ("image", "mesh"):
        lost = judged(kind, {ring: 1})
        EvaluationQuery.objects.filter(pk=lost.pk).update(kind=kind, file=f"asked/queries/{kind}")
    found = evaluation.engines_measure(["mini"], plan=QUICK).metrics
    assert (found["engines"]["mini"]["all"]["n"], found["gone"]) == (1, 2)


def test_a_run_goes_on_where_it_was_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluation_steps, "BATCH", 2)
    parts = [part_on_shelf(looks(0.9, grain=n)) for n in range(5)]
    for n, part in enumerate(parts):
        judged(f"ring {n}", {part: 1})
    whole = evaluation.engines_measure(["mini", "fusion"], plan=QUICK)
    run = evaluation.evaluation_start(names=["mini", "fusion"], plan=QUICK, background=False)
    seen = []
    while evaluation.evaluation_work(run.pk, seconds=0):
        run.refresh_from_db()
        seen.append(run.position)
    run.refresh_from_db()
    assert seen == [2, 4, 5]
    assert (run.state, run.total) == ("done", 5)
    assert run.metrics["engines"] == whole.metrics["engines"]
    assert run.metrics["pairs"] == whole.metrics["pairs"]
    assert EvaluationValue.objects.filter(run=run).count() == 10
    assert SearchLog.objects.count() == 0


def test_a_worker_that_died_over_it_is_followed_by_another() -> None:
    judged("ring", {part_on_shelf(looks(0.9)): 1})
    run = evaluation.evaluation_start(names=["mini"], plan=QUICK, background=False)
    held = EvaluationRun.objects.filter(pk=run.pk)
    held.update(state="running", claimed_until=timezone.now() + timedelta(minutes=5))
    assert evaluation.evaluation_work(run.pk) is False  # somebody is on it
    assert evaluation.evaluations_waiting() == []
    for _ in range(3):
        held.update(state="running", claimed_until=timezone.now() - timedelta(seconds=1))
        assert evaluation.evaluations_waiting() == [run.pk]
        claimed = evaluation._claim(run.pk)
    assert claimed is None
    run.refresh_from_db()
    assert (run.state, run.error_code) == ("failed", "evaluation_died")
    assert "3" in run.error


def test_a_message_that_was_sent_twice_is_followed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else each sweep while the queue is long would add one that goes on to the run's end."""
    monkeypatch.setattr(evaluation_steps, "BATCH", 1)
    ring = part_on_shelf(looks(0.9))
    for n in range(2):
        judged(f"ring {n}", {ring: 1})
    names = ["mini", "words"]
    run = evaluation.evaluation_start(names=names, plan=Plan(threads=1), background=False)
    steps = []
    while True:
        run.refresh_from_db()
        steps.append(run.progress)
        more = evaluation.evaluation_work(run.pk, seconds=0, progress=run.progress)
        assert evaluation.evaluation_work(run.pk, seconds=0, progress=steps[-1]) is False
        if not more:
            break
    run.refresh_from_db()
    assert (steps, run.state) == ([0, 1, 2, 3, 4], "done")


def test_progress_forgets_the_workers_that_died(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run of hours lives through as many restarts as there are."""
    monkeypatch.setattr(evaluation_steps, "BATCH", 1)
    ring = part_on_shelf(looks(0.9))
    for n in range(4):
        judged(f"ring {n}", {ring: 1})
    run = evaluation.evaluation_start(names=["mini"], plan=QUICK, background=False)
    held = EvaluationRun.objects.filter(pk=run.pk)
    for _ in range(5):
        evaluation.evaluation_work(run.pk, seconds=0)
        held.update(claimed_until=timezone.now() - timedelta(seconds=1))
    assert held.get().state == "done"


@pytest.mark.parametrize("error", [OperationalError("locked"), ConnectionError("storage")])
def test_what_passes_puts_a_run_off_and_what_does_not_ends_it(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    judged("ring", {part_on_shelf(looks(0.9)): 1})
    run = evaluation.evaluation_start(names=["mini"], plan=QUICK, background=False)
    held = EvaluationRun.objects.filter(pk=run.pk)
    search_run = evaluation_steps.search_run

    def away(*args: Any, **options: Any) -> None:
        raise error

    for states in (["running", "done"], ["running", "running", "failed"]):
        held.update(state="queued", position=0, stalls=0, claimed_until=None)
        for state in states:
            monkeypatch.setattr(
                evaluation_steps, "search_run", search_run if state == "done" else away
            )
            assert evaluation.evaluation_work(run.pk) is False
            assert held.get().state == state
            if state == "running":
                assert evaluation.evaluations_waiting() == []  # not at once
                held.update(claimed_until=timezone.now() - timedelta(seconds=1))
                assert evaluation.evaluations_waiting() == [run.pk]
    assert held.get().error_code == "internal"


def test_a_switch_while_it_runs_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluation_steps, "BATCH", 1)
    ring = part_on_shelf(looks(0.9))
    for n in range(3):
        judged(f"ring {n}", {ring: 1})
    run = evaluation.evaluation_start(names=["mini", "fusion"], plan=QUICK, background=False)
    evaluation.evaluation_work(run.pk, seconds=0)
    run.refresh_from_db()
    assert "switched" not in run.metrics
    # What users get is now the words alone.
    Selection.objects.create(revision=1, engines=[{"name": "shape", "spaces": []}])
    evaluation.evaluation_work(run.pk)
    run.refresh_from_db()
    assert (run.state, run.metrics["switched"]) == ("done", True)


def test_an_engine_that_is_taken_away_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluation_steps, "BATCH", 1)
    ring = part_on_shelf(looks(0.9))
    for n in range(3):
        judged(f"ring {n}", {ring: 1})
    run = evaluation.evaluation_start(names=["mini"], plan=QUICK, background=False)
    evaluation.evaluation_work(run.pk, seconds=0)
    Embedding.objects.all().delete()
    evaluation.evaluation_work(run.pk)
    run.refresh_from_db()
    assert (run.state, run.error_code) == ("failed", "engine_empty")


def test_a_command_that_is_stopped_leaves_nothing_to_a_worker(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    judged("ring", {part_on_shelf(looks(0.9)): 1})

    def pressed(*args: Any, **options: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(evaluation_steps, "search_run", pressed)
    with pytest.raises(CommandError, match="cancelled"):
        call_command("evaluate", engines=("mini",), threads=0)
    assert EvaluationRun.objects.get().state == "cancelled"

    def cancelled(*args: Any, **options: Any) -> None:
        EvaluationRun.objects.update(state="cancelled")
        raise ServiceError("text_missing")

    monkeypatch.setattr(evaluation_steps, "search_run", cancelled)
    with pytest.raises(CommandError, match="cancelled"):
        call_command("evaluate", engines=("mini",), threads=0)


def test_a_cancelled_run_stops_at_its_next_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluation_steps, "BATCH", 1)
    ring = part_on_shelf(looks(0.9))
    for n in range(3):
        judged(f"ring {n}", {ring: 1})
    run = evaluation.evaluation_start(names=["mini"], plan=QUICK, background=False)
    evaluation.evaluation_work(run.pk, seconds=0)
    assert evaluation.evaluation_cancel(run)
    assert evaluation.evaluation_work(run.pk) is False
    run.refresh_from_db()
    assert (run.state, run.position) == ("cancelled", 1)
    assert "engines" not in run.metrics
    assert not evaluation.evaluation_cancel(run)


def test_an_engine_that_cannot_answer_such_a_query_is_not_blamed() -> None:
    judged("ring", {part_on_shelf(looks(0.9)): 1})
    found = evaluation.engines_measure(["mini", "shape", "mini+words"], plan=QUICK).metrics
    assert set(found["engines"]) == {"mini", "mini+words"}
    assert {pair["b"] for pair in found["pairs"]} == {"mini+words"}


def test_a_query_that_cannot_be_asked_is_told_and_counts_for_nothing(settings: Any) -> None:
    limits = settings.SEARCH.limits.model_copy(update={"text_characters": 100})
    settings.SEARCH = settings.SEARCH.model_copy(update={"limits": limits})
    ring = part_on_shelf(looks(0.9))
    judged("ring", {ring: 1})
    judged("x" * 200, {ring: 1})
    found = evaluation.engines_measure(["mini"], plan=QUICK).metrics
    assert found["refused"] == {"text_too_long": 1}
    assert found["engines"]["mini"]["all"]["n"] == 1


@pytest.mark.parametrize(
    ("names", "plan", "code"),
    [
        (["nobody"], QUICK, "engine_unknown"),
        (["mini+fusion"], QUICK, "engine_unknown"),
        (["+".join(["mini"] * 30)], QUICK, "engine_unknown"),
        ([], Plan(k=0), "number_out_of_range"),
        ([], Plan(Choice(limit=10**9)), "number_out_of_range"),
        ([], Plan(Choice(sources=("stars",))), "choice_unknown"),
        ([], Plan(Choice(sources=())), "choice_unknown"),
        ([], Plan(Choice(kinds=("smell",))), "choice_unknown"),
        (["mini"], QUICK, "nothing_to_ask"),
    ],
)
def test_what_cannot_be_measured_is_said(names: list[str], plan: Plan, code: str) -> None:
    with pytest.raises(ServiceError) as refused:
        evaluation.engines_measure(names, plan=plan)
    assert refused.value.code == code
    assert str(refused.value)


def test_an_engine_that_holds_nothing_is_not_judged_by_that(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    judged("ring", {part_on_shelf(looks(0.9)): 1})
    empty = Space("empty", "0" * 64, "none", 7)
    shelf = encoders.words_space
    monkeypatch.setattr(encoders, "space", lambda name: empty)
    monkeypatch.setattr(encoders, "words_space", lambda n: empty if n == "shape" else shelf(n))
    assert evaluation.engines_measure(["mini"], plan=QUICK).state == "done"
    with pytest.raises(ServiceError, match="shape.*filled first"):
        evaluation.engines_measure(["mini", "shape"], plan=QUICK)


def test_weights_that_cannot_be_had_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*args: object, **options: object) -> None:
        raise EncoderError("weights_missing", "There are none.")

    judged("ring", {part_on_shelf(looks(0.9)): 1})
    monkeypatch.setattr(encoders, "space", missing)
    run = evaluation.evaluation_start(names=["mini"], plan=QUICK, background=False)
    evaluation.evaluation_work(run.pk)
    run.refresh_from_db()
    assert (run.state, run.error_code) == ("failed", "weights_missing")


def test_beside_a_picture_the_words_count_for_any_engine() -> None:
    assert rankings_of("mini", "hybrid") == ["mini", "words"]
    assert rankings_of("mini+words", "hybrid") == ["mini", "words"]
    assert rankings_of("shape", "hybrid") == []
    assert rankings_of("fusion", "text") == ["mini", "words"]


def test_throughput_is_measured_with_threads() -> None:
    ring = part_on_shelf(looks(0.9))
    for n in range(4):
        judged(f"ring {n}", {ring: 1})
    found = evaluation.engines_measure(["mini"], plan=Plan(threads=1)).metrics["threads"]["mini"]
    assert found["n"] == 4
    assert found["per_s"] > 0


def test_throughput_is_taken_for_so_long_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Slow questions must not outlast the worker's hold on the run."""
    monkeypatch.setattr(evaluation_steps, "LOAD_S", 0.0)
    ring = part_on_shelf(looks(0.9))
    for n in range(4):
        judged(f"ring {n}", {ring: 1})
    asked, search_run = [], evaluation_steps.search_run

    def counting(query: Any, **options: Any) -> Any:
        asked.append(query)
        return search_run(query, **options)

    monkeypatch.setattr(evaluation_steps, "search_run", counting)
    found = evaluation.engines_measure(["mini"], plan=Plan(threads=1)).metrics["threads"]["mini"]
    assert found["per_s"] > 0
    assert len(asked) == 1 + 4 + 1  # warm, measured, and one of the four


def test_the_command_prints_the_figures_and_keeps_them() -> None:
    judged("ring", {part_on_shelf(looks(0.9)): 1})
    out = StringIO()
    call_command("evaluate", engines=("mini", "words"), threads=0, stdout=out)
    said = out.getvalue()
    assert "nDCG@10" in said
    assert "1.000 [1.000, 1.000]" in said
    assert "mini - words" in said
    assert "fewer than 30 questions" in said
    assert EvaluationRun.objects.get().state == "done"
    with pytest.raises(CommandError, match="nobody"):
        call_command("evaluate", engines=("nobody",))
