"""Why a part answers a query, through the door of the API."""

import base64
import io
import re

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from catalog.models import Part
from search import embeddings, encoders
from search.encode import photo_encode, text_encode
from tests.factories import meshes

pytestmark = pytest.mark.django_db(transaction=True)

NOBODY = "00000000-0000-0000-0000-000000000000"
SHAPES = {
    "plain ring": meshes.ring(),
    "corner bracket": meshes.l_bracket(),
    "long pin": meshes.cylinder(2, 40),
}


@pytest.fixture
def parts(writer, work) -> dict[str, Part]:
    """Three parts that went through the pipeline, by name."""
    for n, (name, triangles) in enumerate(SHAPES.items()):
        file = SimpleUploadedFile(f"{n}.stl", meshes.stl_binary(triangles))
        assert writer.post("/api/parts/", {"file": file, "name": name}, "multipart").json()
    work()
    found = {part.name: part for part in Part.objects.prefetch_related("views")}
    assert {part.status for part in found.values()} == {"ready"}
    return found


def png_of(part: Part, viewpoint: int, turn: int = 0) -> bytes:
    with part.views.get(viewpoint=viewpoint).image.open() as file:
        picture = np.asarray(Image.open(file).convert("RGB"))
    held = io.BytesIO()
    Image.fromarray(np.rot90(picture, turn)).save(held, "PNG")
    return held.getvalue()


def asked(api, part: Part, **body) -> dict:
    for name in ("image", "file"):
        if isinstance(body.get(name), bytes):
            body[name] = SimpleUploadedFile(f"{name}.stl", body[name])
    answer = api.post("/api/explain", {"part_id": str(part.uuid), **body}, "multipart")
    assert answer.status_code == 200, answer.json()
    return answer.json()


def picture_of(uri: str) -> np.ndarray:
    assert uri.startswith("data:image/png;base64,")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.split(",", 1)[1]))))


def test_a_picture_is_explained(parts, api) -> None:
    ring = parts["plain ring"]
    body = asked(api, ring, image=png_of(ring, 3))
    assert body["method"] == "exact"
    assert body["target"] == "picture"
    assert body["engine"] == "mini"
    assert body["best_view"] == 3
    assert body["similarity"] > 0.9
    # The cells of the drawn view add up to its similarity: nothing is estimated.
    assert np.sum(body["cells"]) == pytest.approx(body["similarity"], abs=2e-3)
    heat, picture = picture_of(body["hit"]["heatmap_url"]), picture_of(body["query"]["picture_url"])
    assert heat.shape == (224, 224, 4)
    assert picture.shape == (448, 448, 4)
    assert picture_of(body["query"]["heatmap_url"]).shape == (224, 224, 4)
    assert heat[0, 0, 3] == 0  # the ground has no heat
    assert heat[..., 3].max() > 100
    assert body["hit"]["picture_url"].endswith("view-03.webp")
    assert body["explanation"].endswith(".")
    assert body["faithfulness"] is None


def test_what_is_shown_is_measured_or_made_of_the_cells_and_the_answer_says_which(
    parts, api, settings
) -> None:
    ring = parts["plain ring"]
    measured = asked(api, ring, image=png_of(ring, 3))
    assert measured["heat_method"] == "masks"
    mini = settings.SEARCH.engines["mini"].model_copy(update={"explain_masks": 0})
    engines = settings.SEARCH.engines | {"mini": mini}
    settings.SEARCH = settings.SEARCH.model_copy(update={"engines": engines})
    cells = asked(api, ring, image=png_of(ring, 3))
    assert cells["heat_method"] == cells["method"] == "exact"
    assert cells["cells"] == measured["cells"]
    heats = [picture_of(of["hit"]["heatmap_url"]) for of in (measured, cells)]
    assert (heats[0] != heats[1]).any()


