"""A part goes through its steps once, goes on after a death, and fails with a sentence."""

import signal
import subprocess
import sys
from datetime import timedelta

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.utils import timezone

from catalog import services
from catalog.models import Part, PipelineStep, View
from search.models import Embedding
from tests.factories import meshes
from tests.factories.work import environment, queue_clear, queued
from workers import claims, pipeline
from workers.steps import embed, render

pytestmark = pytest.mark.django_db(transaction=True)


def upload(triangles=None, name: str = "box.stl", data: bytes | None = None) -> Part:
    if data is None:
        data = meshes.stl_binary(meshes.box() if triangles is None else triangles)
    return services.part_upload(file=SimpleUploadedFile(name, data))[0]


def steps(part: Part) -> dict[str, str]:
    return dict(part.steps.values_list("step", "state"))


def test_every_step_leaves_its_mark(work) -> None:
    part = upload(meshes.ring())
    work()
    part.refresh_from_db()
    assert part.status == "ready", part.error
    assert steps(part) == dict.fromkeys(PipelineStep.Step.values, "done")
    assert all(part.steps.values_list("ms", flat=True))
    assert set(part.steps.values_list("attempts", flat=True)) == {1}
    assert part.watertight
    corners = meshes.ring().reshape(-1, 3)
    assert part.bbox_mm == pytest.approx(tuple(corners.max(0) - corners.min(0)), rel=1e-4)
    assert part.views.count() == 12
    for picture in (part.thumbnail, part.preview, *(view.image for view in part.views.all())):
        assert default_storage.size(picture.name) > 200
    assert {row.space.encoder for row in part.embeddings.select_related("space")} == {
        "mini",
        "mini_words",
        "shape",
    }


def test_doing_it_again_changes_nothing(work) -> None:
    part = upload()
    work()
    before = list(Embedding.objects.values_list("seq", "vectors").order_by("pk"))
    services.parts_reprocess([part.pk], step=PipelineStep.Step.INSPECT)
    work()
    part.refresh_from_db()
    assert part.status == "ready"
    assert list(Embedding.objects.values_list("seq", "vectors").order_by("pk")) == before
    assert View.objects.filter(part=part).count() == 12
    assert set(part.steps.values_list("attempts", flat=True)) == {1}


def test_two_messages_for_one_part_do_its_work_once(work) -> None:
    part = upload()
    pipeline.enqueue("workers.part_ingest", part.pk)
    assert work() == 2
    assert set(part.steps.values_list("attempts", flat=True)) == {1}


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (meshes.stl_binary(meshes.degenerate()), "all_degenerate"),
        (meshes.stl_binary(meshes.box())[:-60], "truncated"),
        (meshes.stl_binary(meshes.with_bad_numbers(meshes.box(), every=1)), "bad_numbers"),
    ],
)
def test_what_cannot_succeed_fails_at_once_with_a_sentence(work, data, code) -> None:
    part = upload(data=data)
    work()
    part.refresh_from_db()
    assert part.status == "failed"
    assert part.error_code == code
    assert part.error.endswith(".")
    assert part.steps.get(step="inspect").attempts == 1
    assert queued() == 0


