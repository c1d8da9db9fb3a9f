"""Parts as the pipeline leaves them, without running it: these tests are about what is shown."""

import io
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import translation
from PIL import Image

from catalog.models import Category, Part, PipelineStep, Suggestion, View
from catalog.words import terms_write
from tests.factories import meshes


def picture_bytes(colour: str = "#7890b0", kind: str = "WEBP", size: int = 32) -> bytes:
    held = io.BytesIO()
    Image.new("RGB", (size, size), colour).save(held, kind)
    return held.getvalue()


@pytest.fixture(autouse=True)
def in_english() -> Iterator[None]:
    """A request leaves its language active in the thread: no test hands it to the next."""
    with translation.override("en"):
        yield


@pytest.fixture
def category(db: None) -> Category:
    return Category.objects.create(name="Ring", name_zh="戒指")


@pytest.fixture
def part_make(db: None) -> Callable[..., Part]:
    """Makes a part with everything a ready one has; keywords are its fields."""

    def make(**fields: Any) -> Part:
        n = Part.objects.count()
        stl = meshes.stl_binary(meshes.box())
        file = default_storage.save(f"meshes/test-{n}.stl", ContentFile(stl))
        image = default_storage.save(f"views/test-{n}.webp", ContentFile(picture_bytes()))
        facts = {
            "name": f"Plain ring {n}",
            "name_zh": f"素圈戒 {n}",
            "number": f"R810{n:04}",
            "description": "Cast in one piece.",
            "tags": ["gold", "18K"],
            "file": file,
            "file_name": f"ring_{n}.stl",
            "file_size": len(stl),
            "sha256": f"{n:064x}",
            "status": Part.Status.READY,
            "mesh_format": "stl-binary",
            "size_x": 24.0,
            "size_y": 24.0,
            "size_z": 6.25,
            "volume_mm3": 812.5,
            "area_mm2": 1480.0,
            "watertight": True,
            "components": 1,
            "triangles": 1234,
            "thumbnail": image,
            "preview": file,
        }
        part = Part.objects.create(**(facts | fields))
        terms_write(part)
        View.objects.bulk_create([View(part=part, viewpoint=i, image=image) for i in range(12)])
        for step in PipelineStep.Step:
            PipelineStep.objects.create(part=part, step=step, state="done", attempts=1, ms=40)
        return part

    return make


@pytest.fixture
def part(part_make: Callable[..., Part], category: Category) -> Part:
    """A ready part with a category suggested to it."""
    part = part_make()
    Suggestion.objects.create(part=part, category=category, confidence=0.83)
    return part
