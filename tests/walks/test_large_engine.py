"""A catalogue whose engines are large networks: parts come in, and are found as by any other."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import override_settings
from PIL import Image

from catalog.models import Part
from search import embeddings, encoders
from search.calibrate import engine_calibrate
from stlcatalog.config import OpenClipEngine, ResNet50Engine
from tests.factories import meshes
from tests.factories.networks import clip_folder, resnet_file

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.walk, pytest.mark.clip]

SHAPES = {
    "plain ring": meshes.ring(),
    "box": meshes.box((10, 20, 30)),
    "ball": meshes.sphere(),
    "bracket": meshes.l_bracket(),
    "pin": meshes.cylinder(2, 40),
}


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory) -> Any:
    folder = tmp_path_factory.mktemp("weights")
    clip_folder(folder / "clip-small")
    resnet_file(folder / "resnet.pth")
    return folder


@pytest.fixture
def large(settings, checkpoints) -> Iterator[None]:
    """The engines clip (pictures of 64 pixels) and resnet50 (of 224) are those in use."""
    ours = {
        "clip": OpenClipEngine(encoder="openclip", checkpoint="clip-small", device="cpu"),
        "resnet50": ResNet50Engine(encoder="resnet50", checkpoint="resnet.pth", device="cpu"),
    }
    search = settings.SEARCH
    changed = search.model_copy(
        update={"engines": {**search.engines, **ours}, "use": ["clip", "resnet50", "shape"]}
    )
    with override_settings(SEARCH=changed, WEIGHTS=checkpoints):
        encoders.encoders_forget()
        yield
    encoders.encoders_forget()


@pytest.fixture
def catalogue(large, writer, work) -> dict[str, str]:
    ids = {}
    for name, triangles in SHAPES.items():
        file = SimpleUploadedFile(f"{name}.stl", meshes.stl_binary(triangles))
        answer = writer.post("/api/parts/", {"file": file, "name": name}, "multipart")
        assert answer.status_code == 201, answer.json()
        ids[name] = answer.json()["id"]
    work()
    assert set(Part.objects.values_list("status", flat=True)) == {"ready"}
    return ids


def view_of(writer: Any, part_id: str) -> SimpleUploadedFile:
    part = writer.get(f"/api/parts/{part_id}/").json()
    data = b"".join(writer.get(part["views"][3]["url"]).streaming_content)
    png = io.BytesIO()
    Image.open(io.BytesIO(data)).save(png, "PNG")
    return SimpleUploadedFile("view.png", png.getvalue(), "image/png")


def test_found_by_picture_by_words_and_by_both(catalogue, writer) -> None:
    for name, part_id in catalogue.items():
        body = {"image": view_of(writer, part_id), "k": 3}
        answer = writer.post("/api/search/image", body, "multipart").json()
        assert answer["success"], answer
        assert answer["results"][0]["part_id"] == part_id, name
        assert set(answer["results"][0]["rankings"]) == {"clip", "resnet50"}
    # By words: each part's best view against the text, as the network itself sees them.
    said = encoders.word_encoder("clip").texts_embed(["silver wheel"])[0]
    key = encoders.space("clip").key
    close = {
        str(part.uuid): float((embeddings.embeddings_read(part.pk, key) @ said).max())
        for part in Part.objects.all()
    }
    answer = writer.post("/api/search/text", {"query": "silver wheel", "engine": "clip"}).json()
    found = {hit["part_id"]: hit["similarity"] for hit in answer["results"]}
    assert found == pytest.approx({str(k): close[k] for k in found}, abs=2e-3)
    assert answer["results"][0]["similarity"] == pytest.approx(max(close.values()), abs=2e-3)
    # A name is found by its words, whatever an untrained network thinks of it.
    hits = writer.post("/api/search/text", {"query": "bracket"}).json()["results"]
    assert hits[0]["part_id"] == catalogue["bracket"]
    body = {"image": view_of(writer, catalogue["ball"]), "text": "pin", "k": 5}
    hits = writer.post("/api/search/hybrid", body, "multipart").json()["results"]
    assert {hit["part_id"] for hit in hits} == set(catalogue.values())


def test_each_engine_drew_its_own_pictures(catalogue) -> None:
    part = Part.objects.get(name="bracket")
    shapes = {
        name: embeddings.embeddings_read(part.pk, encoders.space(name).key).shape
        for name in ("clip", "resnet50")
    }
    assert shapes == {"clip": (12, 32), "resnet50": (12, 2048)}


def test_classifying_and_the_pages_work_with_it(catalogue, writer, logged_in) -> None:
    writer.post("/api/categories/", {"name": "ring", "name_zh": "戒指", "prompts": ["a ring"]})
    file = SimpleUploadedFile("q.stl", meshes.stl_binary(meshes.ring()))
    assert writer.post("/api/classify", {"file": file}, "multipart").status_code == 200
    answer = writer.post("/api/classify", {"image": view_of(writer, catalogue["box"])}, "multipart")
    assert answer.status_code == 200, answer.json()
    named = {engine["name"]: engine for engine in writer.get("/api/engines/").json()["results"]}
    assert named["clip"]["words_space"] == named["clip"]["space"]
    assert named["resnet50"]["words_space"] is None
    assert logged_in.get("/").status_code == 200


def test_a_similarity_says_little_until_it_was_measured_here(catalogue, writer, capsys) -> None:
    from catalog.errors import ServiceError

    body = {"image": view_of(writer, catalogue["box"]), "engine": "clip"}
    hit = writer.post("/api/search/image", body, "multipart").json()["results"][0]
    assert hit["similarity"] > 0.9
    assert hit["strength"] == encoders.UNMEASURED
    with pytest.raises(ServiceError, match="Too few"):
        engine_calibrate("clip")
    many = Part.objects.get(name="box")
    space = encoders.space("clip")
    rng = np.random.default_rng(0)
    for n in range(20):
        rows = rng.normal(size=(1, space.d)) + 0.3 * rng.normal(size=(4, space.d))
        part = Part.objects.create(
            name=f"made {n}", file=many.file.name, file_name="m.stl", file_size=84,
            sha256=f"{n:064x}", status="ready",
        )  # fmt: skip
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        embeddings.embeddings_write(part_id=part.pk, space=space, vectors=rows.astype(np.float32))
    call_command("engine_calibrate", "clip")
    assert "image: half of the first hits are right at" in capsys.readouterr().out
    strengths = [encoders.strength("clip", "image", cosine) for cosine in (0.2, 0.6, 0.99)]
    assert strengths == sorted(strengths)
    assert strengths[0] < 0.3
    assert strengths[2] > 0.6


def test_an_engine_whose_weights_are_gone_refuses_and_the_rest_goes_on(
    large, writer, settings, tmp_path
) -> None:
    with override_settings(WEIGHTS=tmp_path):
        encoders.encoders_forget()
        together = writer.post("/api/search/text", {"query": "ring"})
        assert together.status_code == 200
        assert "engine_fetch clip" in together.json()["engines_failed"]["clip"]
        alone = writer.post("/api/search/text", {"query": "ring", "engine": "clip"})
        assert alone.status_code == 503
        error = alone.json()["error"]
        assert error["code"] == "weights_not_found"
        assert "engine_fetch clip" in error["message"]
        assert writer.get("/api/parts/").status_code == 200
    encoders.encoders_forget()
