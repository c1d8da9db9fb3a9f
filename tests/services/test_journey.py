"""The whole journey over PostgreSQL, Redis and S3, with every queue's workers as real processes."""

import io
import time
from contextlib import ExitStack

import numpy as np
import pytest
from django.conf import settings as django_settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from PIL import Image

from catalog.models import Part
from catalog.queue import answers
from search import encoders
from search.remote import client as remote
from tests.factories import meshes
from tests.factories.processes import encode_worker, kill, until, worker
from workers.claims import parts_sweep

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.walk]

SHAPES = {
    "plain ring": meshes.ring(),
    "box": meshes.box((10, 20, 30)),
    "ball": meshes.sphere(),
    "torus": meshes.torus(10, 3),
    "pin": meshes.cylinder(2, 40),
}


@pytest.fixture
def remotely(settings, monkeypatch):
    answers().beat(remote.QUEUE, seconds=0)
    settings.SEARCH_ENCODERS = "remote"
    encoders.encoders_forget()
    yield
    encoders.encoders_forget()


def upload(writer, name: str, triangles) -> str:
    file = SimpleUploadedFile(f"{name}.stl", meshes.stl_binary(triangles))
    answer = writer.post("/api/parts/", {"file": file, "name": name}, "multipart")
    assert answer.status_code == 201, answer.content
    return answer.json()["id"]


def ready() -> int:
    return Part.objects.filter(status="ready").count()


def got(client, url: str) -> bytes:
    answer = client.get(url)
    assert answer.status_code == 200, url
    return b"".join(answer.streaming_content)


def view_png(writer, part_id: str) -> SimpleUploadedFile:
    part = writer.get(f"/api/parts/{part_id}/").json()
    png = io.BytesIO()
    Image.open(io.BytesIO(got(writer, part["views"][3]["url"]))).save(png, "PNG")
    return SimpleUploadedFile("view.png", png.getvalue(), "image/png")


def first(answer) -> str:
    assert answer.status_code == 200, answer.content
    return answer.json()["results"][0]["part_id"]


def test_the_services_are_the_real_ones() -> None:
    assert connection.vendor == "postgresql"
    assert django_settings.CELERY_BROKER_URL.startswith("redis://")


def test_from_upload_to_restored(media_in_bucket, remotely, writer) -> None:
    variables = {"STLCATALOG_EMBED_QUEUE": "gpu", "SEARCH_ENCODERS": "remote"}
    with ExitStack() as running:
        for queues in ("ingest", "index", "gpu"):
            running.enter_context(worker(queues, "--concurrency", "1", **variables))
        running.enter_context(encode_worker(**variables))
        ids = {name: upload(writer, name, triangles) for name, triangles in SHAPES.items()}
        until(lambda: ready() == len(SHAPES))

        keys = [of.key for of in media_in_bucket.objects.all()]
        assert all(key.startswith("catalogue/") for key in keys)
        assert sum("/meshes/" in key for key in keys) == len(SHAPES)
        assert sum("/view-" in key for key in keys) == 12 * len(SHAPES)
        assert not any("/handover/" in key for key in keys)
        # Both ways of looking were by the worker: this process has no network.
        assert isinstance(encoders.encoder("mini", query=True), remote.RemoteEncoder)

        for name, part_id in ids.items():
            body = {"image": view_png(writer, part_id), "k": 3}
            assert first(writer.post("/api/search/image", body, "multipart")) == part_id, name
        answer = writer.post("/api/search/text", {"query": "torus"})
        assert first(answer) == ids["torus"]
        turned = np.ascontiguousarray(SHAPES["pin"][..., [1, 2, 0]])
        file = SimpleUploadedFile("query.stl", meshes.stl_binary(turned))
        answer = writer.post("/api/search/mesh", {"file": file}, "multipart")
        assert first(answer) == ids["pin"]
        assert encoders.encoder("mini")._loaded is None

        part = writer.get(f"/api/parts/{ids['torus']}/").json()
        assert got(writer, part["file"]["url"]) == meshes.stl_binary(SHAPES["torus"])
        assert writer.delete(f"/api/parts/{ids['torus']}/").status_code in {200, 204}
        found = writer.post("/api/search/text", {"query": "torus"}).json()["results"]
        assert ids["torus"] not in {hit["part_id"] for hit in found}
        assert writer.post(f"/api/parts/{ids['torus']}/restore/").status_code == 200
        assert first(writer.post("/api/search/text", {"query": "torus"})) == ids["torus"]


@pytest.mark.parametrize("victim", ["ingest", "gpu"])
def test_a_worker_killed_in_the_middle_loses_nothing(media_in_bucket, writer, victim) -> None:
    variables = {"STLCATALOG_EMBED_QUEUE": "gpu"}
    other = "gpu" if victim == "ingest" else "ingest"
    with worker(other, "--concurrency", "1", **variables):
        with worker(victim, "--concurrency", "1", **variables) as dying:
            for n in range(8):
                upload(writer, f"torus {n}", meshes.torus(20, 2 + n))
            held = {"ingest": "render", "gpu": "embed"}[victim]
            until(
                lambda: Part.objects.filter(
                    status="processing", steps__step=held, steps__state="running"
                ).exists()
            )
            kill(dying)
        assert Part.objects.exclude(status="ready").exists()
        with worker(victim, "--concurrency", "1", **variables):
            # As the scheduler does every minute, a little sooner.
            parts_sweep(starting=True)
            until(lambda: (time.sleep(1), parts_sweep(), ready())[-1] == 8)
