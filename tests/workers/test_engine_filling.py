"""An engine is installed beside those in use: filled, paused, interrupted, and made whole."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from catalog import services
from catalog.errors import ServiceError
from catalog.models import Part
from search.engine.errors import EncoderError
from search.lifecycle import installs, selection, switching
from search.models import Embedding, EngineInstall, Snapshot
from tests.factories.engines import engine_set
from workers import filling, pipeline, tasks, upgrades
from workers.steps import embed

pytestmark = pytest.mark.django_db(transaction=True)

Uploads = Callable[[int], list[Part]]
Worker = Callable[[], int]


def held_by(name: str) -> int:
    """Parts that have vectors in every space of the engine."""
    keys = selection.space_keys(name)
    per_space = [Embedding.objects.filter(space__key=key).count() for key in keys]
    assert len(set(per_space)) == 1
    return per_space[0]


def run(row: EngineInstall, *, seconds: float = 60) -> EngineInstall:
    filling.fill(row, filling.Progress(row, seconds=seconds))
    row.refresh_from_db()
    return row


def test_it_fills_beside_the_engines_in_use(other: str, uploads: Uploads, work: Worker) -> None:
    uploads(5)
    work()
    before = set(Embedding.objects.values_list("pk", flat=True))
    row = installs.engine_install(other)
    assert (row.state, row.total, row.done) == ("filling", 5, 0)
    work()
    row.refresh_from_db()
    assert (row.state, row.total, row.done, row.missing) == ("ready", 5, 5, 0)
    assert held_by(other) == 5
    assert before <= set(Embedding.objects.values_list("pk", flat=True))
    for key in row.spaces:
        assert Snapshot.objects.filter(space__key=key).count() == 1
    assert set(Part.objects.values_list("status", flat=True)) == {"ready"}
    assert other not in selection.selection_current().names


def test_the_newest_parts_come_first_and_a_run_ends_with_its_time(
    other: str, uploads: Uploads, work: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = uploads(4)
    work()
    monkeypatch.setattr(installs, "SLICE", 1)
    row = installs.engine_install(other)
    key = row.spaces[0]
    assert filling.Progress(row, seconds=-1).is_over
    run(row, seconds=-1)
    assert held_by(other) == 0
    ids = installs.slice_take(row)
    assert ids == [parts[-1].pk]
    assert run(row).state == "ready"
    # What the first taker did not do was made up for, after the others.
    order = Embedding.objects.filter(space__key=key).order_by("seq").values_list("part", flat=True)
    assert list(order) == [parts[2].pk, parts[1].pk, parts[0].pk, parts[3].pk]


def test_workers_take_different_parts(other: str, uploads: Uploads, work: Worker) -> None:
    uploads(3)
    work()
    first = installs.engine_install(other)
    second = EngineInstall.objects.get(pk=first.pk)
    installs.SLICE, size = 2, installs.SLICE
    try:
        taken = [installs.slice_take(first), installs.slice_take(second)]
    finally:
        installs.SLICE = size
    assert [len(ids) for ids in taken] == [2, 1]
    assert not set(taken[0]) & set(taken[1])
    assert installs.slice_take(first) is None


def test_paused_it_rests_and_goes_on_where_it_was(
    other: str, uploads: Uploads, work: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    uploads(3)
    work()
    row = installs.engine_install(other)
    done = embed.run

    def one_then_pause(*args: Any) -> None:
        done(*args)
        if held_by(other) == 1:
            installs.install_pause(EngineInstall.objects.get(pk=row.pk))

    monkeypatch.setattr(embed, "run", one_then_pause)
    work()
    row.refresh_from_db()
    assert row.state == "paused"
    assert held_by(other) == 1
    tasks.parts_sweep(starting=True)
    work()
    assert held_by(other) == 1  # not even a new worker wakes it
    installs.install_resume(row)
    work()
    row.refresh_from_db()
    assert (row.state, row.done, held_by(other)) == ("ready", 3, 3)


def test_only_what_fills_can_be_paused(other: str, uploads: Uploads, work: Worker) -> None:
    uploads(1)
    work()
    row = installs.engine_install(other)
    work()
    row.refresh_from_db()
    with pytest.raises(ServiceError, match="not being filled"):
        installs.install_pause(row)


def test_an_upload_meanwhile_is_embedded_for_it_too(
    other: str, uploads: Uploads, work: Worker
) -> None:
    uploads(1)
    work()
    row = installs.engine_install(other)
    (new,) = uploads(1)
    pipeline.part_ingest(new.pk)
    assert set(row.spaces) <= installs.spaces_held(new.pk)
    work()
    row.refresh_from_db()
    assert (row.state, row.done) == ("ready", 2)
    # Ready or switched away from, it is kept whole.
    (newer,) = uploads(1)
    work()
    assert set(row.spaces) <= installs.spaces_held(newer.pk)


def test_its_failure_fails_no_upload(
    other: str, uploads: Uploads, work: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    uploads(1)
    work()
    row = installs.engine_install(other)
    work()
    done = embed.run

    def broken(work_: Any, names: Any = None) -> None:
        if names is not None:
            raise RuntimeError("the engine has a fault")
        done(work_)

    with monkeypatch.context() as patch:
        patch.setattr(embed, "run", broken)
        (new,) = uploads(1)
        pipeline.part_ingest(new.pk)
    new.refresh_from_db()
    assert new.status == "ready"
    row.refresh_from_db()
    assert row.state == "filling"  # it is told that it lacks a part
    work()
    row.refresh_from_db()
    assert row.state == "ready"
    assert set(row.spaces) <= installs.spaces_held(new.pk)


def test_missing_weights_stop_it_with_a_sentence(
    other: str, uploads: Uploads, work: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    uploads(2)
    work()
    row = installs.engine_install(other)

    def gone(*args: Any) -> None:
        raise EncoderError("weights_missing", "gone", file="x")

    with monkeypatch.context() as patch:
        patch.setattr(embed, "run", gone)
        work()
    row.refresh_from_db()
    assert row.state == "failed"
    assert row.error.endswith(".")
    installs.install_resume(row)
    work()
    row.refresh_from_db()
    assert (row.state, row.error, row.done) == ("ready", "", 2)


def test_a_part_that_cannot_be_embedded_is_counted_and_can_be_tried_again(
    other: str, uploads: Uploads, work: Worker
) -> None:
    bad, _good = uploads(2)
    work()
    bad.refresh_from_db()
    file = Path(bad.file.path)
    data = file.read_bytes()
    row = installs.engine_install(other)
    try:
        file.write_bytes(b"not a mesh any more")
        work()
    finally:
        file.write_bytes(data)
    row.refresh_from_db()
    assert (row.state, row.missing) == ("ready", 1)
    assert row.faults.get().part == bad
    assert bad.steps.get(step="embed").state == "done"  # where it is found, nothing is wrong
    with pytest.raises(ServiceError, match="would not be found by .*: 1"):
        switching.engine_activate(other)
    installs.install_resume(row)
    work()
    row.refresh_from_db()
    assert (row.state, row.missing, row.faults.count()) == ("ready", 0, 0)


def test_what_passes_is_tried_again_later(
    other: str, uploads: Uploads, work: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    uploads(2)
    work()
    row = installs.engine_install(other)

    def full(*args: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(embed, "run", full)
        progress = filling.Progress(row, seconds=60)
        filling.fill(row, progress)
    assert progress.stuck
    row.refresh_from_db()
    assert (row.state, installs.parts_left(row).count()) == ("filling", 2)
    assert run(row).state == "ready"
    assert held_by(other) == 2


def test_a_file_that_is_lost_is_given_up_after_some_tries(
    other: str, uploads: Uploads, work: Worker
) -> None:
    lost, _good = uploads(2)
    work()
    lost.refresh_from_db()
    Path(lost.file.path).unlink()
    row = installs.engine_install(other)
    for attempt in range(1, installs.TRIES):
        assert run(row).state == "filling"  # storage may only be away
        assert row.faults.get().error_params["attempts"] == attempt
    assert (run(row).state, row.missing) == ("ready", 1)
    fault = row.faults.get()
    assert fault.part == lost
    assert "tried 5 times" in fault.error and "No such file" in fault.error


def test_trouble_that_passed_is_forgotten_and_trouble_of_all_ends_a_run(
    other: str, uploads: Uploads, work: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    uploads(3)
    work()
    row = installs.engine_install(other)
    monkeypatch.setattr(filling, "TROUBLES", 2)
    monkeypatch.setattr(installs, "SLICE", 2)

    def full(*args: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(embed, "run", full)
        run(row)
    assert row.faults.count() == 2  # the third is not tried in vain
    assert run(row).state == "ready"
    assert (row.faults.count(), row.missing) == (0, 0)


def test_a_part_that_is_deleted_for_good_meanwhile_stops_nothing(
    other: str, uploads: Uploads, work: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    _first, middle, _last = uploads(3)
    work()
    row = installs.engine_install(other)
    done = embed.run

    def deleted(work_: Any, names: Any = None) -> None:
        if work_.part.pk == middle.pk:
            Part.objects.filter(pk=middle.pk).delete()
        done(work_, names)

    monkeypatch.setattr(embed, "run", deleted)
    assert run(row).state == "ready"
    assert (row.total, row.missing, row.faults.count()) == (2, 0, 0)


def test_who_builds_the_index_is_left_alone_for_as_long_as_that_may_take(other: str) -> None:
    row = installs.engine_install(other)

    def swept(minutes: int) -> str:
        active = timezone.now() - timedelta(minutes=minutes)
        EngineInstall.objects.update(state="finishing", active_at=active)
        installs.installs_sweep()
        row.refresh_from_db()
        return row.state

    longest = tasks.engine_fill.time_limit // 60
    assert swept(minutes=longest - 1) == "finishing"
    assert swept(minutes=longest + 1) == "filling"


def test_an_older_message_does_nothing(other: str, uploads: Uploads, work: Worker) -> None:
    uploads(1)
    work()
    row = installs.engine_install(other)
    filling.fill_run(row.pk, row.ticket - 1)
    assert held_by(other) == 0
    filling.fill_run(row.pk, row.ticket)
    assert held_by(other) == 1


def test_uploads_shorten_a_run(other: str, uploads: Uploads, work: Worker) -> None:
    uploads(1)
    work()
    row = installs.engine_install(other)
    progress = filling.Progress(row, seconds=60, yielding=True)
    progress._start -= filling.AT_LEAST + 1
    assert not progress.is_over
    uploads(1)
    assert progress.is_over
    fresh = filling.Progress(row, seconds=60, yielding=True)
    assert not fresh.is_over  # a little is done at any time, so that it ends some day


def test_a_part_restored_from_the_trash_is_made_up_for(
    other: str, uploads: Uploads, work: Worker
) -> None:
    kept, thrown = uploads(2)
    work()
    services.part_delete(part=thrown)
    row = installs.engine_install(other)
    work()
    assert held_by(other) == 1
    assert not upgrades.is_due()  # which is believed for a while
    thrown.refresh_from_db()
    services.part_restore(part=thrown)
    work()
    row.refresh_from_db()
    assert (row.state, held_by(other)) == ("ready", 2)


def test_other_weights_begin_anew(
    other: str, settings: Any, tmp_path: Path, uploads: Uploads, work: Worker
) -> None:
    from tests.factories.encoders import words_checkpoint

    uploads(2)
    work()
    row = installs.engine_install(other)
    work()
    older = list(row.spaces)
    engine_set(settings, other, words_checkpoint(tmp_path / "8", seed=8, turned=True))
    with pytest.raises(ServiceError, match="no longer makes the vectors"):
        switching.engine_activate(other)
    row = installs.engine_install(other)
    assert (row.state, row.done) == ("filling", 0)
    assert not set(row.spaces) & set(older)
    work()
    row.refresh_from_db()
    assert (row.state, row.done, held_by(other)) == ("ready", 2, 2)
    assert switching.keys_orphaned() == sorted(older)


def test_the_command_waits_until_it_is_done(
    other: str, uploads: Uploads, work: Worker, capsys: Any
) -> None:
    uploads(3)
    work()
    call_command("engine_install", other, wait=True)
    assert "is ready; 0 parts" in capsys.readouterr().out
    assert held_by(other) == 3


def test_a_switch_makes_no_step_due(other: str, uploads: Uploads, work: Worker) -> None:
    (part,) = uploads(1)
    work()
    installs.engine_install(other)
    work()
    recipe, attempts = embed.recipe(), part.steps.get(step="embed").attempts
    switching.engine_activate(other, instead_of="mini")
    assert embed.recipe() == recipe
    assert not embed.lacks(part.pk)
    assert not upgrades.is_due()
    services.parts_reprocess([part.pk])
    work()
    assert part.steps.get(step="embed").attempts == attempts


def test_in_use_without_having_been_installed_it_is_filled(
    other: str, settings: Any, uploads: Uploads, work: Worker
) -> None:
    """Somebody adds an engine to `use` by hand: parts gain its vectors all the same."""
    uploads(2)
    work()
    settings.SEARCH = settings.SEARCH.model_copy(update={"use": ["mini", "shape", other]})
    assert upgrades.is_due()
    assert upgrades.upgrade() == 2
    assert held_by(other) == 2
    assert EngineInstall.objects.get(engine=other).upgrade
