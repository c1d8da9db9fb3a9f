"""Searches go on, and none fails, while engines are put to use, taken back and removed."""

import io
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from PIL import Image, ImageDraw
from rest_framework.test import APIClient

from catalog.models import Part
from search import engines
from search.embeddings import embeddings_write
from search.lifecycle import switching
from search.models import EngineInstall
from tests.factories.embeddings import unit_rows

pytestmark = pytest.mark.django_db(transaction=True)

ASKERS = 3
ROUNDS = 2


def picture() -> bytes:
    drawn = Image.new("RGB", (120, 120), "white")
    ImageDraw.Draw(drawn).ellipse((25, 25, 95, 95), fill="grey", outline="black", width=5)
    file = io.BytesIO()
    drawn.save(file, "PNG")
    return file.getvalue()


def test_no_search_fails_while_engines_are_switched(
    installed: Callable[..., EngineInstall],
) -> None:
    for name in "abcdef":
        part = Part.objects.create(name=name, file=name, file_size=1, sha256=name, status="ready")
        for space in engines.spaces():
            vectors = unit_rows(2, space.d, seed=part.pk)
            embeddings_write(part_id=part.pk, space=space, vectors=vectors)
    installed()
    over, answered, faults = threading.Event(), [], []
    shown = picture()

    def asker() -> None:
        client = APIClient()
        try:
            while not over.is_set():
                for answer in (
                    client.post("/api/search/text", {"query": "gear"}, "json"),
                    client.post(
                        "/api/search/image",
                        {"image": SimpleUploadedFile("q.png", shown)},
                        "multipart",
                    ),
                ):
                    said: dict[str, Any] = answer.json()
                    answered.append(said.get("engine"))
                    if answer.status_code != 200 or said["engines_failed"]:
                        faults.append(said)
        except Exception as error:
            faults.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=asker) for _ in range(ASKERS)]
    for thread in threads:
        thread.start()
    try:
        for _round in range(ROUNDS):
            switching.engine_activate("other", instead_of="mini", force=True)
            wait(answered, 4)
            switching.engine_rollback()
            wait(answered, 4)
            switching.engine_activate("other", first=True, force=True)
            wait(answered, 4)
            switching.engine_retire("other")
        row = switching.engine_remove("other")
        assert switching.removal_work(row, seconds=60)
        wait(answered, 4)
    finally:
        over.set()
        for thread in threads:
            thread.join(60)
    assert not faults
    assert {"mini", "other", "fusion"} <= set(answered)


def wait(answered: list[Any], more: int) -> None:
    """Until so many more were answered."""
    until = len(answered) + more
    pause = threading.Event()
    for _turn in range(6000):
        if len(answered) >= until:
            return
        pause.wait(0.01)
    raise AssertionError("nothing was answered for a minute")
