"""A real worker process over the real broker, and its death in the middle of its work."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from catalog import services
from catalog.models import Part
from tests.factories import meshes
from tests.factories.work import environment

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.walk]


@contextmanager
def worker(settings) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "celery", "-A", "stlcatalog", "worker", "--queues", "ingest,index",
         "--concurrency", "1", "--loglevel", "WARNING", "--without-gossip", "--without-mingle"],
        cwd=settings.BASE, env=environment(), start_new_session=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(30)


def until(reached: Callable[[], bool], *, seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < end, list(Part.objects.values_list("status", "error_code"))
        time.sleep(0.1)


def upload(n: int) -> Part:
    triangles = meshes.torus(20, 2 + n)
    file = SimpleUploadedFile(f"{n}.stl", meshes.stl_binary(triangles))
    return services.part_upload(file=file)[0]


def ready() -> int:
    return Part.objects.filter(status="ready").count()


def test_uploads_become_findable_and_survive_a_killed_worker(settings, api) -> None:
    for n in range(3):
        upload(n)
    with worker(settings) as first:
        until(lambda: ready() == 3)
        for n in range(3, 15):
            upload(n)
        until(lambda: Part.objects.filter(status="processing").exists())
        # The whole group at once, as the machine's end would: nothing is tidied up.
        os.killpg(first.pid, signal.SIGKILL)
        first.wait(10)
    left = Part.objects.exclude(status="ready").count()
    assert left > 0
    with worker(settings):
        until(lambda: ready() == 15)
    assert set(Part.objects.values_list("embeddings__space__encoder", flat=True)) == {
        "mini",
        "mini_words",
        "shape",
    }
    bent = meshes.noisy(meshes.torus(20, 4).astype(np.float32), sigma=0.01)
    query = SimpleUploadedFile("query.stl", meshes.stl_binary(bent))
    hits = api.post("/api/search/mesh", {"file": query}, "multipart").json()["results"]
    assert hits[0]["name"] == "2"