def test_matching_places_are_where_they_are(parts, api) -> None:
    bracket = parts["corner bracket"]
    body = asked(api, bracket, image=png_of(bracket, 5))
    assert 4 <= len(body["pairs"]) <= 12
    pairs = np.array(body["pairs"])
    assert (pairs[:, :4] >= 0).all() and (pairs[:, :4] <= 1).all()
    # The same picture: each place matches itself.
    assert np.abs(pairs[:, :2] - pairs[:, 2:4]).max() < 0.1


def test_a_turned_picture_is_turned_back(parts, api) -> None:
    bracket = parts["corner bracket"]
    body = asked(api, bracket, image=png_of(bracket, 5, turn=1))
    pairs = np.array(body["pairs"])
    assert len(pairs) >= 4
    # A quarter against the clock brought (x, y) to (y, 1 - x).
    back = np.column_stack([1 - pairs[:, 1], pairs[:, 0]])
    assert np.abs(back - pairs[:, 2:4]).max() < 0.12


def test_words_are_explained(parts, api) -> None:
    body = asked(api, parts["plain ring"], text="a plain ring")
    assert body["method"] == "integrated"
    assert body["target"] == "words"
    assert body["query"] is None
    assert body["pairs"] == []
    words = [f for f in body["key_features"] if f["code"] == "word"]
    assert words
    named = [f for f in body["key_features"] if f["code"] == "named"]
    assert "ring" in named[0]["hit"]
    assert "ring" in body["explanation"]


def test_a_word_said_twice_is_told_once(parts, api) -> None:
    body = asked(api, parts["plain ring"], text="ring of gold, Ring of silver")
    facts = body["key_features"]
    assert [f["hit"] for f in facts if f["code"] == "named"] == ["ring"]
    words = [f["label"] for f in facts if f["code"] == "word"]
    assert sorted(words) == [f"Without “{word}”" for word in ("gold", "of", "ring", "silver")]
    # Both are left out: what is compared is the text without the word.
    without = next(f["hit"] for f in facts if f["label"] == "Without “ring”")
    space = encoders.words_space("mini").key
    kept = embeddings.embeddings_read(parts["plain ring"].pk, space).mean(axis=0)
    said = text_encode("of gold,  of silver", ["mini"])["mini"][0]
    assert without == f"{said @ kept / np.linalg.norm(kept):.2f}"


def test_a_picture_and_words_are_explained_together(parts, api) -> None:
    ring = parts["plain ring"]
    body = asked(api, ring, image=png_of(ring, 3), text="plain ring")
    assert body["target"] == "both"
    assert body["method"] == "exact+integrated"
    assert body["heat_method"] == "masks"


def test_a_mesh_is_explained(parts, api) -> None:
    data = meshes.stl_binary(meshes.ring() * 2)
    body = asked(api, parts["plain ring"], file=data)
    assert body["target"] == "mesh"
    assert "2 times" not in body["explanation"]
    assert "0.5 times as large" in body["explanation"]
    facts = {f["code"]: f for f in body["key_features"]}
    assert facts["proportions"]["agrees"] is True
    assert facts["fill"]["agrees"] is True
    assert facts["components"]["agrees"] is True


def test_a_part_is_explained_beside_another(parts, api) -> None:
    body = asked(api, parts["plain ring"], like=str(parts["long pin"].uuid))
    assert body["target"] == "part"
    facts = {f["code"]: f for f in body["key_features"]}
    assert facts["proportions"]["agrees"] is False
    assert facts["outline_holes"]["query"] == "0"


