"""Ready parts whose vectors and sketches were made once for all tests of a process."""

import io
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from numpy.typing import NDArray
from PIL import Image

from catalog.models import Part
from search import encoders
from search.embeddings import embeddings_read, embeddings_write
from search.inspection import preparing
from tests.factories.pieces import photo_of
from tests.factories.solids import drilled_bracket, drilled_plate, propeller

SHAPES: dict[str, Callable[[], Any]] = {
    "bracket": drilled_bracket,
    "plate": drilled_plate,
    "propeller": lambda: propeller(4),
}


@cache
def _made(name: str) -> tuple[NDArray[np.float32], bytes]:
    """The shape's vectors in the space of `mini`, and its sketch."""
    from search.engine.qc.part import part_prepare
    from search.engine.qc.sketch import sketch_make
    from search.engine.render.viewpoints import viewpoints_fibonacci
    from search.engine.render.views import views_render

    triangles = SHAPES[name]().astype(np.float32)
    views = views_render(triangles, viewpoints=viewpoints_fibonacci(12)).rgb
    vectors = encoders.encoder("mini").pictures_embed(views)
    return vectors, sketch_make(part_prepare(triangles)).to_bytes()


def prepared_parts() -> dict[str, Part]:
    """One of each shape, found by the engine `mini` and ready to be laid over a photo."""
    parts = {}
    for n, name in enumerate(SHAPES):
        vectors, sketch = _made(name)
        part = Part.objects.create(
            name=name, file=f"meshes/{name}.stl", file_name=f"{name}.stl", file_size=84,
            sha256=f"{n:064x}", status=Part.Status.READY,
        )  # fmt: skip
        embeddings_write(part_id=part.pk, space=encoders.space("mini"), vectors=vectors)
        default_storage.save(preparing.sketch_path(part), ContentFile(sketch))
        parts[name] = part
    return parts


def parts_confuse(one: Part, other: Part) -> None:
    """The encoder takes each for the other."""
    space = encoders.space("mini")
    held = {part.pk: embeddings_read(part.pk, space.key) for part in (one, other)}
    embeddings_write(part_id=one.pk, space=space, vectors=held[other.pk])
    embeddings_write(part_id=other.pk, space=space, vectors=held[one.pk])


def sketches_forget(*parts: Part) -> None:
    preparing.prepared_forget()
    for part in parts:
        default_storage.delete(preparing.sketch_path(part))


def picture(rgb: NDArray[np.uint8]) -> SimpleUploadedFile:
    png = io.BytesIO()
    Image.fromarray(rgb).save(png, "PNG")
    return SimpleUploadedFile("photo.png", png.getvalue(), "image/png")


def bracket_photo() -> SimpleUploadedFile:
    return picture(photo_of(drilled_bracket().astype(np.float32)).rgb)
