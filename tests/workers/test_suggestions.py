"""Suggestions follow what people decide, in the background and a little at a time."""

from datetime import timedelta

import pytest
from django.utils import timezone

from catalog import services
from catalog.models import Category, Part
from search import classify
from tests.factories.shelf import AxisEncoder, axes_in_place, looks, part_on_shelf
from tests.factories.work import queue_clear, queued
from workers import claims, suggestions, tasks

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def axes(monkeypatch) -> AxisEncoder:
    return axes_in_place(monkeypatch)


@pytest.fixture
def rings(work) -> Category:
    category = services.category_create(name="Rings")
    work()
    return category


def suggested(part: Part) -> dict[str, float]:
    waiting = part.suggestions.filter(accepted__isnull=True)
    return dict(waiting.values_list("category__name", "confidence"))


def state(part: Part) -> str:
    return part.steps.get(step="classify").state


def test_a_new_category_is_suggested_to_parts_that_wait(work) -> None:
    part = part_on_shelf(looks(0.9))
    filed = part_on_shelf(looks(0.9), category=services.category_create(name="Filed"))
    work()
    assert "Rings" not in suggested(part)
    services.category_create(name="Rings")
    assert "Rings" not in suggested(part)  # nothing of it is the request's work
    work()
    assert set(suggested(part)) >= {"Rings"}
    assert state(part) == "done"
    assert suggested(filed) == {}


def test_an_edited_category_is_suggested_anew(work, rings) -> None:
    part = part_on_shelf(looks(0, 0, 0.9))
    services.category_update(category=rings, prompts=["a gear"], name="Teeth")
    work()
    assert set(suggested(part)) == {"Teeth"}
    services.category_delete(category=rings)
    work()
    assert suggested(part) == {}


def test_parts_of_a_deleted_category_wait_again(work, rings) -> None:
    other = services.category_create(name="Others")
    part = part_on_shelf(looks(0.9), category=other)
    services.category_delete(category=other)
    work()
    assert set(suggested(part)) == {"Rings"}


def test_a_confirmed_part_speaks_to_those_near_it(work, rings) -> None:
    strange = services.category_create(name="Series 7")
    first, near, far = (
        part_on_shelf(looks(0.1, grain=1)), part_on_shelf(looks(0.15, grain=1)),
        part_on_shelf(looks(0, 0.9)),
    )  # fmt: skip
    work()
    before = far.steps.get(step="classify").started_at
    assert suggested(near) == {}
    services.part_update(part=first, category=strange)
    work()
    assert suggested(near)["Series 7"] > 0.3
    assert far.steps.get(step="classify").started_at == before
    services.part_update(part=first, category=None)
    work()
    assert suggested(near) == {}


def test_an_accepted_suggestion_does_too(work, rings) -> None:
    part, near = part_on_shelf(looks(0.8)), part_on_shelf(looks(0.75))
    suggestions.suggest(part)
    suggestions.suggest(near)
    before = suggested(near)["Rings"]
    services.suggestion_accept(suggestion=part.suggestions.get(category=rings))
    work()
    part.refresh_from_db()
    assert part.category == rings
    assert suggested(near)["Rings"] > before
    assert suggested(part) == {}


def test_after_a_rejection_something_else_is_suggested(work, rings) -> None:
    services.category_create(name="Boxes")
    part = part_on_shelf(looks(0.75, 0.65))
    work()
    suggestions.suggest(part)
    assert suggested(part)["Rings"] > suggested(part)["Boxes"]
    before = suggested(part)["Boxes"]
    services.suggestion_reject(suggestion=part.suggestions.get(category=rings))
    work()
    assert suggested(part)["Boxes"] > before
    assert "Rings" not in suggested(part)
    assert part.suggestions.get(category=rings).accepted is False


def test_a_row_that_is_proposed_again_stays_the_same_row(work, rings) -> None:
    """Somebody may be looking at its buttons."""
    part = part_on_shelf(looks(0.9))
    suggestions.suggest(part)
    shown = part.suggestions.get(category=rings)
    services.category_create(name="Boxes")
    work()
    services.suggestion_accept(suggestion=shown)
    part.refresh_from_db()
    assert part.category == rings
    services.part_update(part=part, category=None)
    work()
    assert set(suggested(part)) == {"Rings"}


def test_a_part_filed_by_hand_is_asked_about_no_more(rings) -> None:
    boxes = services.category_create(name="Boxes")
    part = part_on_shelf(looks(0.75, 0.65))
    suggestions.suggest(part)
    services.part_update(part=part, category=boxes)
    assert suggested(part) == {}
    assert list(part.suggestions.values_list("category", "accepted")) == [(boxes.pk, True)]
    suggestions.suggest(part)  # a task that comes late
    assert suggested(part) == {}


def test_many_decisions_are_done_a_little_at_a_time_and_none_is_lost(monkeypatch, rings) -> None:
    parts = [part_on_shelf(looks(0.9)) for _ in range(6)]
    assert suggestions.renew() == 6
    for part in parts:
        part.steps.filter(step="classify").update(state="waiting")
    assert suggestions.refresh(seconds=-1) == 0
    assert suggestions.is_due()
    monkeypatch.setattr(suggestions, "AT_ONCE", 3)
    assert suggestions.around(parts[0].pk) == 3
    assert [state(part) for part in parts].count("waiting") == 3
    queue_clear()
    # The shelf's parts have vectors in one space only and were never prepared for inspections,
    # which is other tasks' business.
    monkeypatch.setattr(tasks.upgrades, "is_due", lambda: False)
    monkeypatch.setattr(tasks.preparations, "is_due", lambda: False)
    tasks.parts_sweep()  # what a lost message left is sent again
    assert queued() == 1
    assert suggestions.refresh(seconds=60) == 3
    assert not suggestions.is_due()
    assert all(suggested(part) for part in parts)


def test_two_workers_do_one_part_once(monkeypatch, rings) -> None:
    part = part_on_shelf(looks(0.9))
    row = part.steps.get(step="classify")
    part.steps.filter(step="classify").update(state="waiting")
    seen = []
    real = suggestions.suggest

    def other_comes(part: Part) -> None:
        seen.append(suggestions._one(row))
        real(part)

    monkeypatch.setattr(suggestions, "suggest", other_comes)
    assert suggestions.refresh() == 1
    assert seen == [False]


def test_a_dead_workers_part_is_done_by_another(rings) -> None:
    part = part_on_shelf(looks(0.9))
    begun = timezone.now()
    part.steps.filter(step="classify").update(state="running", started_at=begun)
    assert not suggestions.is_due()
    old = begun - suggestions.LEASE - timedelta(seconds=1)
    part.steps.filter(step="classify").update(started_at=old)
    assert suggestions.refresh() == 1
    assert set(suggested(part)) == {"Rings"}
    assert claims.parts_sweep() == 0


def test_the_recipe_knows_the_numbers_and_not_the_categories(monkeypatch, rings) -> None:
    before = suggestions.recipe()
    services.category_create(name="Boxes")
    assert suggestions.recipe() == before
    monkeypatch.setattr(classify, "tuning", lambda engine: "other numbers")
    assert suggestions.recipe() != before
    assert len(before) < 40
