"""Files that nobody named are found by what they look like, in words of both languages."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from catalog.families.demo import demo_parts, stl_bytes
from catalog.models import Part
from search.models import Synonym

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.walk]

# One of each of these families, as the demo catalogue makes them.
FAMILIES = ("solitaire_ring", "hex_bolt", "spur_gear", "ball_bearing", "mug", "vase", "stool")


@pytest.fixture
def catalogue(writer: Any, work: Any) -> dict[str, str]:
    """Parts uploaded as part-0001.stl and on, with no word of what they are: family -> id."""
    shapes = {part.family: part.triangles for part in demo_parts() if part.family in FAMILIES}
    assert len(shapes) == len(FAMILIES)
    Synonym.objects.create(terms="bearing, 軸承, 培林")
    ids = {}
    for n, (family, triangles) in enumerate(shapes.items(), 1):
        file = SimpleUploadedFile(f"part-{n:04}.stl", stl_bytes(triangles))
        answer = writer.post("/api/parts/", {"file": file}, "multipart")
        assert answer.status_code == 201, answer.json()
        ids[family] = answer.json()["id"]
    work()
    assert set(Part.objects.values_list("status", flat=True)) == {"ready"}
    return ids


def test_by_words_of_either_language(catalogue: dict[str, str], writer: Any) -> None:
    asked = {
        "a ring with a round diamond": "solitaire_ring",
        "鑽石戒指": "solitaire_ring",
        "hex bolt": "hex_bolt",
        "六角螺栓": "hex_bolt",
        "六角螺丝": "hex_bolt",  # simplified
        "gear wheel": "spur_gear",
        "齒輪": "spur_gear",
        "deep groove ball bearing": "ball_bearing",
        "培林": "ball_bearing",
        "coffee cup with a handle": "mug",
        "花瓶": "vase",
        "凳子": "stool",
    }
    first, places = 0, []
    for text, family in asked.items():
        answer = writer.post("/api/search/text", {"query": text, "k": 7}).json()
        assert answer["engine"] == "fusion"
        found = [hit["part_id"] for hit in answer["results"]]
        assert len(found) == len(FAMILIES), text
        assert all(hit["best_view"] is None for hit in answer["results"])
        places.append((found.index(catalogue[family]) + 1, text))
        first += places[-1][0] == 1
    assert first >= 0.75 * len(asked), sorted(places, reverse=True)


def test_beside_a_picture_words_lean_the_answer(catalogue: dict[str, str], writer: Any) -> None:
    part = writer.get(f"/api/parts/{catalogue['mug']}/").json()
    picture = b"".join(writer.get(part["views"][3]["url"]).streaming_content)

    def ask(**fields: Any) -> list[str]:
        file = SimpleUploadedFile("view.webp", picture, "image/webp")
        body = {"image": file, "k": 3, **fields}
        answer = writer.post("/api/search/hybrid", body, "multipart")
        assert answer.status_code == 200, answer.json()
        return [hit["part_id"] for hit in answer.json()["results"]]

    assert ask(text="hex bolt", alpha=1)[0] == catalogue["mug"]
    assert ask(text="hex bolt", alpha=0)[0] == catalogue["hex_bolt"]
    assert set(ask(text="hex bolt", alpha=0.5)[:2]) == {catalogue["mug"], catalogue["hex_bolt"]}
