"""With a queue for embedding, a part's steps are shared between the workers of two queues."""

from collections.abc import Iterator

import numpy as np
import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile

from catalog import services
from catalog.models import Part
from search import encode
from search.models import Embedding
from tests.factories import meshes
from tests.factories.work import queued_by_task
from workers import handover, pipeline

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def gpu(settings) -> Iterator[None]:
    settings.EMBED_QUEUE = "gpu"
    yield
    for name in left():
        default_storage.delete(f"handover/{name}")


def upload() -> Part:
    file = SimpleUploadedFile("ring.stl", meshes.stl_binary(meshes.ring()))
    return services.part_upload(file=file)[0]


def left() -> list[str]:
    return default_storage.listdir("handover")[1] if default_storage.exists("handover") else []


def test_one_draws_and_another_embeds_what_was_drawn(gpu, monkeypatch) -> None:
    part = upload()
    pipeline.part_ingest(part.pk)
    part.refresh_from_db()
    assert part.status == "queued"
    assert part.claimed_by == ""
    states = dict(part.steps.values_list("step", "state"))
    assert states == {
        "inspect": "done",
        "render": "done",
        "embed": "waiting",
        "classify": "waiting",
        "compare": "waiting",
    }
    assert queued_by_task()["workers.part_embed"] == [part.pk]
    assert len(left()) == 1

    def never(mesh: object) -> None:
        raise AssertionError("drawn again")

    monkeypatch.setattr(encode, "mesh_pictures", never)
    pipeline.part_ingest(part.pk, embeds=True)
    part.refresh_from_db()
    assert part.status == "ready", part.error
    assert left() == []
    assert set(part.steps.values_list("attempts", flat=True)) == {1}


def test_the_vectors_are_the_same_either_way(settings) -> None:
    part = upload()
    pipeline.part_ingest(part.pk)
    alone = {row.space_id: bytes(row.vectors) for row in Embedding.objects.filter(part=part)}
    Embedding.objects.all().delete()
    settings.EMBED_QUEUE = "gpu"
    services.parts_reprocess([part.pk], step="embed")
    pipeline.part_ingest(part.pk)
    pipeline.part_ingest(part.pk, embeds=True)
    shared = {row.space_id: bytes(row.vectors) for row in Embedding.objects.filter(part=part)}
    assert alone.keys() == shared.keys()
    for space in alone:
        pair = [np.frombuffer(of[space], "<f2").astype(np.float32) for of in (alone, shared)]
        assert pair[0] == pytest.approx(pair[1], abs=1e-3)


@pytest.mark.parametrize("damage", ["lost", "noise", "other recipe"])
def test_what_was_left_may_be_lost(gpu, damage) -> None:
    part = upload()
    pipeline.part_ingest(part.pk)
    (name,) = left()
    with default_storage.open(f"handover/{name}") as file:
        data = file.read()
    default_storage.delete(f"handover/{name}")
    if damage != "lost":
        from django.core.files.base import ContentFile

        data = data[:-5] if damage == "noise" else data.replace(b'"views-', b'"viewz-')
        default_storage.save(f"handover/{name}", ContentFile(data))
    pipeline.part_ingest(part.pk, embeds=True)
    part.refresh_from_db()
    assert part.status == "ready", part.error


def test_a_message_that_comes_twice_is_worth_one(gpu) -> None:
    part = upload()
    for _again in range(2):
        pipeline.part_ingest(part.pk)
    for _again in range(2):
        pipeline.part_ingest(part.pk, embeds=True)
    part.refresh_from_db()
    assert part.status == "ready"
    assert part.steps.get(step="embed").attempts == 1


def test_a_storage_that_is_full_is_tried_again(gpu, monkeypatch) -> None:
    def full(*args: object, **kwargs: object) -> None:
        raise OSError("no space")

    part = upload()
    with monkeypatch.context() as patch:
        patch.setattr(handover.default_storage._wrapped.__class__, "save", full)
        pipeline.part_ingest(part.pk)
    part.refresh_from_db()
    assert part.status == "queued"
    assert part.resend_at is not None
    pipeline.part_ingest(part.pk)
    pipeline.part_ingest(part.pk, embeds=True)
    part.refresh_from_db()
    assert part.status == "ready", part.error
