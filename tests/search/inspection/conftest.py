"""A part of the catalogue, ready, and photos of its pieces."""

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from catalog.models import Part
from tests.factories import meshes
from tests.factories.pieces import photo_of
from tests.factories.solids import drilled_bracket
from tests.factories.work import work_off


def jpeg_of(rgb: np.ndarray) -> bytes:
    ok, data = cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), [1, 95])
    assert ok
    return data.tobytes()


def _table() -> np.ndarray:
    """A table with nothing on it."""
    light = np.linspace(110, 140, 560)[None, :, None] + np.zeros((420, 1, 3))
    grain = np.random.default_rng(0).normal(0, 2, light.shape)
    return (light + grain).clip(0, 255).astype(np.uint8)


@pytest.fixture(scope="session")
def bracket_photos() -> dict[str, bytes]:
    """JPEGs: `good`, `other` (another side of a good piece), `broken`, `empty`."""
    triangles = drilled_bracket().astype(np.float32)
    return {
        "good": jpeg_of(photo_of(triangles).rgb),
        "other": jpeg_of(photo_of(triangles, pose=1).rgb),
        "broken": jpeg_of(photo_of(triangles, broken=True).rgb),
        "empty": jpeg_of(_table()),
    }


@pytest.fixture
def photo(bracket_photos: dict[str, bytes]) -> Callable[..., SimpleUploadedFile]:
    """Makes an upload of one of `bracket_photos`."""

    def make(name: str = "good") -> SimpleUploadedFile:
        return SimpleUploadedFile(f"{name}.jpg", bracket_photos[name], "image/jpeg")

    return make


@pytest.fixture
def bracket(db: None) -> Part:
    """The part, through the whole pipeline."""
    from catalog.services import part_upload

    data = meshes.stl_binary(drilled_bracket().astype(np.float32))
    part, _ = part_upload(file=SimpleUploadedFile("bracket.stl", data), name="Bracket")
    work_off()
    part.refresh_from_db()
    assert part.status == Part.Status.READY, part.error
    return part


@pytest.fixture
def compare(writer: Any, bracket: Part, photo: Any) -> Any:
    """Asks as a machine would, without waiting, and lets the worker do it: the answer then."""

    def ask(*names: str, **fields: Any) -> dict[str, Any]:
        body = {"part_id": str(bracket.uuid), "wait": 0, **fields}
        answer = writer.post(
            "/api/qc/compare", body | {"photo": [photo(n) for n in names]}, format="multipart"
        )
        assert answer.status_code == 202, answer.content
        work_off()
        return writer.get(answer.json()["url"]).json()

    return ask
