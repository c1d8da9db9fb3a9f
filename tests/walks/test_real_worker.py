"""A real worker process over the real broker, and its death in the middle of its work."""

import os
import signal
import subprocess
from pathlib import Path

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from catalog import services
from catalog.models import Part
from tests.factories import meshes
from tests.factories.processes import kill, lives, until, worker

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.walk]

QUEUES, ONE = "ingest,index", ("--concurrency", "1")


def upload(n: int) -> Part:
    triangles = meshes.torus(20, 2 + n)
    file = SimpleUploadedFile(f"{n}.stl", meshes.stl_binary(triangles))
    return services.part_upload(file=file)[0]


def ready() -> int:
    return Part.objects.filter(status="ready").count()


def children(process: subprocess.Popen[bytes]) -> set[int]:
    """The living processes that any thread of this one began."""
    threads = Path(f"/proc/{process.pid}/task").glob("*/children")
    found = {int(pid) for of in threads for pid in of.read_text(encoding="ascii").split()}
    return set(filter(lives, found))


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="asks Linux for the processes")
def test_the_processes_beside_a_worker_are_begun_again_when_they_are_killed(settings) -> None:
    upload(0)
    with worker(QUEUES, *ONE, "--beat") as process:
        # One that has worked (Celery gives up when one dies before), and the scheduler.
        until(lambda: ready() == 1 and any(settings.DATA.glob("beat-schedule*")))
        killed = children(process)
        assert len(killed) == 2
        for pid in killed:
            os.kill(pid, signal.SIGKILL)
        until(lambda: len(children(process) - killed) == 2, seconds=30)
        upload(1)
        until(lambda: ready() == 2)
        begun = children(process)
    until(lambda: not any(map(lives, begun)), seconds=10)


def test_uploads_become_findable_and_survive_a_killed_worker(api) -> None:
    for n in range(3):
        upload(n)
    with worker(QUEUES, *ONE) as first:
        until(lambda: ready() == 3)
        for n in range(3, 15):
            upload(n)
        until(lambda: Part.objects.filter(status="processing").exists())
        kill(first)
    left = Part.objects.exclude(status="ready").count()
    assert left > 0
    with worker(QUEUES, *ONE):
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