def test_a_cause_that_passes_is_tried_again(work, monkeypatch) -> None:
    part = upload()

    def full(*args: object, **kwargs: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(default_storage._wrapped.__class__, "save", full)
        pipeline.part_ingest(part.pk)
    part.refresh_from_db()
    row = part.steps.get(step="render")
    assert (part.status, row.state, row.attempts) == ("queued", "waiting", 1)
    assert row.error_code == "machine_trouble"
    assert timezone.now() < part.resend_at < timezone.now() + timedelta(minutes=1)
    work()
    part.refresh_from_db()
    assert part.status == "ready"
    assert part.steps.get(step="render").attempts == 2
    assert part.steps.get(step="inspect").attempts == 1


def test_giving_up_after_so_many_tries(monkeypatch) -> None:
    part = upload()

    def away(work: object) -> None:
        raise OSError("the storage is away")

    door = pipeline.StepDoor(away, render.recipe)
    monkeypatch.setitem(pipeline.STEPS, PipelineStep.Step.RENDER, door)
    for _try in range(pipeline.TRIES):
        pipeline.part_ingest(part.pk)
    part.refresh_from_db()
    assert (part.status, part.error_code) == ("failed", "gave_up")
    assert str(pipeline.TRIES) in part.error


def test_a_fault_of_ours_fails_the_part_and_not_the_worker(monkeypatch, work) -> None:
    part = upload()
    good = upload(meshes.sphere(), name="ball.stl")

    def fault(work: object) -> None:
        if work.part.pk == part.pk:
            raise ZeroDivisionError
        render.run(work)

    door = pipeline.StepDoor(fault, render.recipe)
    monkeypatch.setitem(pipeline.STEPS, PipelineStep.Step.RENDER, door)
    work()
    part.refresh_from_db()
    good.refresh_from_db()
    assert (part.status, part.error_code, good.status) == ("failed", "internal", "ready")


class TestDeaths:
    def test_a_worker_killed_in_the_middle(self, work, settings) -> None:
        """A real process claims the part, is killed, and another goes on at once."""
        part = upload()
        script = (
            "import django, time; django.setup()\n"
            "from workers import pipeline\n"
            "from catalog.models import PipelineStep\n"
            "def hang(work): print('here', flush=True); time.sleep(60)\n"
            "door = pipeline.StepDoor(hang, lambda: 'x')\n"
            "pipeline.STEPS[PipelineStep.Step.RENDER] = door\n"
            f"pipeline.part_ingest({part.pk})\n"
        )
        process = subprocess.Popen(
            [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, env=environment(),
            cwd=settings.BASE,
        )  # fmt: skip
        assert process.stdout.readline().strip() == "here"
        part.refresh_from_db()
        assert part.status == "processing"
        assert claims.part_claim(part.pk) is None  # while it lives, the part is its own
        process.send_signal(signal.SIGKILL)
        process.wait(10)
        assert claims.parts_sweep() == 1
        work()
        part.refresh_from_db()
        assert part.status == "ready"
        assert part.steps.get(step="inspect").attempts == 1
        assert part.steps.get(step="render").attempts == 2

    def test_a_part_that_kills_its_workers_fails(self) -> None:
        part = upload()
        row = PipelineStep.objects.create(
            part=part, step="inspect", state="running", attempts=pipeline.DEATHS
        )
        pipeline.part_ingest(part.pk)
        part.refresh_from_db()
        row.refresh_from_db()
        assert (part.status, part.error_code, row.state) == ("failed", "worker_died", "failed")

    def test_a_claim_on_another_machine_is_left_until_it_is_old(self) -> None:
        part = upload()
        later = timezone.now() + timedelta(minutes=5)
        held = Part.objects.filter(pk=part.pk)
        held.update(status="processing", claimed_by="elsewhere:1:1", resend_at=later)
        assert claims.part_claim(part.pk) is None
        assert claims.parts_sweep() == 0
        held.update(resend_at=timezone.now() - timedelta(seconds=1))
        assert claims.parts_sweep() == 1
        assert claims.part_claim(part.pk) is not None

    def test_a_lost_message_is_sent_again_once(self) -> None:
        part = upload()
        queue_clear()
        assert claims.parts_sweep() == 0  # it may still come
        Part.objects.filter(pk=part.pk).update(resend_at=timezone.now())
        assert claims.parts_sweep() == 1
        assert claims.parts_sweep() == 0
        assert queued() == 1

    def test_a_starting_worker_sends_what_another_held_ahead(self) -> None:
        part = upload()
        queue_clear()
        assert claims.parts_sweep() == 0
        assert claims.parts_sweep(starting=True) == 1
        assert queued() == 1
        part.refresh_from_db()
        assert part.status == "queued"

    def test_whoever_lost_the_claim_does_not_overwrite(self) -> None:
        part = claims.part_claim(upload().pk)
        Part.objects.filter(pk=part.pk).update(claimed_by="elsewhere:1:1")
        assert not claims.part_release(part, status="failed")
        part.refresh_from_db()
        assert part.status == "processing"


class TestReprocess:
    def test_missing_finds_what_another_recipe_made(self, work, capsys) -> None:
        part = upload()
        work()
        call_command("reprocess", "--step", "render", "--missing")
        assert capsys.readouterr().out.startswith("0 parts")
        part.steps.filter(step="render").update(recipe="views-0")
        call_command("reprocess", "--step", "render", "--missing")
        assert capsys.readouterr().out.startswith("1 parts")
        work()
        assert part.steps.get(step="render").recipe == render.recipe()
        assert part.steps.get(step="inspect").attempts == 1

    def test_failed(self, work, capsys) -> None:
        part = upload(data=meshes.stl_binary(meshes.degenerate()))
        work()
        call_command("reprocess", "--step", "inspect", "--failed")
        assert capsys.readouterr().out.startswith("1 parts")
        part.refresh_from_db()
        assert part.status == "queued"

    def test_recipes_fit_their_column(self) -> None:
        for door in pipeline.STEPS.values():
            assert 0 < len(door.recipe()) <= 120
        assert render.recipe() in embed.recipe()


def test_classify_learns_from_what_people_filed(work) -> None:
    rings = services.category_create(name="Rings")
    boxes = services.category_create(name="Boxes")
    for n in range(4):
        part = upload(meshes.ring(), name=f"ring {n}.stl") if n == 0 else upload(
            meshes.torus(8 + n, 1 + n / 4), name=f"ring {n}.stl"
        )  # fmt: skip
        services.part_update(part=part, category=rings)
        part = upload(meshes.box((10 + n, 12 + 2 * n, 9)), name=f"box {n}.stl")
        services.part_update(part=part, category=boxes)
    work()
    new = upload(meshes.torus(9.3, 1.7), name="new.stl")
    work()
    best = new.suggestions.first()
    assert best.category == rings
    assert 0.5 < best.confidence <= 1
    services.suggestion_accept(suggestion=best)
    new.refresh_from_db()
    assert new.category == rings
