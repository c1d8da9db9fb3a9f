"""The main journey: files come in, workers do their work, everyone finds the parts."""

import io

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from catalog.models import Part
from tests.factories import meshes

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.walk]

SHAPES = {
    "R8107490 plain ring": meshes.ring(),
    "B100 box": meshes.box((10, 20, 30)),
    "S200 ball": meshes.sphere(),
    "T300 torus": meshes.torus(10, 3),
    "L400 bracket": meshes.l_bracket(),
    "C500 pin": meshes.cylinder(2, 40),
}


@pytest.fixture
def catalogue(writer, work) -> dict[str, str]:
    """Six parts, uploaded and processed: name -> id."""
    ids = {}
    for name, triangles in SHAPES.items():
        number, words = name.split(" ", 1)
        file = SimpleUploadedFile(f"{number}.stl", meshes.stl_binary(triangles))
        answer = writer.post("/api/parts/", {"file": file, "name": words}, "multipart")
        assert answer.status_code == 201, answer.json()
        ids[words] = answer.json()["id"]
    work()
    assert set(Part.objects.values_list("status", flat=True)) == {"ready"}
    return ids


def view_png(writer, part_id: str, viewpoint: int) -> SimpleUploadedFile:
    """One of the part's own views, as somebody would save it from the page."""
    part = writer.get(f"/api/parts/{part_id}/").json()
    data = b"".join(writer.get(part["views"][viewpoint]["url"]).streaming_content)
    png = io.BytesIO()
    Image.open(io.BytesIO(data)).save(png, "PNG")
    return SimpleUploadedFile("view.png", png.getvalue(), "image/png")


def test_by_picture(catalogue, writer) -> None:
    for name, part_id in catalogue.items():
        body = {"image": view_png(writer, part_id, 3), "k": 3}
        answer = writer.post("/api/search/image", body, "multipart").json()
        assert answer["success"]
        assert answer["engine"] == "mini"
        first = answer["results"][0]
        assert first["part_id"] == part_id, name
        assert first["rank"] == 1
        assert 0.5 < first["similarity"] <= 1
        assert first["thumbnail_url"].endswith(".webp")
        assert [hit["rank"] for hit in answer["results"]] == [1, 2, 3]
        assert set(answer["took_ms"]) == {"encode", "search", "fuse", "hydrate", "total"}


def test_by_words_and_number(catalogue, writer) -> None:
    for query in ("ring", "R8107490", "r81074", "R8107940"):
        answer = writer.post("/api/search/text", {"query": query}).json()
        assert answer["results"][0]["part_id"] == catalogue["plain ring"], query


def test_by_both(catalogue, writer) -> None:
    body = {"image": view_png(writer, catalogue["ball"], 0), "text": "torus", "k": 2}
    hits = writer.post("/api/search/hybrid", body, "multipart").json()["results"]
    assert {hit["part_id"] for hit in hits} == {catalogue["ball"], catalogue["torus"]}
    for alpha, first in ((1, "ball"), (0, "torus")):
        body = {"image": view_png(writer, catalogue["ball"], 0), "text": "torus", "alpha": alpha}
        hits = writer.post("/api/search/hybrid", body, "multipart").json()["results"]
        assert hits[0]["part_id"] == catalogue[first]


def test_by_mesh_with_its_relation(catalogue, writer) -> None:
    bracket = meshes.l_bracket()
    turned = np.ascontiguousarray(bracket[..., [1, 2, 0]])
    for triangles, kind, factor in (
        (turned, "same", 1.0),
        (turned * np.float32(2.5), "scaled", 0.4),
    ):
        file = SimpleUploadedFile("query.stl", meshes.stl_binary(triangles))
        answer = writer.post("/api/search/mesh", {"file": file}, "multipart").json()
        first = answer["results"][0]
        assert answer["engine"] == "fusion"
        assert first["part_id"] == catalogue["bracket"]
        assert first["relation"]["kind"] == kind
        assert first["relation"]["factor"] == pytest.approx(factor, rel=1e-3)
        assert set(first["rankings"]) == {"mini", "shape"}


def test_every_format_gives_the_same_part_as_its_stl(catalogue, writer) -> None:
    ring = meshes.ring()
    for name, data in {
        "ring.obj": meshes.obj(ring), "ring.ply": meshes.ply(ring), "ring.off": meshes.off(ring),
        "ring.glb": meshes.glb(ring), "ring.3mf": meshes.threemf(ring),
        "ascii.stl": meshes.stl_ascii(ring),
    }.items():  # fmt: skip
        file = SimpleUploadedFile(name, data)
        first = writer.post("/api/search/mesh", {"file": file}, "multipart").json()["results"][0]
        assert first["part_id"] == catalogue["plain ring"], name
        assert first["relation"]["kind"] in {"same", "scaled"}, name  # glTF counts in metres


def test_filters_narrow_and_k_is_still_reached(catalogue, writer, settings) -> None:
    def ask(filters: dict, k: int = 6) -> set[str]:
        body = {"query": "ring box ball torus bracket pin", "k": k, "filters": filters}
        answer = writer.post("/api/search/text", body)
        assert answer.status_code == 200, answer.json()
        return {hit["name"] for hit in answer.json()["results"]}

    assert len(ask({})) == 6
    assert ask({"size_min": [None, None, 35]}) == {"pin"}
    assert "pin" not in ask({"volume_min": 1000})
    assert ask({"watertight": False}) == set()
    body = {
        "file": SimpleUploadedFile("q.stl", meshes.stl_binary(meshes.ring())),
        "filters": '{"size_min": [null, null, 35]}',
    }
    answer = writer.post("/api/search/mesh", body, "multipart").json()
    assert [hit["name"] for hit in answer["results"]] == ["pin"]


def test_a_deleted_part_is_gone_and_a_restored_one_is_back(catalogue, writer) -> None:
    body = {"query": "torus"}
    writer.delete(f"/api/parts/{catalogue['torus']}/")
    found = writer.post("/api/search/text", body).json()["results"]
    assert catalogue["torus"] not in {hit["part_id"] for hit in found}
    view = view_png(writer, catalogue["ball"], 0)
    hits = writer.post("/api/search/image", {"image": view, "k": 10}, "multipart").json()["results"]
    assert catalogue["torus"] not in {hit["part_id"] for hit in hits}
    assert len(hits) == 5
    assert writer.post(f"/api/parts/{catalogue['torus']}/restore/").status_code == 200
    assert writer.post("/api/search/text", body).json()["results"][0]["name"] == "torus"


def test_the_same_query_again_is_not_encoded_again(catalogue, writer) -> None:
    picture = view_png(writer, catalogue["ball"], 0).read()

    def ask() -> dict:
        file = SimpleUploadedFile("view.png", picture)
        return writer.post("/api/search/image", {"image": file}, "multipart").json()

    first, again = ask(), ask()
    assert first["results"] == again["results"]
    assert first["photo"] == again["photo"]
    assert again["took_ms"]["encode"] < first["took_ms"]["encode"] / 2
