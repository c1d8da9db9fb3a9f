"""Files without a name find their category by their shape; what people decide is learnt."""

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from catalog.families.registry import FAMILIES
from catalog.families.types import family_sample
from catalog.families.words import CATEGORIES
from catalog.models import Part
from tests.factories import meshes

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.walk]

SHELVES = ("gear", "ring", "vase", "chair", "bolt", "flange")
MADE = {"spur_gear": "Gears", "solitaire_ring": "Rings", "dining_chair": "Chairs"}


def stl_of(family: str, seed: int) -> bytes:
    return meshes.stl_binary(family_sample(FAMILIES[family], seed, turned="upright").triangles)


@pytest.fixture
def parts(writer, work) -> dict[str, dict]:
    """Six categories with their prompts, and three parts whose files say nothing."""
    for key in SHELVES:
        words = CATEGORIES[key]
        body = {"name": words.names.en, "name_zh": words.names.zh_hant, "prompts": words.prompts}
        assert writer.post("/api/categories/", body).status_code == 201
    ids = {}
    for n, family in enumerate(MADE):
        file = SimpleUploadedFile(f"part-{n:04}.stl", stl_of(family, 3000))
        ids[family] = writer.post("/api/parts/", {"file": file}, "multipart").json()["id"]
    work()
    return {family: writer.get(f"/api/parts/{pk}/").json() for family, pk in ids.items()}


def best(answer) -> str:
    body = answer.json()
    assert answer.status_code == 200, body
    assert body["none"] is False, body
    return body["suggestions"][0]["category"]["name"]


def test_a_file_without_a_name_is_suggested_its_category(parts, writer, logged_in, work) -> None:
    for family, category in MADE.items():
        first = parts[family]["suggestions"][0]
        assert first["category"]["name"] == category, parts[family]["suggestions"]
        assert 0.3 <= first["confidence"] <= 1
    gear = parts["spur_gear"]
    assert logged_in.post(f"/suggestions/{gear['suggestions'][0]['id']}/accept").status_code == 302
    work()
    assert Part.objects.get(uuid=gear["id"]).category.name == "Gears"


def test_the_door_tells_a_mesh_a_picture_and_a_part(parts, writer) -> None:
    for family, category in MADE.items():
        mesh = SimpleUploadedFile("x.stl", stl_of(family, 3001))
        assert best(writer.post("/api/classify", {"file": mesh}, "multipart")) == category
        part_id = parts[family]["id"]
        assert best(writer.post("/api/classify", {"part_id": part_id})) == category
    url = parts["spur_gear"]["views"][0]["url"]
    view = io.BytesIO()
    Image.open(io.BytesIO(b"".join(writer.get(url).streaming_content))).save(view, "PNG")
    picture = SimpleUploadedFile("view.png", view.getvalue(), "image/png")
    answer = writer.post("/api/classify", {"image": picture}, "multipart")
    assert best(answer) == "Gears"
    assert answer.json()["photo"]["cut"] is True
