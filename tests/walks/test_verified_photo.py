"""A photo whose part the encoder ranks second: uploaded, prepared in the background, verified."""

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from numpy.typing import NDArray

from catalog.models import Part
from search.models import Preparation
from tests.factories import meshes
from tests.factories.pieces import photo_of
from tests.factories.prepared import picture
from tests.factories.solids import propeller
from workers.tasks import parts_sweep

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.walk]

SHAPES = {
    "propeller of three": propeller(3),
    "propeller of four": propeller(4),
    "propeller of five": propeller(5),
    "ring": meshes.ring(),
    "box": meshes.box(),
}


def before_the_camera(triangles: NDArray[np.float64]) -> NDArray[np.float32]:
    """As large as what the cameras of `tests.factories.pieces` look at, and where."""
    low, high = triangles.min((0, 1)), triangles.max((0, 1))
    size = float(np.linalg.norm(high - low))
    return ((triangles - (low + high) / 2) * (60 / size) + (30, 20, 25)).astype(np.float32)


def test_the_second_best_is_verified_to_be_first(writer, work, settings) -> None:
    section = settings.SEARCH.search.model_copy(update={"verify_seconds": 10.0})
    settings.SEARCH = settings.SEARCH.model_copy(update={"search": section})
    for name, triangles in SHAPES.items():
        file = SimpleUploadedFile(f"{name}.stl", meshes.stl_binary(triangles))
        answer = writer.post("/api/parts/", {"file": file, "name": name}, "multipart")
        assert answer.status_code == 201, answer.json()
    work()
    photo = photo_of(before_the_camera(SHAPES["propeller of five"]), pose=1).rgb

    def found(**asked: str) -> dict:
        body = {"image": picture(photo), **asked}
        return writer.post("/api/search/image", body, "multipart").json()

    # Found at once; prepared by the minute's sweep.
    assert set(Part.objects.values_list("status", flat=True)) == {"ready"}
    early = found(verify="true")
    assert early["verified"] is False
    assert early["unverified_why"]
    plain = [hit["name"] for hit in early["results"]]
    assert plain[:2] == ["propeller of four", "propeller of five"]
    parts_sweep()
    work()
    assert set(Preparation.objects.values_list("state", flat=True)) == {"done"}
    verified = found(verify="true")
    assert verified["verified"] is True
    first = verified["results"][0]
    assert first["name"] == "propeller of five"
    assert first["rank"] == 1
    assert first["fit"] > 0.8
    assert first["fit"] > verified["results"][1]["fit"] + 0.2
    # And the search itself says what it said.
    assert [hit["name"] for hit in found()["results"]] == plain
