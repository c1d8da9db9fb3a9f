"""Parts as the pipeline leaves them, without running it: these tests are about what is shown."""

import io
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone, translation
from PIL import Image

from catalog.models import Category, Part, PipelineStep, Suggestion, View
from catalog.words import terms_write
from search.models import Inspection, InspectionPhoto
from tests.factories import meshes

NOBODY = "00000000-0000-0000-0000-000000000000"  # the id of no part


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


@pytest.fixture
def inspected(part_make: Callable[..., Part]) -> Callable[..., Inspection]:
    """Makes an inspection as the worker leaves it; keywords are its fields."""

    def make(*, photos: int = 1, part: Part | None = None, **fields: Any) -> Inspection:
        known = {
            "part": part or part_make(),
            "piece": "Tray 4, place 2",
            "state": "done",
            "verdict": "fail",
            "similarity": 0.41,
            "p_good": 0.1,
            "threshold": 0.9,
            "reasons": [
                {
                    "code": "local_deviation",
                    "params": {"kind": "missing", "value_mm": 3.1, "limit_mm": 0.7},
                }
            ],
            "coverage": 0.37,
            "worst": 0,
            "rivals": [{"part": NOBODY, "name": "Wide ring", "margin": 0.08}],
            "limits": {"tolerance": 0.02, "tolerance_mm": 0.0, "size": 0.03},
            "finished_at": timezone.now(),
        }
        inspection = Inspection.objects.create(**(known | fields))
        for place in range(photos):
            name = default_storage.save(f"inspections/t/{place}.webp", ContentFile(picture_bytes()))
            InspectionPhoto.objects.create(
                inspection=inspection,
                place=place,
                file=name,
                width=560,
                height=420,
                sha256="0" * 64,
                verdict=inspection.verdict,
                reasons=inspection.reasons,
                pose={"rotation": np.eye(3).tolist(), "translation": [0, 0, 90], "focal": 600.0},
                measures={
                    "iou": 0.91, "mean": 0.004, "p95": 0.02, "thickness": 0.09, "blob": 0.002,
                    "unsupported": 0.2,
                },
                blobs=[
                    {"kind": "missing", "box": [200, 100, 260, 150], "place": [230, 125],
                     "thickness": 0.09, "area": 0.002},
                ],
                shown=name, overlay=name, drawn=name, mask=name,
            )  # fmt: skip
        return inspection

    return make