def test_marks_move_what_is_explained(parts, api) -> None:
    """As they moved the search: Rocchio by the nearest view of what was marked."""
    ring, pin, bracket = parts.values()
    assert {ring.name, pin.name, bracket.name} == set(SHAPES)
    picture = png_of(ring, 3)
    plain = asked(api, ring, image=picture)
    assert plain["similarity_unmarked"] is None
    moved = asked(api, ring, image=picture, more=str(pin.uuid), less=str(bracket.uuid))
    assert moved["similarity_unmarked"] == plain["similarity"]
    kept = {part.pk: embeddings.embeddings_read(part.pk, encoders.space("mini").key)
            for part in parts.values()}  # fmt: skip
    best = []
    for row in photo_encode(picture, ["mini"]).vectors["mini"]:
        more, less = (kept[part.pk][np.argmax(kept[part.pk] @ row)] for part in (pin, bracket))
        turned = row + 2.0 * more - 0.1 * less
        best.append((kept[ring.pk] @ turned).max() / np.linalg.norm(turned))
    assert moved["similarity"] == pytest.approx(max(best), abs=2e-3)
    assert np.sum(moved["cells"]) == pytest.approx(moved["similarity"], abs=2e-3)
    assert moved["hit"] != plain["hit"]
    assert "With the marked parts the similarity is" in moved["explanation"]
    (fact,) = [f for f in moved["key_features"] if f["code"] == "marks"]
    assert fact["query"] == f"{plain['similarity']:.2f}"


@pytest.mark.parametrize("kind", ["words", "part", "mesh"])
def test_marks_move_every_kind_of_question(parts, api, kind) -> None:
    ring, pin, bracket = parts.values()
    body = {
        "words": {"text": "plain ring"},
        "part": {"like": str(pin.uuid)},
        "mesh": {"file": meshes.stl_binary(meshes.ring() * 2)},
    }[kind]
    plain = asked(api, ring, **body)
    if kind == "mesh":
        body = {"file": meshes.stl_binary(meshes.ring() * 2)}
    moved = asked(api, ring, **body, more=str(bracket.uuid))
    assert moved["similarity_unmarked"] == plain["similarity"] != moved["similarity"]


def test_one_or_two_sentences(parts, api) -> None:
    ring = parts["plain ring"]
    for body in (
        {"image": png_of(ring, 3), "text": "a plain ring"},
        {"image": png_of(ring, 3)},
        {"text": "a plain ring", "more": str(ring.uuid)},
        {"file": meshes.stl_binary(meshes.ring() * 2), "more": str(ring.uuid)},
        {"like": str(parts["long pin"].uuid)},
    ):
        said = re.findall(r"\.(?= |$)", asked(api, ring, **body)["explanation"])
        assert 1 <= len(said) <= 2


def test_the_reader_is_answered_in_their_language(parts, api) -> None:
    ring = parts["plain ring"]
    body = {"part_id": str(ring.uuid), "image": SimpleUploadedFile("q.png", png_of(ring, 3))}
    answer = api.post("/api/explain", body, "multipart", headers={"Accept-Language": "zh-Hant"})
    assert any("\u4e00" <= c <= "\u9fff" for c in answer.json()["explanation"])


def test_asking_again_encodes_nothing(parts, api, monkeypatch) -> None:
    ring = parts["plain ring"]
    first = asked(api, ring, image=png_of(ring, 3))
    from search.engine.encoders.mini import MiniEncoder

    def refuse(*_args, **_options):
        raise AssertionError("encoded again")

    monkeypatch.setattr(MiniEncoder, "_run", refuse)
    again = asked(api, ring, image=png_of(ring, 3))
    for body in (first, again):
        body.pop("took_ms")
    assert first == again


