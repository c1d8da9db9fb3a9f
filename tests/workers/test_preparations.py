"""Parts are prepared for inspections after they can be found; a little every minute."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.storage import default_storage
from django.utils import timezone

from catalog import services
from catalog.models import Part
from search.inspection import preparing
from search.models import Preparation
from tests.factories.work import queue_clear
from workers import preparations, tasks

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ready(uploads: Callable[[int], list[Part]]) -> Callable[[int], list[Part]]:
    """So many parts that have just gone through their steps."""

    def make(n: int) -> list[Part]:
        parts = uploads(n)
        queue_clear()
        Part.objects.update(status=Part.Status.READY)
        for part in parts:
            preparations.part_arrived(part.pk)
        return parts

    return make


@pytest.fixture(autouse=True)
def unprepared_storage() -> Iterator[None]:
    yield
    for part in Part.objects.all():
        if preparing.is_prepared(part):
            default_storage.delete(preparing.prepared_path(part))


def test_an_upload_is_found_first_and_prepared_by_the_sweep(uploads, work) -> None:
    part = uploads(1)[0]
    work()
    part.refresh_from_db()
    assert part.status == "ready"
    assert part.preparation.state == "waiting"
    assert not preparing.is_prepared(part)
    tasks.parts_sweep()
    work()
    part.preparation.refresh_from_db()
    assert part.preparation.state == "done"
    assert part.preparation.ms > 0
    assert preparing.is_prepared(part)
    assert not preparations.is_due()


def test_what_is_prepared_is_taken_from_the_storage(ready, monkeypatch) -> None:
    part = ready(1)[0]
    assert preparations.refresh() == 1
    preparing.prepared_forget()
    monkeypatch.setattr(preparing, "preparation_make", None)  # it would fail
    assert preparing.part_prepared(part).diagonal_mm > 30


def test_a_catalogue_from_before_is_caught_up(ready) -> None:
    parts = ready(3)
    Preparation.objects.all().delete()
    assert preparations.is_due()
    assert Preparation.objects.filter(state="waiting").count() == 3
    assert preparations.refresh() == 3
    assert all(preparing.is_prepared(part) for part in parts)


def test_a_newer_version_makes_all_wait_again(ready, monkeypatch) -> None:
    parts = ready(2)
    preparations.refresh()
    Preparation.objects.filter(part=parts[0]).update(state="failed", error_code="internal")
    now = preparing.version()
    monkeypatch.setattr(preparing, "version", lambda: now + 1)
    assert preparations.is_due()
    assert set(Preparation.objects.values_list("state", "version", "error_code")) == {
        ("waiting", now + 1, "")
    }


def test_when_nothing_is_due_no_part_is_read(ready, django_assert_max_num_queries) -> None:
    ready(1)
    preparations.refresh()
    assert not preparations.is_due()
    with django_assert_max_num_queries(1):
        assert not preparations.is_due()


def test_it_stops_when_its_time_is_over(ready) -> None:
    ready(2)
    assert preparations.refresh(seconds=-1) == 0
    assert preparations.is_due()


def test_it_gives_way_to_an_upload(ready, uploads, monkeypatch) -> None:
    ready(2)
    monkeypatch.setattr(preparations, "LEAST", 0.0)
    waiting = uploads(1)[0]
    assert preparations.refresh() == 0
    services.part_delete(part=waiting)  # of the trash nothing waits
    assert preparations.refresh() == 2


def test_a_worker_that_died_loses_nothing(ready) -> None:
    part = ready(1)[0]
    Preparation.objects.update(state="running", started_at=timezone.now(), attempts=1)
    assert not preparations.is_due()  # it may still be at work
    Preparation.objects.update(started_at=timezone.now() - preparations.LEASE - timedelta(1))
    assert preparations.refresh() == 1
    assert preparing.is_prepared(part)


def test_a_part_that_kills_its_workers_is_given_up(ready) -> None:
    ready(1)
    before = timezone.now() - preparations.LEASE - timedelta(1)
    Preparation.objects.update(state="running", started_at=before, attempts=preparations.TRIES)
    assert preparations.refresh() == 0
    row = Preparation.objects.get()
    assert row.state == "failed"
    assert row.error.endswith(".")
    assert not preparations.is_due()


def test_a_file_gone_bad_fails_with_its_sentence_and_is_not_tried_again(ready) -> None:
    part = ready(1)[0]
    file = Path(part.file.path)
    data = file.read_bytes()
    try:
        file.write_bytes(b"not a mesh any more")
        assert preparations.refresh() == 0
    finally:
        file.write_bytes(data)
    row = Preparation.objects.get()
    assert (row.state, row.attempts) == ("failed", 1)
    assert row.error.endswith(".")
    cache.clear()
    assert not preparations.is_due()
    part.refresh_from_db()
    assert part.status == "ready"


def test_a_cause_that_passes_is_tried_again_later(ready, monkeypatch) -> None:
    part = ready(1)[0]

    def full(*args: Any, **kwargs: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(preparing, "preparation_make", full)
        assert preparations.refresh() == 0
    assert Preparation.objects.get().state == "waiting"
    assert not preparations.is_due()  # for a while
    Preparation.objects.update(due_at=timezone.now())
    assert preparations.refresh() == 1
    assert preparing.is_prepared(part)


def test_a_part_in_the_trash_waits_there(ready) -> None:
    part = ready(1)[0]
    services.part_delete(part=part)
    assert preparations.refresh() == 0
    services.part_restore(part=part)
    assert preparations.refresh() == 1


def test_the_configuration_switches_it_off(ready, settings, work) -> None:
    section = settings.SEARCH.inspection.model_copy(update={"prepare_ahead": False})
    settings.SEARCH = settings.SEARCH.model_copy(update={"inspection": section})
    part = ready(1)[0]
    tasks.parts_sweep()
    work()
    assert not Preparation.objects.exists()
    assert preparing.part_prepared(part).diagonal_mm > 30  # made when it is asked for
