"""Engines that tests of the workers install."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from catalog import services
from catalog.models import Part
from search import encoders
from tests.factories import meshes
from tests.factories.engines import engine_add


@pytest.fixture
def other(settings: Any, tmp_path: Path) -> Iterator[str]:
    """An engine that is described and not installed."""
    yield engine_add(settings, tmp_path)
    encoders.encoders_forget()


@pytest.fixture
def uploads() -> Callable[[int], list[Part]]:
    """Uploads so many different parts; their ingest is queued."""
    made: list[Part] = []

    def upload(n: int) -> list[Part]:
        new = []
        for _i in range(n):
            triangles = meshes.box((10.0, 20.0, 30.0 + len(made)))
            file = SimpleUploadedFile("box.stl", meshes.stl_binary(triangles))
            made.append(services.part_upload(file=file)[0])
            new.append(made[-1])
        return new

    return upload