def test_heat_covers_the_whole_part(parts, api) -> None:
    ring = parts["plain ring"]
    body = asked(api, ring, image=png_of(ring, 3), surface="true")
    packed = base64.b64decode(body["surface"])
    assert packed[:4] == b"HEAT"
    triangles, points = np.frombuffer(packed, "<u4", 2, 4)
    assert triangles == len(meshes.ring())
    sizes = np.frombuffer(packed, np.uint8, triangles, 12).astype(int)
    assert ((sizes + 1) * (sizes + 2) // 2).sum() == points
    heat = np.frombuffer(packed, np.uint8, points, 12 + triangles)
    assert len(packed) == 12 + triangles + points
    assert np.ptp(heat) > 150


def test_faithfulness_is_measured_when_asked(parts, api) -> None:
    ring = parts["plain ring"]
    found = asked(api, ring, image=png_of(ring, 3), faithfulness="true")["faithfulness"]
    assert set(found) == {
        "deletion", "insertion", "deletion_random", "insertion_random",
        "deletion_silhouette", "insertion_silhouette",
    }  # fmt: skip
    assert found["insertion"] > found["insertion_random"]


class TestRefusals:
    """Whatever is sent, an explanation or a sentence."""

    def test_what_cannot_be_asked(self, parts, api) -> None:
        for body in (
            {},
            {"text": "ring", "like": NOBODY},
            {"text": "   "},
            {"part_id": "7", "text": "ring"},
            {"alpha": "nan", "text": "ring"},
            {"alpha": "much", "text": "ring"},
            {"crop": "1,2", "text": "ring"},
            {"text": "ring" * 200},
            {"text": "ring", "engine": "shape"},
            {"text": "ring", "engine": "words"},
            {"text": "ring", "engine": "clip"},
            {"text": "ring", "more": "7"},
            {"text": "ring", "more": NOBODY, "less": NOBODY},
            {"image": b"no picture"},
            {"image": b""},
            {"file": b"no mesh"},
            {"file": b""},
            {"file": meshes.stl_binary(meshes.box())[:-30]},
        ):
            sent = {"part_id": str(parts["plain ring"].uuid)} | {
                name: SimpleUploadedFile("q.stl", of) if isinstance(of, bytes) else of
                for name, of in body.items()
            }
            self.refused(api.post("/api/explain", sent, "multipart"), 400)

    def refused(self, answer, status: int) -> str:
        assert answer.status_code == status, answer.content
        assert len(answer.json()["error"]["message"]) > 8
        return answer.json()["error"]["code"]

    def test_no_such_part(self, api) -> None:
        answer = api.post("/api/explain", {"part_id": NOBODY, "text": "ring"})
        assert self.refused(answer, 404) == "part_unknown"

    def test_a_part_in_the_trash_in_work_or_not_embedded(self, parts, api, writer) -> None:
        ring, pin, bracket = parts.values()
        body = {"text": "ring"}
        assert writer.delete(f"/api/parts/{ring.uuid}/").status_code in (200, 204)
        gone = api.post("/api/explain", {"part_id": str(ring.uuid), **body})
        assert self.refused(gone, 404) == "part_unknown"
        Part.objects.filter(pk=pin.pk).update(status="processing")
        waits = api.post("/api/explain", {"part_id": str(pin.uuid), **body})
        assert self.refused(waits, 409) == "part_not_ready"
        bracket.embeddings.all().delete()
        blind = api.post("/api/explain", {"part_id": str(bracket.uuid), **body})
        assert self.refused(blind, 409) == "part_not_embedded"

    def test_a_preview_that_is_gone(self, parts, api) -> None:
        ring = parts["plain ring"]
        ring.preview.storage.delete(ring.preview.name)
        answer = api.post("/api/explain", {"part_id": str(ring.uuid), "text": "plain ring"})
        assert self.refused(answer, 409) == "part_not_ready"

    def test_a_preview_that_is_damaged(self, parts, api) -> None:
        """It is ours, not the asker's: nobody's file is said to be cut short."""
        ring = parts["plain ring"]
        for damaged in (b"", b"no mesh" * 30):
            with ring.preview.storage.open(ring.preview.name, "wb") as file:
                file.write(damaged)
            answer = api.post("/api/explain", {"part_id": str(ring.uuid), "text": "plain ring"})
            assert self.refused(answer, 409) == "part_not_ready"

    def test_reading_is_asked_for(self, parts, token_client, settings) -> None:
        settings.READING_OPEN = False
        body = {"part_id": str(parts["plain ring"].uuid), "text": "ring"}
        assert token_client("read").post("/api/explain", body).status_code == 200
        assert token_client("write").post("/api/explain", body).status_code == 403
